"""File locks that the system releases with their last holder, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from curation.services.errors import ServiceError, unwritable


class FileLock:
    """An exclusive lock on a file. A child that inherits `descriptor` holds it too, and so does its child.

    That is how a server outliving its supervisor by a moment keeps a second one from starting on the same data.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor: int | None = None

    def acquire(self, *, wait: float, refusal: str) -> int:
        """Take the lock within `wait` seconds, and write our process id into the file.

        Raises ServiceError with `refusal`, whose `{pid}` becomes the holder's.
        """
        self.release()
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unwritable(self.path, error) from error
        deadline = time.monotonic() + wait
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
                os.close(descriptor)
                raise ServiceError(refusal.format(pid=holder))
            time.sleep(0.05)
        self.descriptor = descriptor
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            self.release()
            raise unwritable(self.path, error) from error
        return descriptor

    def release(self) -> None:
        """Let go of our hold; heirs keep theirs."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
