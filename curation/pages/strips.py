"""How samples fared from iteration to iteration of their run: a small column per iteration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from curation.models import Iteration, Verdict
from curation.pages.verdict_words import tone_of
from curation.stages.facets import label_of

HEIGHT = 16  # of a column, in drawing units
STEP = 7  # from one column to the next


@dataclass(frozen=True, slots=True)
class Column:
    """One iteration; `x`, `y` and `height` are drawing units."""

    number: int
    hits: int
    attempts: int
    tone: str
    current: bool
    x: int
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Strip:
    columns: tuple[Column, ...]
    width: int
    height: int
    words: str


def strips(iteration: Iteration, turn: int, samples: Collection[int]) -> dict[int, Strip]:
    """Sample → its strip over the iterations so far, in one query."""
    rows = Verdict.objects.filter(iteration__run=iteration.run_id, sample__in=samples, turn=turn)
    columns = ("sample_id", "iteration__number", "approximate_hits", "attempts", "outcome")
    found: dict[int, list[tuple[int, int, int, str]]] = defaultdict(list)
    for sample, *rest in rows.order_by("iteration__number").values_list(*columns):
        found[sample].append((rest[0], rest[1], rest[2], rest[3]))
    return {sample: strip(each, iteration.number) for sample, each in found.items()}


def strip(rows: list[tuple[int, int, int, str]], current: int) -> Strip:
    """`rows`: (iteration's number, hits, attempts, outcome) in order."""
    columns = tuple(_column(place, row, current) for place, row in enumerate(rows))
    words = ", ".join(column.title for column in columns)
    return Strip(columns, max(1, len(columns)) * STEP - 1, HEIGHT, words)


def _column(place: int, row: tuple[int, int, int, str], current: int) -> Column:
    number, hits, attempts, outcome = row
    height = max(2.0, round(HEIGHT * hits / attempts, 1) if attempts else 2.0)
    title = f"iteration {number}: {hits} of {attempts}, {label_of('outcome', outcome)}"
    return Column(number, hits, attempts, tone_of(outcome), number == current, place * STEP, HEIGHT - height, height, title)
