"""An iteration's stored attempts judged again by other rules; what was selected stays as it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from django.http import HttpRequest

from curation.access import iteration_of, rejudging_of
from curation.api.paging import Page, Slice, newest_first, page_by
from curation.api.reading import Given
from curation.api.signing import me
from curation.models import ChangedVerdict, Rejudging
from curation.models.rejudging import RejudgingState
from curation.models.verdicts import Outcome
from curation.stages import rejudging as stage

router = Router()


class RejudgingOut(Schema):
    id: int
    rules: dict[str, Any] = Field(description="the settings that compare, all of them")
    comparator: str
    state: Literal["judging", "done", "failed"]
    total: int = Field(description="verdicts of both turns")
    judged: int = Field(description="so far")
    counts: dict[str, dict[str, dict[str, int]]] = Field(description="turn → outcome before → outcome now → verdicts")
    error: str
    begun_at: datetime
    closed_at: datetime | None

    @staticmethod
    def resolve_state(rejudging: Rejudging) -> str:
        return stage.standing(rejudging)[0]

    @staticmethod
    def resolve_error(rejudging: Rejudging) -> str:
        return stage.standing(rejudging)[1]


class NewRejudging(Given):
    rules: dict[str, Any] = Field(default_factory=dict, description="rules other than the run's, by the names of settings")


class ChangedOut(Schema):
    """A verdict that comes out differently."""

    id: int
    sample: int
    key: str
    turn: Literal[0, 1]
    outcome_before: Outcome
    hits_before: int
    outcome: Outcome | Literal["unknown"] = Field(description="unknown: it stopped at a hit that is none by these rules")
    hits: int
    exact_hits: int
    attempts: int

    @staticmethod
    def resolve_sample(changed: ChangedVerdict) -> int:
        return int(changed.sample_id)

    @staticmethod
    def resolve_key(changed: ChangedVerdict) -> str:
        return str(changed.sample.key)


class ChangedSlice(Slice):
    turn: int | None = Field(None, ge=0, le=1)
    outcome_before: Outcome | None = None
    outcome: Outcome | Literal["unknown"] | None = None


@router.get("/runs/{int:run}/iterations/{int:number}/rejudgings", response=Page[RejudgingOut])
def list_rejudgings(request: HttpRequest, run: int, number: int, by: Query[Slice]) -> Any:
    """The re-judgings of an iteration, the newest first."""
    rows = Rejudging.objects.filter(iteration=iteration_of(me(request), run, number))
    return newest_first(rows.exclude(state=RejudgingState.DISCARDED), by)


@router.post("/runs/{int:run}/iterations/{int:number}/rejudgings", response={202: RejudgingOut})
def begin_rejudging(request: HttpRequest, run: int, number: int, given: NewRejudging) -> Any:
    """Judge the stored attempts again, by the current comparator and the run's rules but for those given."""
    return Status(202, stage.begin(iteration_of(me(request), run, number), given.rules, me(request)))


@router.get("/runs/{int:run}/iterations/{int:number}/rejudgings/{int:rejudging}", response=RejudgingOut)
def read_rejudging(request: HttpRequest, run: int, number: int, rejudging: int) -> Any:
    """How far it is, and what moved from which outcome to which."""
    return rejudging_of(me(request), run, number, rejudging)


@router.delete("/runs/{int:run}/iterations/{int:number}/rejudgings/{int:rejudging}", response={204: None})
def discard_rejudging(request: HttpRequest, run: int, number: int, rejudging: int) -> Any:
    """Forget what it found; one that is under way ends."""
    stage.discard(rejudging_of(me(request), run, number, rejudging), me(request))
    return Status(204, None)


@router.get("/runs/{int:run}/iterations/{int:number}/rejudgings/{int:rejudging}/changed", response=Page[ChangedOut])
def list_changed(request: HttpRequest, run: int, number: int, rejudging: int, by: Query[ChangedSlice]) -> Any:
    """The verdicts that come out differently."""
    rows = ChangedVerdict.objects.filter(rejudging=rejudging_of(me(request), run, number, rejudging)).select_related("sample")
    wanted = {name: getattr(by, name) for name in ("turn", "outcome_before", "outcome")}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    return page_by(rows, "id", by.after, by.limit)
