"""The signing key: from SECRET_KEY or SECRET_KEY_FILE, else a file in var/ made on first use and readable by its owner only."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from curation import environment


def secret_key(var: Path) -> str:
    """Written beside and then linked, so that whoever finds the file finds the whole key; the first of several makers wins."""
    if "SECRET_KEY" in os.environ or "SECRET_KEY_FILE" in os.environ:
        return environment.text("SECRET_KEY")
    path = var / "secret_key"
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        draft = var / f".secret_key.{secrets.token_hex(4)}.partial"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    return path.read_text()
