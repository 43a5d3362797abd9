"""Incoming samples: one file's rows, keyed, split, freed of duplicates and written as the database takes them in.

It knows no Django, so that a process that only reads is soon started (reading_child).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import IO, NamedTuple

from toolcalls.importing import ContentText, RowError, content_text, read_samples, split_of
from toolcalls.records import Sample
from toolcalls.schema import check_calls
from toolcalls.searching import sample_text

KEPT_ERRORS = 1000  # the rest is counted only
KEPT_BREACHES = 100
PROGRESS_ROWS = 500  # rows between two reports of progress
BATCH_ROWS = 1000
BATCH_BYTES = 4 * 2**20  # a batch ends with the row that reaches either
LIMITS = {"id": 255, "category": 40, "language": 16}  # characters
UNNAMED = "\0"  # begins the ids that the reader makes of row numbers; no id of a file can hold it


class Batch(NamedTuple):
    """Rows in their order; of each the fields of two tables as binary COPY reads them, every field after its length."""

    samples: list[bytes]  # key, split
    versions: list[bytes]  # sha256, content, category, language, calls
    texts: list[str]  # that they are found by


class Row(NamedTuple):
    """What a batch holds of one row."""

    sample: bytes
    version: bytes
    text: str


@dataclass(slots=True)
class Incoming:
    """Reads one file, counts, and hands on batches; not in charge of what is stored already.

    `split` wins; else a share over 0 splits by hash; else each sample says its own.
    """

    split: str | None
    heldout_share: float
    skip_errors: bool
    on_progress: Callable[[int], None] | None = None
    rows: int = 0  # samples and errors read
    duplicates: int = 0
    skipped: int = 0
    errors: list[RowError] = field(default_factory=list)
    breaking: int = 0  # kept rows whose truth calls tools in a way that these do not allow
    breaches: list[RowError] = field(default_factory=list)  # the first ones
    _splits: dict[bytes, str] = field(default_factory=dict)  # content hash → split
    _questions: dict[str, int] = field(default_factory=dict)  # question hash → different samples that ask it
    _keys: set[str] = field(default_factory=set)
    _line: int = 0

    @property
    def split_by_hash(self) -> bool:
        return self.split is None and self.heldout_share > 0

    def read(self, file: IO[bytes], kind: str, store: Callable[[Batch], None]) -> None:
        """Give `store` every usable row. After an error that refuses the file, only look for more errors."""
        batch: list[Row] = []
        size = 0
        for row in self._rows(read_samples(self._counted(file), kind, UNNAMED)):
            if self.errors and not self.skip_errors:
                batch.clear()
                continue
            batch.append(row)
            size += len(row.version) + len(row.text)
            if len(batch) == BATCH_ROWS or size >= BATCH_BYTES:
                store(_columns(batch))
                batch.clear()
                size = 0
        if batch and (self.skip_errors or not self.errors):
            store(_columns(batch))

    def _counted(self, file: Iterable[bytes]) -> Iterator[bytes]:
        for line in file:
            self._line += 1
            yield line

    def _rows(self, found: Iterable[Sample | RowError]) -> Iterator[Row]:
        for each in found:
            self.rows += 1
            row = each if isinstance(each, RowError) else self._row(each)
            if isinstance(row, RowError):
                self.skipped += 1
                self.errors += [row] if len(self.errors) < KEPT_ERRORS else []
            elif row is not None:
                yield row
            if self.on_progress and self.rows % PROGRESS_ROWS == 0:
                self.on_progress(self.rows)

    def _row(self, sample: Sample) -> Row | RowError | None:
        """The row to store; None for a duplicate."""
        content = content_text(sample)
        written = content.whole
        digest = hashlib.sha256(f"{{{written}}}".encode()).digest()
        split = self.split or (split_of(sample, self.heldout_share) if self.heldout_share else sample.split)
        known = self._splits.get(digest)
        if known is not None and known != split:
            return self._error(sample, f"its copy is in the split {known}, it in {split}; remove one of them")
        if known is not None:
            self.duplicates += 1
            return None
        if long := next((name for name, most in LIMITS.items() if len(getattr(sample, name)) > most), None):
            return self._error(sample, f"its {long} has more than {LIMITS[long]} characters; shorten it")
        key = self._key(sample, content)
        if key in self._keys:
            return self._error(sample, f"its id {key!r} is that of another row; make the ids unique")
        if sample.truth and (problems := check_calls(sample.truth, sample.tools)):
            self.breaking += 1
            self.breaches += [self._error(sample, problems[0])] if len(self.breaches) < KEPT_BREACHES else []
        self._keys.add(key)
        self._splits[digest] = split
        if "\\u" in written:
            written = content_text(sample, ascii_only=False).whole
        content_end = f',"category":{quoted(sample.category)},"language":{quoted(sample.language)},"split":"{split}"}}'
        calls = _NULL if sample.truth is None else _CALLS.pack(2, len(sample.truth))
        return Row(
            _text(key) + _short(split),
            _text(digest.hex())
            + _text(f'{{"id":{quoted(key)},{written}{content_end}')
            + _short(sample.category)
            + _short(sample.language)
            + calls,
            sample_text(sample, key),
        )

    def _key(self, sample: Sample, content: ContentText) -> str:
        """The file's own id; else one of what the sample asks, so that a corrected truth is a version of the same sample,
        wherever in the file it stands."""
        if not sample.id.startswith(UNNAMED):
            return sample.id
        digest = content.question_sha256[:16]
        number = self._questions[digest] = self._questions.get(digest, 0) + 1
        return digest if number == 1 else f"{digest}.{number}"

    def _error(self, sample: Sample, problem: str) -> RowError:
        name = f"row {sample.id[2:]}" if sample.id.startswith(UNNAMED) else f"sample {sample.id[:80]!r}"
        return RowError(self._line, f"{name}: {problem}")


def _columns(rows: list[Row]) -> Batch:
    return Batch(*map(list, zip(*rows, strict=True)))


def _text(text: str) -> bytes:
    """A value as COPY's binary format wants it."""
    value = text.encode()
    return _LENGTH.pack(len(value)) + value


_short = lru_cache(256)(_text)  # of a value that many rows have


_LENGTH = struct.Struct(">i")
_CALLS = struct.Struct(">ih")
_NULL = _LENGTH.pack(-1)
