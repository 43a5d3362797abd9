"""Folders in the store: a manifest, stored as a file itself, names their files; its sha256 is the folder's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from curation.storage.errors import DamagedFile, MissingFile
from curation.storage.store import Check, Store, Stored, go_on, sha256_of

MOST = 4 * 2**20  # bytes of a manifest


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a stored folder."""

    name: str  # below the folder, with /
    sha256: str
    bytes: int

    @property
    def stored(self) -> Stored:
        return Stored(self.sha256, self.bytes)


def put_folder(store: Store, folder: Path, names: Iterable[str], scratch: Path, check: Check = go_on) -> str:
    """Store these files of a folder to which nobody writes any more, then their manifest; its sha256.

    `scratch` is a name that nothing has yet.
    """
    entries = []
    for name in sorted(names):
        check()
        stored = store.put(folder / name, settled=True)
        entries.append(Entry(name, stored.sha256, stored.bytes))
    scratch.write_bytes(_written(entries))
    try:
        return store.put(scratch).sha256
    finally:
        scratch.unlink()


def read_folder(store: Store, sha256: str) -> tuple[Entry, ...]:
    """The files of a stored folder, in order of name. Raises MissingFile, DamagedFile."""
    size = store.size(sha256)
    if size is None:
        raise MissingFile(f"{store.root} has no folder {sha256}; put it back")
    content = store.read(sha256, 0, min(size, MOST))
    try:
        entries = tuple(Entry(**each) for each in json.loads(content)["files"])
        whole = _written(entries) == content and all(_is_plain(entry.name) for entry in entries)
    except (ValueError, TypeError, KeyError):
        whole = False
    if not whole or hashlib.sha256(content).hexdigest() != sha256:
        raise DamagedFile(f"folder {sha256} of {store.root} is damaged: put the published file back")
    return entries


def fetch_folder(store: Store, entries: Iterable[Entry], target: Path, check: Check = go_on) -> None:
    """Bring a stored folder's files to `target`. Files of an earlier try that was cut are gone on with, whole ones kept."""
    for entry in entries:
        path = target / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (path.is_file() and path.stat().st_size == entry.bytes and sha256_of(path, check) == entry.sha256):
            store.fetch(entry.stored, path, check)


def _written(entries: Iterable[Entry]) -> bytes:
    """A manifest has one way to be written, so equal folders have one address."""
    value: dict[str, Any] = {"files": [asdict(entry) for entry in entries]}
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts
