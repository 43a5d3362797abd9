"""Published outputs scored as the benchmark's own program does: what is right by category, and the paper's averages."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from toolcalls.benchmarks.catalogue import Benchmark, open_benchmark
from toolcalls.benchmarks.files import ChangedFiles
from toolcalls.benchmarks.items import Item
from toolcalls.benchmarks.outputs import Given, Outputs, missing_by_category, outputs_json, read_published
from toolcalls.errors import InputError
from toolcalls.records import Generation
from toolcalls.report_json import report_json
from toolcalls.reports import Report, report
from toolcalls.strategies import Traced, unanswered
from toolcalls.tracing import traced_item

Missing = Literal["refuse", "wrong", "leave_out"]


class Judged(NamedTuple):
    """Traces with their verdicts. n: their refine turns. left_out: by category, items that have no answer and do not count."""

    traced: tuple[Traced, ...]
    n: int
    left_out: dict[str, int]


class Scores(NamedTuple):
    """What published outputs score, with what it rests on."""

    benchmark: Benchmark
    outputs: Outputs
    report: Report


def score_files(
    name: str,
    folder: Path,
    published: Path,
    *,
    categories: Sequence[str] | None = None,
    changed_files: ChangedFiles = "refuse",
    mode: str | None = None,
    missing: Missing = "refuse",
) -> Scores:
    """From files to scores: see `open_benchmark`, `read_published` and `judge_outputs`, which raise InputError."""
    with _nothing_collected():
        benchmark = open_benchmark(name, folder, categories=categories, changed_files=changed_files)
        outputs = read_published(published, benchmark.items, mode)
        return Scores(benchmark, outputs, score_outputs(benchmark, outputs, missing))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Garbage waits: nothing is any before the end, and to look for it takes a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def score_outputs(benchmark: Benchmark, outputs: Outputs, missing: Missing = "refuse") -> Report:
    """Judge every item's answers, and report on them; see `judge_outputs`."""
    judged = judge_outputs(benchmark, outputs, missing)
    return report(benchmark.name, judged.traced, judged.n, left_out=judged.left_out)


def judge_outputs(benchmark: Benchmark, outputs: Outputs, missing: Missing = "refuse") -> Judged:
    """Judge every item's answers.

    missing: what becomes of items without an answer: an error, wrong answers, or items that do not count; the report tells how
    many there are by category whatever becomes of them. Raises InputError for missing outputs that are refused, and for traces of
    different lengths.
    """
    if missing not in get_args(Missing):
        raise InputError(f"missing outputs {missing!r}: there are {', '.join(get_args(Missing))}")
    lacking = missing_by_category(benchmark.items, outputs)
    if lacking and missing == "refuse":
        raise InputError(_lacking(benchmark, lacking))
    turns = {len(given.answers) for given in outputs.given.values()}
    if len(turns) > 1:
        raise InputError(f"traces of {min(turns)} to {max(turns)} answers; score those of one length together")
    n = next(iter(turns), 1) - 1
    found = tuple(_all_traced(benchmark, outputs, n, count_missing=missing == "wrong"))
    return Judged(found, n, lacking if missing == "leave_out" else {})


def scores_json(benchmark: Benchmark, outputs: Outputs, found: Report) -> dict[str, Any]:
    """A report with what it rests on."""
    return {
        **report_json(found),
        "digest": benchmark.digest,
        "changed_files": list(benchmark.changed_files),
        "outputs": outputs_json(outputs),
    }


def traced(item: Item, given: Given, mode: str = "prompt") -> Traced:
    """Judge each answer of one item. Tokens are not told by outputs, and 0."""
    said = [Generation(0, 0, text, ending, 0, 0, "") for text, ending in zip(given.answers, given.endings, strict=True)]
    return traced_item(item, said, len(said) - 1, mode)


def _all_traced(benchmark: Benchmark, outputs: Outputs, n: int, *, count_missing: bool) -> Iterator[Traced]:
    for item in benchmark.items:
        if item.id in outputs.given:
            yield traced(item, outputs.given[item.id], outputs.mode)
        elif count_missing:
            yield unanswered(item.id, item.category, n)


def _lacking(benchmark: Benchmark, lacking: Mapping[str, int]) -> str:
    totals: dict[str, int] = {}
    for item in benchmark.items:
        totals[item.category] = totals.get(item.category, 0) + 1
    told = ", ".join(f"{category} {count} of {totals[category]}" for category, count in lacking.items())
    return (
        f"outputs are missing: {told}; complete them, choose categories without them, "
        "or say what becomes of them: missing 'wrong' counts them as wrong, 'leave_out' counts the others alone"
    )
