"""Incoming samples: one file's rows, keyed, split, freed of duplicates and written as lines for the staging table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from toolcalls.importing import ContentText, RowError, content_text, read_samples, split_of
from toolcalls.records import Sample
from toolcalls.searching import sample_words

KEPT_ERRORS = 1000  # the rest is counted only
PROGRESS_ROWS = 500  # rows between two reports of progress
BATCH_ROWS = 1000
BATCH_CHARACTERS = 4 * 2**20  # a batch ends with the row that reaches either
LIMITS = {"id": 255, "category": 40, "language": 16}  # characters
UNNAMED = "\0"  # begins the ids that the reader makes of row numbers; no id of a file can hold it
COLUMNS = "position, key, split, sha256, content, category, language, calls, words"


@dataclass(slots=True)
class Incoming:
    """Reads one file, counts, and hands on lines of COLUMNS; not in charge of what the data set holds already.

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
    _keys: set[str] = field(default_factory=set)
    _line: int = 0

    @property
    def split_by_hash(self) -> bool:
        return self.split is None and self.heldout_share > 0

    def read(self, file: IO[bytes], kind: str, store: Callable[[bytes], None]) -> None:
        """Give `store` every usable row, in batches. After an error that refuses the file, only look for more errors."""
        batch: list[str] = []
        characters = 0
        for line in self._lines(read_samples(self._counted(file), kind, UNNAMED)):
            if self.errors and not self.skip_errors:
                batch.clear()
                continue
            batch.append(line)
            characters += len(line)
            if len(batch) == BATCH_ROWS or characters >= BATCH_CHARACTERS:
                store("".join(batch).encode())
                batch.clear()
                characters = 0
        if batch and (self.skip_errors or not self.errors):
            store("".join(batch).encode())

    def _counted(self, file: Iterable[bytes]) -> Iterator[bytes]:
        for line in file:
            self._line += 1
            yield line

    def _lines(self, found: Iterable[Sample | RowError]) -> Iterator[str]:
        for each in found:
            self.rows += 1
            line = each if isinstance(each, RowError) else self._staged(each)
            if isinstance(line, RowError):
                self.skipped += 1
                self.errors += [line] if len(self.errors) < KEPT_ERRORS else []
            elif line is not None:
                yield line
            if self.on_progress and self.rows % PROGRESS_ROWS == 0:
                self.on_progress(self.rows)

    def _staged(self, sample: Sample) -> str | RowError | None:
        """The row to store, as COPY reads it; None for a duplicate."""
        content = content_text(sample)
        sha256 = content.sha256
        split = self.split or (split_of(sample, self.heldout_share) if self.heldout_share else sample.split)
        known = self._splits.get(bytes.fromhex(sha256))
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
        self._keys.add(key)
        self._splits[bytes.fromhex(sha256)] = split
        written = content.whole
        if "\\u" in written:
            written = content_text(sample, ascii_only=False).whole
        words = sample_words(sample, key)
        words.update(self.found_by)
        return _line(sample, (str(self.rows), key, split, sha256), written, words)

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


def _line(sample: Sample, first: tuple[str, str, str, str], content: str, words: set[str]) -> str:
    """One line for COPY, `first` its first four values. The content is the sample's JSON without its split and the end."""
    position, key, split, sha256 = first
    category, language = _text(sample.category), _text(sample.language)
    wire = f'{{"id":{_text(key)},{content},"category":{category},"language":{language}'.replace("\\", "\\\\")
    calls = "\\N" if sample.truth is None else len(sample.truth)
    vector = "'" + "' '".join(words) + "'"
    key, category, language = map(_escaped, (key, sample.category, sample.language))
    return f"{position}\t{key}\t{split}\t{sha256}\t{wire}\t{category}\t{language}\t{calls}\t{vector}\n"


_text = json.JSONEncoder(ensure_ascii=False).encode


def _escaped(text: str) -> str:
    """A value as COPY's text format wants it."""
    if text.isalnum():
        return text
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
