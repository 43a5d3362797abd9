"""The signing key: from SECRET_KEY or SECRET_KEY_FILE, else a file in var/ made on first use and readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from curation import environment


def secret_key(var: Path) -> str:
    if "SECRET_KEY" in os.environ or "SECRET_KEY_FILE" in os.environ:
        return environment.text("SECRET_KEY")
    path = var / "secret_key"
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()
