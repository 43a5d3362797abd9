"""Files that appear whole or not at all: written beside their place under another name, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import IO

from curation.stages.errors import InputError


def draft_of(final: Path) -> Path:
    """A new name beside `final` that no other writer has."""
    return final.with_name(f".{final.name}.{secrets.token_hex(4)}.partial")


def remove_drafts(final: Path) -> None:
    """Remove what writers of `final` that were killed left behind."""
    for draft in final.parent.glob(f".{final.name}.*.partial"):
        remove(draft)


def remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def flush(file: IO[bytes]) -> None:
    """A full disk may say so only here."""
    file.flush()
    os.fsync(file.fileno())


def unwritable(path: Path, error: OSError) -> InputError:
    """The words for a file that could not be written: which, why, and what to do."""
    if error.errno == errno.ENOSPC:
        advice = "free some space, or choose a folder on another disk"
    elif error.errno == errno.ENOENT:
        advice = "make its folder first"
    else:
        advice = "choose a folder that you may write to"
    return InputError(f"{path} cannot be written: {error.strerror or error}; {advice}. Nothing was left there")
