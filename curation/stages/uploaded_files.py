"""Uploaded files on disk: under UPLOADS_ROOT, by names of our own. What a file was called elsewhere is shown, never a path."""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from curation.models import AnswerFile, Upload
from curation.stages.errors import InputError

log = logging.getLogger(__name__)


class StoredFile(NamedTuple):
    uri: str  # relative to UPLOADS_ROOT
    bytes: int
    sha256: str


def path_of(upload: Upload | AnswerFile) -> Path:
    return Path(settings.UPLOADS_ROOT) / upload.uri


def opened(upload: Upload | AnswerFile) -> io.BufferedReader:
    """The file to read, under the name that it came with. Raises InputError when it is gone."""
    try:
        raw = io.FileIO(path_of(upload))
    except OSError as error:
        raise InputError("the uploaded file is not there any more; upload it again") from error
    raw.name = upload.file_name
    return io.BufferedReader(raw, 2**20)


def delete(uri: str) -> None:
    with suppress(OSError):
        (Path(settings.UPLOADS_ROOT) / uri).unlink(missing_ok=True)


def shown_name(given: str) -> str:
    """The last part of a file's name without control characters, at most 255 characters."""
    last = re.split(r"[/\\]", given)[-1]
    return "".join(mark for mark in last if mark.isprintable()).strip()[:255] or "upload"


def store(chunks: Iterable[bytes]) -> StoredFile:
    """Write what arrives. Raises InputError, with nothing kept, for nothing, for too much, and when it cannot be written."""
    uri = f"{secrets.token_hex(16)}.rows"
    try:
        folder = Path(settings.UPLOADS_ROOT)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / uri).open("xb") as file:
            size, sha256 = _copy(chunks, file)
    except OSError as error:
        delete(uri)
        raise _unwritable(error) from error
    except BaseException:
        delete(uri)
        raise
    return StoredFile(uri, size, sha256)


def _copy(chunks: Iterable[bytes], file: io.BufferedWriter) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        if size > settings.UPLOAD_LIMIT:
            raise InputError(
                f"the file has more than {settings.UPLOAD_LIMIT:,} bytes, the most that is taken here; cut it into parts and "
                "append them, or ask the operator to import it (manage.py import_dataset)"
            )
        file.write(chunk)
        digest.update(chunk)
    if not size:
        raise InputError("the file is empty; choose one with samples")
    return size, digest.hexdigest()


def _unwritable(error: OSError) -> InputError:
    log.error("an upload cannot be stored: %s", error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError("there is no room left for uploads; ask the operator to free some. Nothing was kept")
    return InputError("the file cannot be stored here; tell the operator, whose log says why. Nothing was kept")
