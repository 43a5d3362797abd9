"""Which tokens of a training row are trained: read from what the trainer wrote beside the adapter, one row at a time."""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from curation.models import Iteration, TrainingRow
from curation.stages import artifacts
from curation.storage.errors import StoreError

log = logging.getLogger(__name__)

BLOCK = 2**16  # bytes; a row of some thousand tokens takes one or two
Read = Callable[[str, int, int], bytes]  # of a file's name: where to begin, and how many bytes at most
ROWS, INDEX = "rows.jsonl", "rows.index"
INDEX_ENTRY = struct.Struct("<q")  # per row of the training set: where its line begins, negative where it was left out


class Piece(NamedTuple):
    """One token's text, and whether loss falls on it. Joined they are the row as the model saw it."""

    text: str
    trained: bool


def mask_of(iteration: Iteration, version_id: int, kind: str) -> tuple[Piece, ...] | None:
    """The tokens of a row, kind "direct" or "refine". None when it is not in the training set, was left out as too long, or
    has not been trained on yet."""
    fields = ("position", "training_set__tokens_uri", "version__sample__key")
    listed = TrainingRow.objects.filter(training_set__iteration=iteration, version=version_id, kind=kind)
    row = listed.values_list(*fields).first()
    if row is None or not row[1]:
        return None
    position, uri, key = row
    try:
        line = line_at(_stored(uri), position) if artifacts.is_stored(uri) else row_at(artifacts.path_of(uri), position)
    except (OSError, ValueError, KeyError, struct.error, StoreError) as error:
        log.warning("no mask of row %d in %s: %s", position, uri, error)
        return None
    if line is None or (line["sample_id"], line["kind"]) != (key, kind):
        return None
    return pieces_of(line)


def row_at(rows: Path, position: int) -> dict[str, Any] | None:
    """The line of row `position` of a training set, None where it was left out; reads no other. Raises OSError, ValueError
    and struct.error when the files are not there or not whole."""

    def read(name: str, start: int, length: int) -> bytes:
        with rows.with_name(name).open("rb") as file:
            file.seek(start)
            return file.read(length)

    return line_at(read, position)


def line_at(read: Read, position: int) -> dict[str, Any] | None:
    """As row_at, of files that are read in parts: first where the line begins, then blocks until it ends."""
    (place,) = INDEX_ENTRY.unpack(read(INDEX, position * INDEX_ENTRY.size, INDEX_ENTRY.size))
    if place < 0:
        return None
    found = b""
    while b"\n" not in found and (block := read(ROWS, place + len(found), BLOCK)):
        found += block
    line: dict[str, Any] = json.loads(found.partition(b"\n")[0])
    return line


def _stored(uri: str) -> Read:
    store, files = artifacts.store(), {entry.name: entry for entry in artifacts.files_of(uri)}

    def read(name: str, start: int, length: int) -> bytes:
        file = files[name]
        return store.read(file.sha256, start, min(start + length, file.bytes)) if start < file.bytes else b""

    return read


def pieces_of(line: dict[str, Any]) -> tuple[Piece, ...]:
    start, end = line["label_span"]
    return tuple(Piece(text, start <= number < end) for number, text in enumerate(line["pieces"]))
