"""What changes, as it changes: server-sent events of everything in the teams of a user."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import psycopg
from asgiref.sync import sync_to_async

from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, InterfaceError, connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from curation.announcements import Announcement, Subscriber, hub
from curation.models import Event
from curation.pages.missed import missed, teams_of
from curation.stages.errors import InputError

log = logging.getLogger(__name__)

BEAT = 15.0  # seconds of silence after which a comment is sent, so that proxies keep the connection
LIFETIME = 600.0  # seconds; the reader connects anew, and its session is looked at again
RETRY = 2000  # milliseconds that a reader waits before it connects anew


class _Begun(NamedTuple):
    teams: frozenset[int]
    missed: list[Event] | None


@require_GET
@login_required
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Events since the header Last-Event-ID or `?after=`, then what comes. Ends when what the user may see changes.

    204, which a browser takes for "do not ask again", where the server is a WSGI one: it would wait for the end first.
    """
    user, after = await request.auser(), _after(request)
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)
    lines = _lines(user.pk, after)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(lines, content_type="text/event-stream", headers=headers)


def _after(request: HttpRequest) -> int | None:
    said = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    if not said:
        return None
    if not said.isdecimal() or len(said) > 18:
        raise InputError("after: the id of the last event seen is expected, a whole number")
    return int(said)


async def _lines(user_id: int, after: int | None) -> AsyncIterator[str]:
    """The stream's text. Subscribes first and looks into the database then, so that nothing falls between the two."""
    yield f"retry: {RETRY}\n\n"
    try:
        async with hub().subscribed() as subscriber:
            begun = await sync_to_async(_begin)(user_id, after)
            if begun.missed is None:
                yield "event: reset\ndata: {}\n\n"
            for event in begun.missed or ():
                yield _line(Announcement(event.verb, event.team_id, event.run_id, event.pk))
            async for said in _heard(subscriber, user_id):
                if said is None:
                    yield ": still here\n\n"
                elif said.team in begun.teams:
                    yield _line(said)
    except (psycopg.Error, DatabaseError, InterfaceError) as error:
        log.warning("a stream ends, the database does not answer: %s", str(error).strip())


async def _heard(subscriber: Subscriber, user_id: int) -> AsyncIterator[Announcement | None]:
    """What is announced, None after every BEAT of silence; until the time is up, or the user's teams or rights changed."""
    end = time.monotonic() + LIFETIME
    while (left := end - time.monotonic()) > 0:
        try:
            said = await asyncio.wait_for(subscriber.waiting.get(), min(BEAT, left))
        except TimeoutError:
            yield None
            continue
        if said is None or said.member == user_id:
            return
        yield said


def _begin(user_id: int, after: int | None) -> _Begun:
    """What the stream needs of the database. It runs in the request's thread and gives the connection of that thread back:
    Django itself does so only when the response has ended, hours later."""
    try:
        teams = teams_of(user_id)
        return _Begun(teams, missed(teams, after))
    finally:
        connections.close_all()


def _line(said: Announcement) -> str:
    number = "" if said.event is None else f"id: {said.event}\n"
    return f"{number}data: {json.dumps({'verb': said.verb, 'team': said.team, 'run': said.run, 'event': said.event})}\n\n"
