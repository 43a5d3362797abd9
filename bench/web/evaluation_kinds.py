"""What is asked of the pages of evaluations, kind by kind, with the goals that the pool and its samples have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from bench.web.kinds import DEEP, LIST, SAMPLE, SEARCHES, Kind, kind

PAGE = 100.0  # ms, p95
STRATEGIES = ("adaptive", "direct", "vanilla", "self_consistency")
FILTERS: tuple[dict[str, str], ...] = (
    {"category": "live_multiple", "direct": "wrong"},
    {"category": "simple_python", "change": "fixed"},
    {"category": "live_simple", "self_consistency": "right", "left": "param_mismatch"},
    {"error": "wrong_tool"},
    {"turns": "2", "vanilla": "wrong"},
)


def evaluation_kinds(evaluations: Sequence[Any]) -> list[Kind]:
    """Of two evaluations on one benchmark."""
    places = [f"/evaluations/{one.pk}/" for one in evaluations]
    project = evaluations[0].iteration.run.project
    benchmarks = f"/p/{project.team.slug}/{project.slug}/benchmarks/"
    return [
        kind("evaluation: benchmarks", PAGE, [benchmarks]),
        kind("evaluation", PAGE, places),
        *_items(evaluations[0], places[0]),
        *_compared(evaluations),
    ]


def _items(evaluation: Any, place: str) -> Iterator[Kind]:
    from curation.stages.evaluation_items import ItemFilter, item_page_of

    total = evaluation.total
    page = item_page_of(evaluation, ItemFilter(), limit=int(DEEP * total))
    yield kind("evaluation, items", LIST, [f"{place}items/"])
    yield kind("evaluation, items far down", LIST, [f"{place}items/?after={page.next}"])
    yield kind("evaluation, items filtered", LIST, [f"{place}items/?{urlencode(f)}" for f in FILTERS])
    for name in ("common", "two words", "beginning", "nothing found"):
        yield kind(f"evaluation, items search: {name}", LIST, [f"{place}items/?{urlencode({'q': q})}" for q in SEARCHES[name]])
    both = [f"{place}items/?{urlencode({**f, 'q': 'help '})}" for f in FILTERS]
    yield kind("evaluation, items filtered and searched", LIST, both)
    one = [f"{place}items/{item.version.sample_id}/" for item in page.rows[:: max(1, len(page.rows) // 100)]]
    yield kind("evaluation, item", SAMPLE, one)
    yield kind("evaluation, item, panel", SAMPLE, one, htmx="panel")
    filtered = [f"{address}?{urlencode({'direct': 'wrong', 'category': 'live_multiple'})}" for address in one]
    yield kind("evaluation, item, panel, filtered", SAMPLE, filtered, htmx="panel")


def _compared(evaluations: Sequence[Any]) -> Iterator[Kind]:
    address = f"/evaluations/compare/?{urlencode({'evaluation': [one.pk for one in evaluations]}, doseq=True)}"
    yield kind("evaluation, compared", PAGE, [address])
    yield kind("evaluation, compared by strategy", PAGE, [f"{address}&strategy={name}" for name in STRATEGIES])
    filtered = [f"{address}&{urlencode({'which': which, 'category': 'live_multiple'})}" for which in ("first", "second")]
    yield kind("evaluation, compared, filtered", PAGE, filtered)
