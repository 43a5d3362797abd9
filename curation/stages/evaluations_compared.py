"""Two evaluations of one benchmark, item by item: what both, only one or neither has right, counted and listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery

from curation.models import Evaluation, EvaluationItem
from curation.stages.errors import InputError
from curation.stages.evaluation_items import items_of
from curation.stages.standing_answers import COLUMNS, standing
from toolcalls.benchmarks.items import HELDOUT
from toolcalls.contrasts import Contrast, contrast_of_counts, turns_note
from toolcalls.statistics import Paired
from toolcalls.strategies import Strategy

WHICH = {"first": (True, False), "second": (False, True)}  # which of the two alone has an item right


class Pair(NamedTuple):
    """Two evaluations of items of the same benchmark, by the answers of one strategy."""

    first: Evaluation
    second: Evaluation
    strategy: Strategy = "adaptive"


def pair_of(first: Evaluation, second: Evaluation, strategy: Strategy) -> Pair:
    """Raises InputError for two that have no items in common to be compared by: they must be of the same benchmark, or both of
    held-out samples of one data set."""
    if first.pk == second.pk:
        raise InputError("that is one evaluation twice; choose another to compare it with")
    one, other = first.revision.dataset, second.revision.dataset
    if one.benchmark != other.benchmark or (not one.benchmark and one.pk != other.pk):
        raise InputError(f"evaluations of {one} and of {other} have no items in common; choose two of one benchmark")
    if strategy not in COLUMNS and any(_unjudged(each, strategy) for each in (first, second)):
        raise InputError("one was made when only direct and adaptive answers were judged; compare by one of these")
    return Pair(first, second, strategy)


def _unjudged(evaluation: Evaluation, strategy: Strategy) -> bool:
    return standing(items_of(evaluation), strategy).filter(stands_right=None).exists()


def note_of(pair: Pair) -> str:
    """Said where the two refine another number of times at most, and the strategy refines; "" otherwise."""
    return turns_note(pair.strategy, "the first", "the second", (refine_turns(pair.first), refine_turns(pair.second)))


def refine_turns(evaluation: Evaluation) -> int:
    """n, the most that it refines an answer."""
    return int(evaluation.iteration.run.choices.refine_turns)


def contrast_of(pair: Pair) -> Contrast:
    """One query."""
    counts, only_first = _counts(pair)
    shared, benchmark = sum(each.total for each in counts.values()), pair.first.revision.dataset.benchmark or HELDOUT
    return contrast_of_categories(benchmark, counts, only_first=only_first, only_second=pair.second.total - shared)


def contrast_of_categories(
    benchmark: str, counts: Mapping[str, Paired], *, only_first: int = 0, only_second: int = 0
) -> Contrast:
    """`toolcalls.contrasts.contrast_of_counts`, whose bootstrap takes a tenth of a second, once for the same counts."""
    return _contrast(benchmark, tuple(counts.items()), only_first, only_second)


@lru_cache(maxsize=128)
def _contrast(benchmark: str, counts: tuple[tuple[str, Paired], ...], only_first: int, only_second: int) -> Contrast:
    return contrast_of_counts(benchmark, dict(counts), only_first=only_first, only_second=only_second)


def _counts(pair: Pair) -> tuple[Mapping[str, Paired], int]:
    """By category; and how many items the second does not have."""
    groups = _both(pair).order_by().values_list("version__category", "stands_right", "other_right").annotate(Count("pk"))
    found = list(groups)
    shared = paired_by_category(group for group in found if group[2] is not None)
    return shared, sum(number for _, _, second, number in found if second is None)


def paired_by_category(groups: Iterable[tuple[str, bool, bool, int]]) -> dict[str, Paired]:
    """From (category, right in the first, right in the second, how many)."""
    found: dict[str, Paired] = {}
    for category, first, second, number in groups:
        field = ("both" if second else "only_first") if first else "only_second" if second else "neither"
        found[category] = found.get(category, Paired())._replace(**{field: number})
    return dict(sorted(found.items()))


def direct_and_adaptive(evaluation: Evaluation) -> dict[str, Paired]:
    """By category, an evaluation's direct answers paired with those where adaptive self-refine stops. One query."""
    groups = items_of(evaluation).order_by().values_list("version__category", "direct_right", "adaptive_right")
    return paired_by_category(groups.annotate(Count("pk")))


def _both(pair: Pair) -> QuerySet[EvaluationItem]:
    """The first's items with its answers `standing`, each with `other`, the same item of the second, and whether that is right
    (`other_right`); null where the second does not have it."""
    other = _same_item(pair.second, pair.first, pair.strategy)
    found = standing(items_of(pair.first), pair.strategy)
    return found.annotate(other=Subquery(other.values("pk")[:1]), other_right=Subquery(other.values("stands_right")[:1]))


def _same_item(of: Evaluation, asked: Evaluation, strategy: Strategy) -> QuerySet[EvaluationItem]:
    """The item `of` an evaluation that is the same as the outer query's, one that was `asked` in another evaluation: of the
    same id, with the same content. In one data set that is the same version."""
    found = standing(items_of(of), strategy).order_by()
    if of.revision.dataset_id == asked.revision.dataset_id:
        return found.filter(version=OuterRef("version"))
    same = {name: OuterRef(name) for name in ("version__sample__key", "version__sha256")}
    return found.filter(version__sample__dataset=of.revision.dataset_id, **same)


class Outcomes(NamedTuple):
    """An item of two evaluations: whether each has it right, None for one that does not have it."""

    key: str
    category: str
    first: bool | None
    second: bool | None


def outcomes(pair: Pair) -> list[Outcomes]:
    """The items of either, in the order of their ids. Two queries."""
    named = ("version__sample__key", "version__category", "stands_right")
    second = standing(items_of(pair.second), pair.strategy).exclude(Exists(_same_item(pair.first, pair.second, pair.strategy)))
    found = [Outcomes(*row) for row in _both(pair).order_by().values_list(*named, "other_right")]
    found += [Outcomes(key, category, None, right) for key, category, right in second.order_by().values_list(*named)]
    return sorted(found, key=lambda each: each.key)


@dataclass(frozen=True, slots=True)
class Apart:
    """An item that only one has right, as both answered it."""

    first: EvaluationItem
    second: EvaluationItem


@dataclass(frozen=True, slots=True)
class ApartPage:
    rows: list[Apart]
    next: int | None  # `after` of the page after this one


def apart_page_of(pair: Pair, which: str, *, category: str = "", after: str = "", limit: int = 20) -> ApartPage:
    """In the order of sample versions, with versions and samples. Two queries. Raises InputError for a cursor that is none."""
    if after and not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise InputError("this page's cursor is not one of ours; begin with the first page")
    first, second = WHICH[which]
    rows = _both(pair).filter(stands_right=first, other_right=second, version__gt=int(after or 0))
    rows = rows.filter(version__category=category) if category else rows
    found = list(rows.select_related("version__sample", "version__official").order_by("version")[: limit + 1])
    others = standing(items_of(pair.second), pair.strategy).select_related("version").in_bulk([one.other for one in found])
    shown = [Apart(item, others[item.other]) for item in found[:limit]]
    return ApartPage(shown, found[limit - 1].version_id if len(found) > limit else None)
