"""What one host keeps of the store, and what it has made of it: each thing made once, whole, and bounded together."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from curation.storage.store import Check, go_on

log = logging.getLogger(__name__)

TICK = 0.1  # seconds between two looks at a lock that another process holds


@dataclass(frozen=True, slots=True)
class Kept:
    """A thing in the cache."""

    key: str
    bytes: int
    used: float  # seconds since 1970


class Cache:
    """A folder of this host with at most `limit` bytes. Keys have the form kind/name.

    Each key has a lock file: who makes the thing holds it alone, who uses it shares it, and what is shared is not evicted.
    The kernel frees the locks of a process that dies. Not in charge of what the things are.
    """

    def __init__(self, root: Path, limit: int) -> None:
        self.root, self._limit = root, limit

    def path(self, key: str) -> Path:
        """Where the thing is, if it is there."""
        return self.root / key

    @contextmanager
    def held(self, key: str, make: Callable[[Path], None], *, bytes_needed: int = 0, check: Check = go_on) -> Iterator[Path]:
        """The thing, not evicted within the block. Where it is not there `make` writes it to the path that it is given, which
        may hold what an earlier `make` that was interrupted has left; other processes of this host wait for it.
        """
        final = self.path(key)
        while True:
            with self._locked(key, fcntl.LOCK_SH, check) as lock:
                if final.exists():
                    os.utime(lock)
                    yield final
                    return
            self._make_alone(key, make, bytes_needed, check)

    def _make_alone(self, key: str, make: Callable[[Path], None], bytes_needed: int, check: Check) -> None:
        """Make the thing unless it is there, or another process has the lock: who makes it now may use it next, and for long."""
        with ExitStack() as stack:
            try:
                stack.enter_context(self._locked(key, fcntl.LOCK_EX | fcntl.LOCK_NB, check))
            except BlockingIOError:
                check()
                time.sleep(TICK)
                return
            if not self.path(key).exists():
                self._make(key, make, bytes_needed)

    def _make(self, key: str, make: Callable[[Path], None], bytes_needed: int) -> None:
        final = self.path(key)
        partial = final.with_name(f"{final.name}.partial")
        final.parent.mkdir(parents=True, exist_ok=True)
        self.make_room(bytes_needed)
        make(partial)
        _sync(partial)
        partial.rename(final)
        if not bytes_needed:
            self.make_room()

    def add(self, key: str, source: Path) -> None:
        """Take over a folder that was made elsewhere on this host, unless the thing is there."""
        while not self.path(key).exists():
            self._make_alone(key, lambda partial: _take(source, partial), 0, go_on)

    def drop(self, key: str) -> bool:
        """Remove a thing and what an interrupted try left of it. False, and nothing done, when it is in use."""
        try:
            with self._locked(key, fcntl.LOCK_EX | fcntl.LOCK_NB, go_on):
                final = self.path(key)
                partial = final.with_name(f"{final.name}.partial")
                if final.exists():  # not half a thing under its whole name, should this process die
                    _remove(partial)
                    final.rename(partial)
                _remove(partial)
                self._lock_file(key).unlink(missing_ok=True)
        except BlockingIOError:
            return False
        return True

    def make_room(self, bytes_needed: int = 0) -> None:
        """Evict what was used longest ago until `bytes_needed` fit into the limit; what is in use stays, over the limit."""
        kept = sorted(self.kept(), key=lambda each: each.used)
        over = sum(each.bytes for each in kept) + bytes_needed - self._limit
        for each in kept:
            if over <= 0:
                return
            if self.drop(each.key):
                log.info("cache: %s evicted, %d bytes", each.key, each.bytes)
                over -= each.bytes
        if over > 0:
            log.warning("cache %s: %d bytes over its limit of %d; all of the rest is in use", self.root, over, self._limit)

    def kept(self) -> list[Kept]:
        """What is there, whole or in part, in no order."""
        found: dict[str, int] = {}
        for path in self.root.glob("*/*"):
            if path.parent.name != "locks":
                key = f"{path.parent.name}/{path.name.removesuffix('.partial')}"
                found[key] = found.get(key, 0) + _bytes(path)
        return [Kept(key, size, self._used(key)) for key, size in found.items()]

    def _used(self, key: str) -> float:
        with suppress(OSError):
            return self._lock_file(key).stat().st_mtime
        return 0.0

    def _lock_file(self, key: str) -> Path:
        return self.root / "locks" / key.replace("/", "-")

    @contextmanager
    def _locked(self, key: str, how: int, check: Check) -> Iterator[int]:
        """The key's lock, waited for unless LOCK_NB says otherwise. A file that was removed meanwhile is no lock."""
        path = self._lock_file(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _wait(lock, how, check)
                if _is_still(path, lock):
                    yield lock
                    return
            finally:
                os.close(lock)


def _wait(lock: int, how: int, check: Check) -> None:
    while True:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if how & fcntl.LOCK_NB:
                raise
            check()
            time.sleep(TICK)
        else:
            return


def _is_still(path: Path, lock: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(lock).st_ino
    except FileNotFoundError:
        return False


def _take(source: Path, target: Path) -> None:
    _remove(target)
    try:
        source.rename(target)
    except OSError:  # another disk
        shutil.copytree(source, target)


def _sync(path: Path) -> None:
    """Bring what was made to the disk before it gets its name."""
    for each in [path, *path.rglob("*")]:
        opened = os.open(each, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _bytes(path: Path) -> int:
    with suppress(OSError):
        if path.is_dir():
            return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
        return path.stat().st_size
    return 0
