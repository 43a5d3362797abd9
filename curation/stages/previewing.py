"""Previewing: what the beginning of an uploaded file holds, read as an import would read it."""

from __future__ import annotations

import io
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from curation.models import Upload
from curation.stages import uploaded_files
from curation.stages.errors import InputError
from toolcalls.formats import recognised
from toolcalls.importing import RowError, read_samples
from toolcalls.records import Sample
from toolcalls.rows import read_rows
from toolcalls.schema import check_calls

HEAD = 4 * 2**20  # bytes of a file that are looked at
MOST_SAMPLES = 2000  # that are counted
SHOWN_SAMPLES = 5
SHOWN_ERRORS = 20
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Breach:
    """What of a sample's truth its tools do not allow. No error: real data holds such truths, and people decide on them."""

    sample: str
    message: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Counts are those of what was read: the whole file, or its beginning."""

    whole: bool
    found: int  # samples and errors
    usable: int  # samples
    formats: Mapping[str, int]  # rows by format; of the first hundred
    samples: tuple[Sample, ...]  # the first ones
    errors: tuple[RowError, ...]  # the first ones
    skipped: int
    splits: Mapping[str, int]
    categories: Mapping[str, int]
    languages: Mapping[str, int]
    calls: int  # samples whose truth calls tools
    no_calls: int
    breaking: int  # samples whose truth calls tools in a way that these do not allow
    breaches: tuple[Breach, ...]  # the first ones


@dataclass(slots=True)
class _Counts:
    samples: list[Sample] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    found: int = 0
    skipped: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    breaking: int = 0
    breaches: list[Breach] = field(default_factory=list)

    def add(self, each: Sample | RowError) -> None:
        self.found += 1
        if isinstance(each, RowError):
            self.skipped += 1
            self.errors += [each] if len(self.errors) < SHOWN_ERRORS else []
            return
        self.samples += [each] if len(self.samples) < SHOWN_SAMPLES else []
        self.splits[each.split] += 1
        self.categories[each.category] += 1
        self.languages[each.language] += 1
        self.calls += each.truth is not None
        if problems := check_calls(each.truth or (), each.tools):
            self.breaking += 1
            self.breaches += [Breach(each.id, problems[0])] if len(self.breaches) < SHOWN_ERRORS else []


def preview(upload: Upload, format: str = "auto") -> Preview:  # noqa: A002
    """Read the first HEAD bytes, MOST_SAMPLES at most. Raises InputError when the file is gone and for an unknown format."""
    with uploaded_files.opened(upload) as file:
        head = file.read(HEAD + 1)
    cut = len(head) > HEAD
    if cut:
        head = head[: head.rfind(b"\n", 0, HEAD) + 1] or head[:HEAD]
    counts = _Counts()
    found = _less_the_cut(read_samples(io.BytesIO(head), format, "row")) if cut else read_samples(io.BytesIO(head), format, "row")
    for each in itertools.islice(found, MOST_SAMPLES):
        counts.add(each)
    return Preview(
        whole=not cut and next(found, None) is None,
        found=counts.found,
        usable=counts.found - counts.skipped,
        formats=dict(_formats(head)),
        samples=tuple(counts.samples),
        errors=tuple(counts.errors),
        skipped=counts.skipped,
        splits=dict(counts.splits),
        categories=dict(counts.categories),
        languages=dict(counts.languages),
        calls=counts.calls,
        no_calls=counts.found - counts.skipped - counts.calls,
        breaking=counts.breaking,
        breaches=tuple(counts.breaches),
    )


def _less_the_cut(found: Iterator[Sample | RowError]) -> Iterator[Sample | RowError]:
    """Without an error at the very end: that is where the file was cut, in the midst of an array."""
    before: Sample | RowError | None = None
    for each in found:
        if before is not None:
            yield before
        before = each
    if isinstance(before, Sample):
        yield before


def _formats(head: bytes) -> Counter[str]:
    formats: Counter[str] = Counter()
    for row in itertools.islice(read_rows(io.BytesIO(head)), 100):
        if isinstance(row.value, dict):
            try:
                formats[recognised(row.value)] += 1
            except InputError:
                formats[UNKNOWN] += 1
    return formats
