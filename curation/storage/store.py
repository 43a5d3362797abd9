"""Files by their sha256, in a folder or in a bucket (fsspec), published whole or not at all."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from curation.storage.errors import DamagedFile, MissingFile, StoreError

log = logging.getLogger(__name__)

BLOCK = 8 * 2**20  # bytes of one request
TRIES = 4  # of one block; each is several of fsspec's own
PAUSE = 0.5  # seconds before the second try; doubled before each further one
FRESH = 12 * 3600.0  # seconds for which a stored file is taken as it is; an older one is written anew, so that no sweep takes it
FOLDER = "sha256"
_NAME = re.compile(r"[0-9a-f]{64}")
_BUCKET_OPTIONS = {
    "use_listings_cache": False,
    "config_kwargs": {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 1}},
}

Check = Callable[[], None]  # raises to stop the work


def go_on() -> None:
    """The check of who may always go on."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Found:
    """A file as a listing of the store shows it."""

    sha256: str
    bytes: int
    written: float  # seconds since 1970


class Store:
    """`root` is a folder, or an address such as s3://bucket/prefix; keys and endpoint come from the environment.

    Not in charge of who needs which file.
    """

    def __init__(self, root: str, *, block: int = BLOCK, pause: float = PAUSE) -> None:
        self.root, self._block, self._pause = root, block, pause
        self.folder = None if is_address(root) else Path(root)
        self._faults: tuple[type[BaseException], ...] = (OSError,) if self.folder is not None else _bucket_faults()

    @property
    def _fs(self) -> Any:
        """fsspec keeps one of a kind per thread."""
        protocol = self.root.partition("://")[0] if self.folder is None else "file"
        return fsspec.filesystem(protocol, **(_BUCKET_OPTIONS if self.folder is None else {}))

    def _place(self, sha256: str) -> str:
        if not _NAME.fullmatch(sha256):
            raise StoreError(f"{sha256[:80]!r} is no sha256")
        return f"{self.root.rstrip('/')}/{FOLDER}/{sha256[:2]}/{sha256}"

    def put(self, path: Path, *, settled: bool = False) -> Stored:
        """Store a file's content. Once is enough: what is there already is left, or written anew when it is old.

        `settled`: nobody will write to that file any more, so a folder may have it under a second name instead of a copy.
        """
        with self._speaking(f"store {path.name}"):
            stored = Stored(sha256_of(path), path.stat().st_size)
            if not self._is_fresh(stored):
                self._write(path, self._place(stored.sha256), settled)
        return stored

    def _is_fresh(self, stored: Stored) -> bool:
        try:
            found = self._fs.info(self._place(stored.sha256))
        except FileNotFoundError:
            return False
        return bool(found["size"] == stored.bytes and time.time() - _written(found) < FRESH)

    def _write(self, path: Path, place: str, settled: bool) -> None:
        if self.folder is None:
            self._fs.put_file(str(path), place)  # an object appears when all of it has arrived
            return
        final = Path(place)
        draft = final.with_name(f".{final.name}.{secrets.token_hex(4)}.partial")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(path, draft) if settled else copy(path, draft)
            os.utime(draft)
            draft.chmod(0o444)
            draft.replace(final)
        finally:
            draft.unlink(missing_ok=True)

    def size(self, sha256: str) -> int | None:
        """Bytes of a stored file, None when it is not there."""
        with self._speaking(f"look for {sha256}"):
            try:
                return int(self._fs.info(self._place(sha256))["size"])
            except FileNotFoundError:
                return None

    def read(self, sha256: str, start: int, end: int) -> bytes:
        """Bytes start to end of a stored file, tried again when the connection breaks. Raises MissingFile, StoreError."""
        pause = self._pause
        for attempt in range(1, TRIES + 1):
            try:
                return bytes(self._fs.cat_file(self._place(sha256), start=start, end=end))
            except FileNotFoundError as error:
                raise MissingFile(f"{self.root} has no file {sha256}; put it back, or retry what made it") from error
            except self._faults as error:
                if attempt == TRIES or isinstance(error, PermissionError):
                    raise self._refused(f"read {sha256}", error) from error
                log.warning("%s: bytes %d to %d of %s: %s; tried again", self.root, start, end, sha256, _words(error))
            time.sleep(pause)
            pause *= 2
        raise AssertionError

    def blocks(self, stored: Stored) -> Generator[bytes]:
        """A stored file in blocks. Whoever uses them checks their sha256."""
        for start in range(0, stored.bytes, self._block):
            yield self.read(stored.sha256, start, min(start + self._block, stored.bytes))

    def fetch(self, stored: Stored, target: Path, check: Check = go_on) -> None:
        """Bring a stored file to `target`, going on where an earlier try was cut. Raises StoreError.

        Raises DamagedFile, with nothing left at `target`, when what arrived has another sha256.
        """
        if self.folder is not None and not target.exists():
            self._link(stored, target)
        else:
            self._append(stored, target, check)
        if target.stat().st_size != stored.bytes or sha256_of(target, check) != stored.sha256:
            target.unlink()
            raise DamagedFile(
                f"file {stored.sha256} of {self.root} arrived with other bytes, which were thrown away; "
                "when that happens again, the store's copy is damaged: put the published file back"
            )

    def _link(self, stored: Stored, target: Path) -> None:
        with self._speaking(f"read {stored.sha256}"):
            try:
                link_or_copy(Path(self._place(stored.sha256)), target)
            except FileNotFoundError as error:
                raise MissingFile(f"{self.root} has no file {stored.sha256}; put it back, or retry what made it") from error

    def _append(self, stored: Stored, target: Path, check: Check) -> None:
        with target.open("ab") as file:
            while (start := file.tell()) < stored.bytes:
                check()
                block = self.read(stored.sha256, start, min(start + self._block, stored.bytes))
                if not block:
                    break
                file.write(block)
                file.flush()
            os.fsync(file.fileno())

    def delete(self, sha256: str) -> None:
        """Remove a stored file; one that is gone is no failure."""
        with self._speaking(f"delete {sha256}"), suppress(FileNotFoundError):
            self._fs.rm_file(self._place(sha256))

    def listed(self) -> Iterator[Found]:
        """All stored files, in no order."""
        with self._speaking("list its files"):
            try:
                found = self._fs.find(f"{self.root.rstrip('/')}/{FOLDER}", detail=True)
            except FileNotFoundError:
                return
        for place, about in found.items():
            name = place.rpartition("/")[2]
            if _NAME.fullmatch(name):
                yield Found(name, int(about["size"]), _written(about))

    def _speaking(self, doing: str) -> _Speaking:
        return _Speaking(self, doing)

    def _refused(self, doing: str, error: BaseException) -> StoreError:
        return StoreError(f"{self.root} could not {doing}: {_words(error)}; see docs/operations.md, Artifacts")


class _Speaking:
    """What fsspec raises inside, as a StoreError with our words; FileNotFoundError is the block's to catch."""

    def __init__(self, store: Store, doing: str) -> None:
        self._store, self._doing = store, doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, self._store._faults):
            raise self._store._refused(self._doing, error) from error


def is_address(root: str) -> bool:
    return "://" in root


def sha256_of(path: Path, check: Check = go_on) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            check()
            digest.update(block)
    return digest.hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """One file under two names where the disk can do that, else a copy that has reached the disk."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        copy(source, target)


def copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _bucket_faults() -> tuple[type[BaseException], ...]:
    """What a bucket's library raises; it takes half a second to load, and is where a bucket is used."""
    from aiohttp import ClientError
    from botocore.exceptions import BotoCoreError
    from botocore.exceptions import ClientError as Refusal

    return (OSError, ClientError, BotoCoreError, Refusal)


def _words(error: BaseException) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return said[:300]


def _written(found: dict[str, Any]) -> float:
    """Of fsspec's description of a file: seconds since 1970."""
    return float(found["mtime"]) if "mtime" in found else float(found["LastModified"].timestamp())
