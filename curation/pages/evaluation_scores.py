"""An evaluation category by category: direct beside adaptive, what refining fixed and broke, and whether that is a gain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse

from curation.models import Evaluation
from curation.pages.average_names import average_label
from curation.pages.diverging import Diverging, diverging
from curation.pages.pool_page import with_query
from curation.pages.score_table import Scored
from curation.stages.evaluation_items import ItemFilter, item_query
from curation.stages.evaluations_compared import contrast_of_categories, direct_and_adaptive
from toolcalls.average_intervals import average_interval
from toolcalls.contrasts import Difference
from toolcalls.evaluation import Accuracy
from toolcalls.official.averages import averaged, weights_of
from toolcalls.statistics import Paired

ALIKE = "All items alike"


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A category, or an average of several: `average`. `fixed`, `broken`: addresses of these items; "" for an average."""

    name: str
    average: bool
    beside: bool  # a category that takes no part in any average
    direct: Scored
    adaptive: Scored
    change: Difference
    bars: Diverging | None  # of a category
    fixed: str
    broken: str

    @property
    def notable(self) -> bool:
        return self.change.verdict in ("gain", "loss")


@dataclass(frozen=True, slots=True)
class Scores:
    rows: tuple[ScoreRow, ...]

    @property
    def overall(self) -> ScoreRow | None:
        """The row of all that counts."""
        return self.rows[0] if self.rows else None


def scores(evaluation: Evaluation, benchmark: str) -> Scores:
    """Averages first, overall before the others; then the categories by name, those beside the averages last."""
    counts = direct_and_adaptive(evaluation)
    contrast, weights = contrast_of_categories(benchmark, counts), weights_of(benchmark, _totals(counts))
    taking_part = averaged(benchmark, counts)
    bars = diverging((name, each.only_second, each.only_first) for name, each in counts.items())
    order = sorted(counts, key=lambda name: (name not in taking_part, name.startswith("live"), name))
    rows = [_category(evaluation, name, contrast.categories[name], bars[name], name not in taking_part) for name in order]
    if len(rows) == 1:
        return Scores(tuple(rows))
    averages = [_average(average_label(name), contrast.averages[name], weights[name], counts) for name in by_weight(weights)]
    return Scores((*(averages if "overall" in weights else [*_together(counts, taking_part), *averages]), *rows))


def _totals(counts: Mapping[str, Paired]) -> dict[str, int]:
    return {name: each.total for name, each in counts.items()}


def _together(counts: Mapping[str, Paired], taking_part: Iterable[str]) -> list[ScoreRow]:
    if not counts:
        return []
    parts, change = items_alike(counts, taking_part)
    return [_average(ALIKE, change, weights_of("", _totals(parts))["overall"], parts)]


def items_alike(counts: Mapping[str, Paired], taking_part: Iterable[str]) -> tuple[Mapping[str, Paired], Difference]:
    """The categories that count, and what differs in all their items: where a part of the benchmark was evaluated and the paper's
    average cannot be had."""
    parts = {name: counts[name] for name in taking_part} or counts
    return parts, contrast_of_categories("", parts).averages["overall"]


def by_weight(averages: Iterable[str]) -> list[str]:
    """Names of averages, overall first."""
    known = ("overall", "non_live", "live", "simple")
    return sorted(averages, key=lambda name: known.index(name) if name in known else len(known))


def _average(name: str, change: Difference, weights: Mapping[str, float], counts: Mapping[str, Paired]) -> ScoreRow:
    parts = {category: counts[category] for category in weights}
    direct, adaptive = (average(parts, weights, second) for second in (False, True))
    return ScoreRow(name, True, False, direct, adaptive, change, None, "", "")


def average(counts: Mapping[str, Paired], weights: Mapping[str, float], second: bool) -> Scored:
    """Of the first outcome of each pair, or of the second."""
    parts = {name: right_of(each, second) for name, each in counts.items()}
    value = sum(weight * parts[name].value for name, weight in weights.items())
    return Scored(value, average_interval(weights, parts))


def right_of(counts: Paired, second: bool) -> Accuracy:
    return Accuracy(counts.both + (counts.only_second if second else counts.only_first), counts.total)


def _category(evaluation: Evaluation, name: str, change: Difference, bars: Diverging, beside: bool) -> ScoreRow:
    url = reverse("evaluation_items", args=[evaluation.pk])
    links = (with_query(url, item_query(ItemFilter(change=kind, category=name))) for kind in ("fixed", "broken"))
    direct, adaptive = (right_of(change.counts, second) for second in (False, True))
    return ScoreRow(
        name or "no category", False, beside, Scored(direct.value, direct.interval()),
        Scored(adaptive.value, adaptive.interval()), change, bars, *links,
    )  # fmt: skip
