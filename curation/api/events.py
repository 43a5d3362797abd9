"""The log of operations, of a run, a project's team, and one operation whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Query, Router, Schema
from pydantic import Field

from django.db import models
from django.http import Http404, HttpRequest

from curation.access import run_of, team_of
from curation.api.paging import Page, Slice, newest_first
from curation.api.persons import Person
from curation.api.signing import me
from curation.models import Event
from curation.models.events import Brief

router = Router()


class EventOut(Schema):
    """Who did what to which thing; `by` is null where the loop acted by itself."""

    id: int
    verb: str
    subject_kind: str
    subject_id: int
    run: int | None
    by: Person | None
    at: datetime
    before: dict[str, Any]
    after: dict[str, Any]
    why: str

    @staticmethod
    def resolve_run(event: Event) -> int | None:
        run: int | None = event.run_id
        return run

    @staticmethod
    def resolve_by(event: Event) -> Any:
        return event.actor

    @staticmethod
    def resolve_before(event: Event) -> Any:
        return event.__dict__.get("shown", event.__dict__.get("before"))


class EventSlice(Slice):
    verb: str | None = Field(None, max_length=40, description="e.g. review.decide")
    by: int | None = Field(None, ge=1, le=2**63 - 1, description="a person's id")


@router.get("/teams/{slug:team}/events", response=Page[EventOut])
def list_team_events(request: HttpRequest, team: str, by: Query[EventSlice]) -> Any:
    """The newest first. An operation on many shows the samples only when it is read by itself."""
    return _page(Event.objects.filter(team=team_of(me(request), team)), by)


@router.get("/runs/{int:run}/events", response=Page[EventOut])
def list_run_events(request: HttpRequest, run: int, by: Query[EventSlice]) -> Any:
    """The newest first. An operation on many shows the samples only when it is read by itself."""
    return _page(Event.objects.filter(run_id=run_of(me(request), run).pk), by)


@router.get("/runs/{int:run}/events/{int:event}", response=EventOut)
def read_run_event(request: HttpRequest, run: int, event: int) -> Any:
    """One operation with all that it says: of one on many, its samples and what stood before."""
    return event_of(request, run, event)


def event_of(request: HttpRequest, run: int, event: int) -> Event:
    events = Event.objects.filter(run_id=run_of(me(request), run).pk, pk=event)
    found: Event | None = events.select_related("actor").first()
    if found is None:
        raise Http404("the run has no such operation")
    return found


def _page(events: models.QuerySet[Any], by: EventSlice) -> dict[str, Any]:
    if by.verb is not None:
        events = events.filter(verb=by.verb)
    if by.by is not None:
        events = events.filter(actor=by.by)
    return newest_first(events.select_related("actor").defer("before").annotate(shown=Brief("before")), by)
