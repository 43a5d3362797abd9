"""How samples fared from iteration to iteration of their run: a small column per iteration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString

from curation.models import Iteration, Verdict
from curation.pages.verdict_words import tone_of
from curation.stages.facets import label_of

HEIGHT = 16  # of a column, in drawing units
STEP = 7  # from one column to the next


@dataclass(frozen=True, slots=True)
class Column:
    """One iteration; `drawing` is its part of the strip's SVG."""

    hits: int
    attempts: int
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
    columns = ("sample_id", "iteration__number", "approximate_hits", "attempts", "outcome")
    found: dict[int, list[tuple[int, int, int, str]]] = defaultdict(list)
    for sample, *rest in rows.order_by("iteration__number").values_list(*columns):
        found[sample].append((rest[0], rest[1], rest[2], rest[3]))
    return {sample: strip(each, iteration.number) for sample, each in found.items()}


def strip(rows: list[tuple[int, int, int, str]], current: int) -> Strip:
    """`rows`: (iteration's number, hits, attempts, outcome) in order."""
    columns = tuple(_column(place, *row, row[0] == current) for place, row in enumerate(rows))
    words = ", ".join(column.title for column in columns)
    inner = SafeString("".join(column.drawing for column in columns))
    return Strip(columns, format_html(SVG, width=max(1, len(columns)) * STEP - 1, height=HEIGHT, words=words, inner=inner))


SVG = """<svg class="columns-svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" \
aria-label="{words}">{inner}</svg>"""
COLUMN = """<g class="{look}"><title>{title}</title><rect class="whole" x="{x}" y="0" width="6" height="{whole}" />\
<rect class="part" x="{x}" y="{y}" width="6" height="{part}" /></g>"""


@lru_cache(maxsize=4096)
def _column(place: int, number: int, hits: int, attempts: int, outcome: str, current: bool) -> Column:
    height = max(2.0, round(HEIGHT * hits / attempts, 1) if attempts else 2.0)
    title = f"iteration {number}: {hits} of {attempts}, {label_of('outcome', outcome)}"
    look = f"{tone_of(outcome)} now" if current else tone_of(outcome)
    drawing = format_html(COLUMN, look=look, title=title, x=place * STEP, whole=HEIGHT, y=HEIGHT - height, part=height)
    return Column(hits, attempts, current, title, drawing)
