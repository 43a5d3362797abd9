"""The pool and the refine pairs of an iteration: filtered, counted, paged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from django.http import HttpRequest

from curation.access import iteration_of
from curation.api.paging import MOST
from curation.api.signing import me
from curation.models import Verdict
from curation.models.decisions import DecisionKind
from curation.models.verdicts import Change, Outcome
from curation.stages import filtering
from curation.stages.filtering import ORDERS, VerdictFilter, filter_from
from curation.stages.verdict_filter import LONGEST_QUERY, MOST_VALUES

router = Router()

OrderName = Literal["id", "-id", "hits", "-hits", "other_count", "-other_count"]
assert set(OrderName.__args__) == set(ORDERS)  # type: ignore[attr-defined]
Number = Annotated[int, Field(ge=0, le=9999)]
Some: Any = Field(default_factory=list, max_length=MOST_VALUES)


class VerdictBrief(Schema):
    """What k attempts of a turn say of a sample; hits are counted as the run's settings say."""

    sample: int
    key: str
    outcome: Outcome = Field(description="the best hit, or why the nearest attempt is none")
    attempts: int
    exact_hits: int
    approximate_hits: int
    first_hit: int | None
    censored: bool = Field(description="stopped at its first hit, sampling_mode until_hit: hits are a lower bound")
    excluded: bool
    category: str
    language: str
    calls: int | None
    tools: list[str]
    decision: DecisionKind | Literal[""]
    change: Change | Literal[""] = Field(description="of a refine pair: how far its first answer is from the truth")
    other_answer: str | None = Field(description="the most frequent answer that is no hit")
    other_count: int

    @staticmethod
    def resolve_sample(verdict: Verdict) -> int:
        return int(verdict.sample_id)

    @staticmethod
    def resolve_key(verdict: Verdict) -> str:
        return str(verdict.sample.key)


class VerdictSlice(Schema):
    """`next` goes into `after`, with the same filter and order."""

    items: list[VerdictBrief]
    next: str | None


class FacetValueOut(Schema):
    value: str
    label: str
    count: int
    active: bool


class FacetOut(Schema):
    name: str
    label: str
    values: list[FacetValueOut]


class Facets(Schema):
    """Each facet is counted under all the other filters; `total` is what the whole filter finds."""

    total: int
    facets: list[FacetOut]


class PoolQuery(Schema):
    """Within a filter any of the values, between filters all of them."""

    outcome: list[Outcome] = Some
    hits: list[Number] = Some
    decision: list[DecisionKind | Literal["none"]] = Some
    category: list[str] = Some
    calls: list[Number | Literal["none"]] = Some
    tool: list[str] = Some
    language: list[str] = Some
    q: str = Field("", max_length=LONGEST_QUERY, description="words, as the pages search for them")


class PairsQuery(PoolQuery):
    change: list[Change] = Some


class PoolPage(PoolQuery):
    order: OrderName = "id"
    after: str = Field("", max_length=200, description="the `next` of the page before")
    limit: int = Field(50, ge=1, le=MOST)


class PairsPage(PairsQuery):
    order: OrderName = "id"
    after: str = Field("", max_length=200, description="the `next` of the page before")
    limit: int = Field(50, ge=1, le=MOST)


@router.get("/runs/{int:run}/iterations/{int:number}/pool", response=VerdictSlice)
def list_pool(request: HttpRequest, run: int, number: int, by: Query[PoolPage]) -> Any:
    """The samples of an iteration with the verdicts of its direct turn."""
    return _page(request, run, number, 0, by)


@router.get("/runs/{int:run}/iterations/{int:number}/pool/facets", response=Facets)
def count_pool(request: HttpRequest, run: int, number: int, by: Query[PoolQuery]) -> Any:
    """How many samples each value of each filter finds."""
    return filtering.counted(iteration_of(me(request), run, number), asked(by, 0))


@router.get("/runs/{int:run}/iterations/{int:number}/pairs", response=VerdictSlice)
def list_pairs(request: HttpRequest, run: int, number: int, by: Query[PairsPage]) -> Any:
    """The refine pairs of an iteration with the verdicts of its refine turn."""
    return _page(request, run, number, 1, by)


@router.get("/runs/{int:run}/iterations/{int:number}/pairs/facets", response=Facets)
def count_pairs(request: HttpRequest, run: int, number: int, by: Query[PairsQuery]) -> Any:
    """How many pairs each value of each filter finds."""
    return filtering.counted(iteration_of(me(request), run, number), asked(by, 1))


def asked(query: PoolQuery, turn: int) -> VerdictFilter:
    """The filter that the query parameters stand for, read as the pages read theirs."""
    given = query.model_dump(exclude={"after", "limit", "kind", "format"})
    return filter_from({name: _texts(value) for name, value in given.items() if value}, turn)


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _page(request: HttpRequest, run: int, number: int, turn: int, by: PoolPage | PairsPage) -> Any:
    iteration = iteration_of(me(request), run, number)
    page = filtering.page_of(iteration, asked(by, turn), after=by.after, limit=by.limit)
    return {"items": page.rows, "next": page.next}
