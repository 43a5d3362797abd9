"""The one filter of pool, pairs, bulk decisions, REST and exports: read it, count by it, page through what it finds."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import BooleanField, F, Func, OuterRef, QuerySet, Subquery, Value

from curation.models import Iteration, SampleWords, Verdict
from curation.stages.errors import InputError
from curation.stages.facets import Counted, Facet, FacetValue, counted, facets_of
from curation.stages.verdict_filter import (
    FEW,
    NO_CALL,
    ORDERS,
    UNDECIDED,
    Matches,
    VerdictFilter,
    filter_from,
    filter_query,
    found_by,
    matching,
    text_query,
)

__all__ = [
    "NO_CALL",
    "ORDERS",
    "UNDECIDED",
    "Counted",
    "Facet",
    "FacetValue",
    "VerdictFilter",
    "VerdictPage",
    "count_of",
    "counted",
    "facets_of",
    "filter_from",
    "filter_query",
    "in_order",
    "matching",
    "neighbours",
    "page_of",
]


@dataclass(frozen=True, slots=True)
class VerdictPage:
    """`next` is the cursor of the page after this one, None on the last."""

    rows: list[Verdict]
    next: str | None


def page_of(iteration: Iteration, f: VerdictFilter, *, after: str = "", limit: int = 50) -> VerdictPage:
    """A page in the filter's order, its samples loaded; `after` is the `next` of the page before. Raises InputError for a
    cursor that is none."""
    column, ascending = ORDERS[f.order], not f.order.startswith("-")
    rows = _walked(iteration, f)
    if after:
        rows = _beyond(rows, column, _place(after), ascending)
    places = list(_ordered(rows, column, ascending).values_list(column, "pk")[: limit + 1])
    found = Verdict.objects.select_related("sample").in_bulk([pk for _, pk in places[:limit]])
    more = len(places) > limit
    return VerdictPage([found[pk] for _, pk in places[:limit] if pk in found], _cursor(places[limit - 1]) if more else None)


def count_of(iteration: Iteration, f: VerdictFilter) -> int:
    """How many verdicts the filter finds."""
    return matching(iteration, f).count()


def neighbours(iteration: Iteration, f: VerdictFilter, verdict: Verdict) -> tuple[int | None, int | None]:
    """The samples before and after a verdict in the filter's order, whether or not the filter finds the verdict itself."""
    column, ascending = ORDERS[f.order], not f.order.startswith("-")
    rows, place = _walked(iteration, f), (getattr(verdict, column), verdict.pk)
    return _next(rows, column, place, not ascending), _next(rows, column, place, ascending)


def _walked(iteration: Iteration, f: VerdictFilter) -> QuerySet[Verdict]:
    """`matching` for a walk in order that ends after a page, which Postgres plans badly where it must guess how much is found.

    Few that a search finds are looked up; with many, each verdict on the way is asked.
    """
    return _searched(matching(iteration, replace(f, q="")), iteration, f.q)


def _searched(rows: QuerySet[Verdict], iteration: Iteration, q: str) -> QuerySet[Verdict]:
    if not q:
        return rows
    query = text_query(iteration.run.dataset_id, q)
    if query is None:
        return rows.none()
    few = list(found_by(query).values_list("version_id", flat=True)[: FEW + 1])
    if len(few) <= FEW:
        return rows.filter(version__in=few)
    words = SampleWords.objects.filter(version=OuterRef("version_id"))
    return rows.filter(Subquery(words.values_list(Matches(query)), output_field=BooleanField()))


def _next(rows: QuerySet[Verdict], column: str, place: tuple[int, int], ascending: bool) -> int | None:
    beyond = _ordered(_beyond(rows, column, place, ascending), column, ascending)
    found: int | None = beyond.values_list("sample_id", flat=True).first()
    return found


def in_order(rows: QuerySet[Verdict], order: str) -> QuerySet[Verdict]:
    """Verdicts in one of ORDERS; those that are equal in it by their ids."""
    return _ordered(rows, ORDERS[order], not order.startswith("-"))


def _ordered(rows: QuerySet[Verdict], column: str, ascending: bool) -> QuerySet[Verdict]:
    columns = ["pk"] if column == "id" else [column, "pk"]
    return rows.order_by(*(columns if ascending else [f"-{name}" for name in columns]))


def _beyond(rows: QuerySet[Verdict], column: str, place: tuple[int, int], ascending: bool) -> QuerySet[Verdict]:
    """What comes after the place: by comparison of the pair, which an index on both answers."""
    if column == "id":
        return rows.filter(pk__gt=place[1]) if ascending else rows.filter(pk__lt=place[1])
    return rows.filter(_Beyond(column, place, ">" if ascending else "<"))


class _Beyond(Func):
    """`(column, id) > (value, id)`, or `<`."""

    output_field = BooleanField()

    def __init__(self, column: str, place: tuple[int, int], sign: str) -> None:
        super().__init__(F(column), F("pk"), Value(place[0]), Value(place[1]))
        self.sign = sign

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:
        parts = [compiler.compile(part) for part in self.get_source_expressions()]
        (one, other, value, pk), params = [sql for sql, _ in parts], [param for _, given in parts for param in given]
        return f"({one}, {other}) {self.sign} ({value}, {pk})", params


def _cursor(place: tuple[Any, int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[int, int]:
    try:
        value, pk = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        value, pk = None, None
    if not (_is_whole(value) and _is_whole(pk)):
        raise InputError("this page's cursor is not one of ours; begin with the first page")
    return value, pk


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63
