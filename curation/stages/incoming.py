"""Incoming samples: one file's rows, keyed, split, freed of duplicates and copied into the staging table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import IO, NamedTuple

from django.db import connection

from toolcalls.importing import RowError, read_samples, sample_hash, split_of
from toolcalls.records import Sample
from toolcalls.searching import sample_words
from toolcalls.wire import to_json

KEPT_ERRORS = 1000  # the rest is counted only
PROGRESS_ROWS = 500  # rows between two reports of progress
LIMITS = {"id": 255, "category": 40, "language": 16}  # characters
UNNAMED = "\0"  # begins the ids that the reader makes of row numbers; no id of a file can hold it

STAGING = """
DROP TABLE IF EXISTS pg_temp.incoming;
CREATE TEMPORARY TABLE incoming (
    position integer PRIMARY KEY, key text NOT NULL UNIQUE, split text NOT NULL, sha256 text NOT NULL,
    content text NOT NULL, category text NOT NULL, language text NOT NULL, calls smallint, words text[] NOT NULL
) ON COMMIT DROP
"""
COPY = "COPY incoming (position, key, split, sha256, content, category, language, calls, words) FROM STDIN"


class StagedRow(NamedTuple):
    """One row of the staging table. `content` is the sample's JSON without its split and without the closing brace."""

    position: int
    key: str
    split: str
    sha256: str
    content: str
    category: str
    language: str
    calls: int | None
    words: list[str]


@dataclass(slots=True)
class Incoming:
    """Reads one file into the staging table and counts; not in charge of what the data set holds already.

    `split` wins; else a share over 0 splits by hash; else each sample says its own.
    """

    split: str | None
    heldout_share: float
    skip_errors: bool
    on_progress: Callable[[int], None] | None = None
    found_by: tuple[str, ...] = ()  # words that every row gets beside its own
    rows: int = 0  # samples and errors read
    duplicates: int = 0
    skipped: int = 0
    errors: list[RowError] = field(default_factory=list)
    _splits: dict[bytes, str] = field(default_factory=dict)  # content hash → split
    _questions: dict[str, int] = field(default_factory=dict)  # question hash → different samples that ask it
    _line: int = 0

    @property
    def split_by_hash(self) -> bool:
        return self.split is None and self.heldout_share > 0

    def read(self, file: IO[bytes], kind: str) -> None:
        """Stage every usable row. After an error that refuses the file, only look for more errors."""
        with connection.cursor() as cursor:
            cursor.execute(STAGING)
            with cursor.copy(COPY) as copy:
                for row in self._staged_rows(read_samples(self._counted(file), kind, UNNAMED)):
                    if self.skip_errors or not self.errors:
                        copy.write_row(row)
            cursor.execute("ANALYZE incoming")

    def _counted(self, file: Iterable[bytes]) -> Iterator[bytes]:
        for line in file:
            self._line += 1
            yield line

    def _staged_rows(self, found: Iterable[Sample | RowError]) -> Iterator[StagedRow]:
        for each in found:
            self.rows += 1
            staged = each if isinstance(each, RowError) else self._staged(each)
            if isinstance(staged, RowError):
                self.skipped += 1
                self.errors += [staged] if len(self.errors) < KEPT_ERRORS else []
            elif staged is not None:
                yield staged
            if self.on_progress and self.rows % PROGRESS_ROWS == 0:
                self.on_progress(self.rows)

    def _staged(self, sample: Sample) -> StagedRow | RowError | None:
        """The row to store; None for a duplicate."""
        digest = sample_hash(sample)
        split = self.split or (split_of(sample, self.heldout_share) if self.heldout_share else sample.split)
        known = self._splits.get(bytes.fromhex(digest))
        if known is not None and known != split:
            return self._error(sample, f"its copy is in the split {known}, it in {split}; remove one of them")
        if known is not None:
            self.duplicates += 1
            return None
        if long := next((name for name, most in LIMITS.items() if len(getattr(sample, name)) > most), None):
            return self._error(sample, f"its {long} has more than {LIMITS[long]} characters; shorten it")
        self._splits[bytes.fromhex(digest)] = split
        content = to_json(sample)
        content["id"] = key = self._key(sample, content)
        del content["split"]
        calls = None if sample.truth is None else len(sample.truth)
        text = json.dumps(content, ensure_ascii=False)[:-1]
        words = [*self.found_by, *sample_words(replace(sample, id=key))]
        return StagedRow(self.rows, key, split, digest, text, sample.category, sample.language, calls, words)

    def _key(self, sample: Sample, content: dict[str, object]) -> str:
        """The file's own id; else one of what the sample asks, so that a corrected truth is a version of the same sample,
        wherever in the file it stands."""
        if not sample.id.startswith(UNNAMED):
            return sample.id
        question = json.dumps([content[name] for name in ("system", "other", "tools", "messages")], sort_keys=True)
        digest = hashlib.sha256(question.encode()).hexdigest()[:16]
        number = self._questions[digest] = self._questions.get(digest, 0) + 1
        return digest if number == 1 else f"{digest}.{number}"

    def _error(self, sample: Sample, problem: str) -> RowError:
        name = f"row {sample.id[2:]}" if sample.id.startswith(UNNAMED) else f"sample {sample.id[:80]!r}"
        return RowError(self._line, f"{name}: {problem}")
