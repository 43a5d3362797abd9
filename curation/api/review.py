"""What people decide and say: on one sample or pair, on all that a filter finds, and back again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from django.http import Http404, HttpRequest

from curation.access import iteration_of, run_of
from curation.api.events import event_of
from curation.api.paging import Page, Slice, newest_first
from curation.api.persons import Person
from curation.api.reading import Given
from curation.api.signing import me
from curation.api.verdicts import PairsQuery, asked
from curation.models import Decision, Run, Sample
from curation.models.decisions import DecisionKind
from curation.stages import correcting, review

router = Router()

BIG = 2**63 - 1
Turn = Literal[0, 1]
Decidable = Literal["keep", "drop", "discuss"]
assert set(Decidable.__args__) == set(review.DECIDABLE)  # type: ignore[attr-defined]


class DecisionOut(Schema):
    id: int
    iteration: int
    sample: int
    turn: Turn = Field(description="0: on the sample, from this iteration on; 1: on its refine pair in this iteration")
    kind: DecisionKind
    why: str
    by: Person
    at: datetime
    undone_at: datetime | None
    event: int | None = Field(description="the operation that made it; undoing that takes it back")

    @staticmethod
    def resolve_iteration(decision: Decision) -> int:
        return int(decision.iteration.number)

    @staticmethod
    def resolve_sample(decision: Decision) -> int:
        return int(decision.sample_id)

    @staticmethod
    def resolve_event(decision: Decision) -> int | None:
        event: int | None = decision.made_by_id
        return event


class DecisionSlice(Slice):
    sample: int | None = Field(None, ge=1, le=BIG)
    standing: bool | None = Field(None, description="whether it has not been undone or replaced")


class NewDecision(Given):
    sample: int = Field(ge=1, le=BIG)
    turn: Turn = 0
    kind: Decidable
    why: str = Field("", max_length=2000)


class Wanted(PairsQuery):
    """A filter as the query parameters of the pool and of the pairs have it."""

    model_config = NewDecision.model_config


class NewDecisions(Given):
    """`expected` is the number that the filter found when one looked: with another by now, nothing is changed (409)."""

    turn: Turn = 0
    kind: Decidable
    filter: Wanted
    expected: int = Field(ge=0, le=2**31 - 1)
    why: str = Field("", max_length=2000)


class CallIn(Given):
    name: str
    arguments: dict[str, Any]


class NewTruth(Given):
    """`calls` null and a `text`: the sample calls nothing."""

    sample: int = Field(ge=1, le=BIG)
    calls: list[CallIn] | None
    text: str = ""
    why: str = Field("", max_length=2000)


class Decided(Schema):
    event: int
    count: int = Field(description="samples or pairs that were decided otherwise before")


class UndoneOut(Schema):
    event: int
    taken_back: int
    restored: int
    left: int = Field(description="decisions that others have changed since; they stay")


@router.get("/runs/{int:run}/decisions", response=Page[DecisionOut])
def list_decisions(request: HttpRequest, run: int, by: Query[DecisionSlice]) -> Any:
    """All that was decided in a run, the newest first."""
    rows = Decision.objects.filter(run=run_of(me(request), run)).select_related("iteration", "by")
    if by.sample is not None:
        rows = rows.filter(sample=by.sample)
    if by.standing is not None:
        rows = rows.filter(undone_at__isnull=by.standing)
    return newest_first(rows, by)


@router.post("/runs/{int:run}/iterations/{int:number}/decisions", response={201: DecisionOut})
def decide(request: HttpRequest, run: int, number: int, given: NewDecision) -> Any:
    """Reviewers decide. A new decision replaces the one that stands."""
    iteration = iteration_of(me(request), run, number)
    sample = sample_of(iteration.run, given.sample)
    made = review.decide(iteration.run, iteration, sample, given.turn, given.kind, me(request), given.why)
    return Status(201, Decision.objects.select_related("iteration", "by").get(pk=made.pk))


@router.post("/runs/{int:run}/iterations/{int:number}/decisions/bulk", response={201: Decided})
def decide_all(request: HttpRequest, run: int, number: int, given: NewDecisions) -> Any:
    """Decide alike on all that a filter finds, in one operation, which can be undone whole."""
    iteration = iteration_of(me(request), run, number)
    found = asked(given.filter, given.turn)
    event = review.decide_all(iteration, found, given.kind, me(request), expected=given.expected, why=given.why)
    return Status(201, {"event": event.pk, "count": event.after["count"]})


@router.post("/runs/{int:run}/events/{int:event}/undo", response=UndoneOut)
def undo(request: HttpRequest, run: int, event: int) -> Any:
    """Take the decisions of an operation back, exactly: what it replaced stands again."""
    undone = review.undo_event(event_of(request, run, event), me(request))
    shown = {name: getattr(undone, name) for name in ("taken_back", "restored", "left")}
    return {"event": undone.event.pk, **shown}


@router.post("/runs/{int:run}/iterations/{int:number}/fixes", response={201: DecisionOut})
def fix_truth(request: HttpRequest, run: int, number: int, given: NewTruth) -> Any:
    """Correct the truth of a sample: a new version from the next iteration on. What breaks the tools' schema is refused."""
    iteration = iteration_of(me(request), run, number)
    sample = sample_of(iteration.run, given.sample)
    calls = None if given.calls is None else [call.model_dump() for call in given.calls]
    made = correcting.fix_truth(iteration.run, iteration, sample, calls, me(request), given.why, text=given.text)
    return Status(201, Decision.objects.select_related("iteration", "by").get(pk=made.pk))


def sample_of(run: Run, sample: int) -> Sample:
    """Raises Http404 for a sample that is not of the run's data set."""
    found: Sample | None = Sample.objects.filter(pk=sample, dataset=run.dataset_id).first()
    if found is None:
        raise Http404("the run's data set has no such sample")
    return found
