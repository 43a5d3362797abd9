"""How samples fared from iteration to iteration of their run: a small column per iteration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from curation.models import Iteration, Verdict
from curation.pages.verdict_words import score, tone_of
from curation.stages.facets import label_of

HEIGHT = 16  # of a column, in drawing units
STEP = 7  # from one column to the next


class Fared(NamedTuple):
    """A turn's verdict in one iteration, by its number."""

    number: int
    hits: int
    attempts: int
    outcome: str
    censored: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One iteration; `drawing` is its part of the strip's SVG."""

    score: str
    current: bool
    title: str
    drawing: SafeString


@dataclass(frozen=True, slots=True)
class Strip:
    """`drawing` is an SVG, made here and not in a template: a list has thirty, and few of their columns are different."""

    columns: tuple[Column, ...]
    drawing: SafeString


def strips(iteration: Iteration, turn: int, samples: Collection[int]) -> dict[int, Strip]:
    """Sample → its strip over the iterations so far, in one query."""
    rows = Verdict.objects.filter(iteration__run=iteration.run_id, sample__in=samples, turn=turn)
    columns = ("sample_id", "iteration__number", "approximate_hits", "attempts", "outcome", "censored")
    found: dict[int, list[Fared]] = defaultdict(list)
    for sample, *rest in rows.order_by("iteration__number").values_list(*columns):
        found[sample].append(Fared(*rest))
    return {sample: strip(each, iteration.number) for sample, each in found.items()}


def strip(rows: list[Fared], current: int) -> Strip:
    """`rows` in order of iteration."""
    columns = tuple(_column(place, row, row.number == current) for place, row in enumerate(rows))
    words = ", ".join(column.title for column in columns)
    inner = SafeString("".join(column.drawing for column in columns))
    return Strip(columns, format_html(SVG, width=max(1, len(columns)) * STEP - 1, height=HEIGHT, words=words, inner=inner))


SVG = """<svg class="columns-svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" \
aria-label="{words}">{inner}</svg>"""
COLUMN = """<g class="{look}"><title>{title}</title><rect class="whole" x="{x}" y="0" width="6" height="{whole}" />\
<rect class="part" x="{x}" y="{y}" width="6" height="{part}" /></g>"""


@lru_cache(maxsize=4096)
def _column(place: int, fared: Fared, current: bool) -> Column:
    height = max(2.0, round(HEIGHT * fared.hits / fared.attempts, 1) if fared.attempts else 2.0)
    told = score(fared.hits, fared.attempts, fared.censored)
    stopped = " (stopped at the first hit)" if fared.censored else ""
    title = f"iteration {fared.number}: {told}{stopped}, {label_of('outcome', fared.outcome)}"
    look = f"{tone_of(fared.outcome)} now" if current else tone_of(fared.outcome)
    drawing = format_html(COLUMN, look=look, title=title, x=place * STEP, whole=HEIGHT, y=HEIGHT - height, part=height)
    return Column(told, current, title, drawing)
