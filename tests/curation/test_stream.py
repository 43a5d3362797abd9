"""The stream of changes, on the web server that a site runs: who hears what, what it costs, and when it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from django.db import connection
from django.test import Client

from curation.announcements import APPLICATION
from curation.models import Event, Iteration, Membership, Role, Run, Team, TrainingStep, User
from curation.stages import events, people

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]

PATIENCE = 10.0  # seconds for anything to happen


@dataclass
class Heard:
    """An open stream, read message by message."""

    response: httpx.Response
    lines: Iterator[str]

    def next(self) -> dict[str, str]:
        """The next message's fields; an empty one is the end of the stream."""
        fields: dict[str, str] = {}
        for line in self.lines:
            if not line and set(fields) - {"retry"}:
                return fields
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
        return {}

    def change(self) -> dict[str, Any]:
        return json.loads(self.next()["data"])


@pytest.fixture
def listen(web: str) -> Iterator[Callable[..., Heard]]:
    """`listen(user)`: a stream of the user's, begun; keywords are the query's."""
    with ExitStack() as opened:

        def begin(user: User, headers: dict[str, str] | None = None, **query: Any) -> Heard:
            client = opened.enter_context(httpx.Client(base_url=web, cookies=_signed_in(user), timeout=PATIENCE))
            response = opened.enter_context(client.stream("GET", "/stream/", params=query, headers=headers))
            assert response.status_code == 200
            lines = response.iter_lines()
            assert next(lines) == "retry: 2000"
            return Heard(response, lines)

        yield begin


def _signed_in(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"sessionid": client.cookies["sessionid"].value}


def _sessions(where: str = "true") -> int:
    """Sessions of the database that are not this test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            f" AND backend_type = 'client backend' AND {where}"
        )
        return int(cursor.fetchone()[0])


@contextmanager
def _within(what: str) -> Iterator[Callable[[bool], bool]]:
    """`if done(condition): break` in an endless loop, which fails when its time is up."""
    end = time.monotonic() + PATIENCE

    def done(met: bool) -> bool:
        assert met or time.monotonic() < end, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0 if met else 0.05)
        return met

    yield done


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    with _within(what) as done:
        while not done(condition()):
            pass


def _listening() -> bool:
    return _sessions(f"application_name = '{APPLICATION}' AND query ~ '^(LISTEN|SELECT 1)' AND state = 'idle'") == 1


def test_a_change_reaches_every_member_and_nobody_else(
    listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User, engineer: User, outsider: User
) -> None:
    run = make_run()
    other = people.create_team("Others", None)
    people.add_member(other, outsider, Role.OWNER, None)
    heard = [listen(viewer), listen(engineer)]
    strange = listen(outsider)
    _wait_until(_listening, "a listener")
    latest = events.record("run.pause", run)
    for stream in heard:
        while (said := stream.change())["event"] != latest.pk:
            assert said["team"] == run.project.team_id
        assert said == {"verb": "run.pause", "team": run.project.team_id, "run": run.pk, "event": latest.pk}
    events.record("team.rename", other, team=other)
    while (said := strange.change())["verb"] != "team.rename":
        assert said["team"] == other.pk


def test_a_training_step_is_told_without_an_event(
    listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User
) -> None:
    run = make_run()
    iteration = Iteration.objects.create(run=run, number=1)
    Event.objects.all().update(at="2020-01-01T00:00Z")
    stream = listen(viewer)
    _wait_until(_listening, "a listener")
    TrainingStep.objects.create(
        iteration=iteration, step=1, steps=9, loss=0.5, learning_rate=1e-4, grad_norm=1.0, tokens=10, tokens_per_second=5.0
    )
    said = stream.next()
    assert "id" not in said
    assert json.loads(said["data"]) == {"verb": "training.step", "team": run.project.team_id, "run": run.pk, "event": None}


@pytest.mark.parametrize("by", ["header", "query"])
def test_a_reader_that_comes_back_is_told_what_it_missed_in_order(
    listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User, by: str
) -> None:
    run = make_run()
    seen = events.record("run.pause", run)
    missed = [events.record("run.resume", run).pk, events.record("run.stop", run).pk]
    Event.objects.all().update(at="2020-01-01T00:00Z")
    last = str(seen.pk)
    stream = listen(viewer, headers={"Last-Event-ID": last}) if by == "header" else listen(viewer, after=last)
    found: list[int] = []
    while len(found) < 2:
        number = int(stream.next()["id"])
        if number > seen.pk:  # earlier ones are repeated: they may have been committed later
            found.append(number)
    assert found == missed


def test_who_missed_too_much_is_told_to_load_anew(
    listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User
) -> None:
    run = make_run()
    seen = events.record("run.pause", run)
    Event.objects.bulk_create(
        Event(team_id=run.project.team_id, run_id=run.pk, verb="shard.done", subject_kind="shard", subject_id=1)
        for _ in range(600)
    )
    assert listen(viewer, after=seen.pk).next() == {"event": "reset", "data": "{}"}


def test_twenty_streams_hold_one_connection(listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User) -> None:
    run = make_run()
    streams = [listen(viewer, after=0) for _ in range(20)]
    for stream in streams:
        assert stream.change()["team"] == run.project.team_id  # what was missed is read: each has been in the database
    _wait_until(_listening, "a listener")
    assert _sessions(f"application_name = '{APPLICATION}'") == 1
    # The pool keeps the few that it has at hand (8 at most); none of them is a stream's.
    assert _sessions("state <> 'idle'") == 0
    pooled = _sessions(f"application_name <> '{APPLICATION}'")
    assert pooled <= 8
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    latest = events.record("run.pause", run)
    for stream in streams:
        while stream.change()["event"] != latest.pk:
            pass
    assert _sessions(f"application_name <> '{APPLICATION}'") == pooled


def test_pages_answer_beside_more_streams_than_the_pool_has_connections(
    web: str, listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User
) -> None:
    run = make_run()
    streams = [listen(viewer, after=0) for _ in range(20)]
    for stream in streams:
        stream.change()
    answer = httpx.get(f"{web}/runs/{run.pk}/", cookies=_signed_in(viewer), timeout=PATIENCE)
    assert answer.status_code == 200


def test_a_stream_ends_with_the_membership(
    listen: Callable[..., Heard], make_run: Callable[..., Run], team: Team, viewer: User
) -> None:
    make_run()
    stream = listen(viewer, after=0)
    stream.change()
    Membership.objects.filter(team=team, user=viewer).delete()
    _read_to_the_end(stream)
    again = listen(viewer, after=0)
    _wait_until(_listening, "a listener")
    events.record("team.rename", team, team=team)
    people.add_member(team, viewer, Role.VIEWER, None)
    assert again.next() == {}  # of the team it heard nothing, and it ends again, because the user sees more now


def test_a_stream_ends_when_its_user_is_deactivated(
    web: str, listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User
) -> None:
    make_run()
    stream = listen(viewer, after=0)
    cookies = _signed_in(viewer)
    stream.change()
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    _read_to_the_end(stream)
    assert httpx.get(f"{web}/stream/", cookies=cookies).status_code == 302


def test_a_stream_ends_with_its_session(
    web: str, listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User
) -> None:
    make_run()
    stream = listen(viewer, after=0)
    stream.change()
    client = Client()
    client.force_login(viewer)
    client.post("/sign-out/")
    _read_to_the_end(stream)


def test_a_stream_ends_with_its_password(
    web: str, listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User
) -> None:
    make_run()
    stream = listen(viewer, after=0)
    cookies = _signed_in(viewer)
    stream.change()
    people.set_password(viewer, "a new and long one", viewer)
    _read_to_the_end(stream)
    assert httpx.get(f"{web}/stream/", cookies=cookies).status_code == 302


def _read_to_the_end(stream: Heard) -> None:
    while stream.next():
        pass


def test_streams_end_with_the_listener_and_the_next_one_listens_anew(
    listen: Callable[..., Heard], make_run: Callable[..., Run], viewer: User
) -> None:
    run = make_run()
    stream = listen(viewer, after=0)
    stream.change()
    _wait_until(_listening, "a listener")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [APPLICATION])
    _read_to_the_end(stream)
    again = listen(viewer, after=0)
    latest = events.record("run.pause", run)
    while again.change()["event"] != latest.pk:
        pass


def test_a_stranger_gets_no_stream_and_a_wrong_id_is_refused(web: str, viewer: User) -> None:
    assert httpx.get(f"{web}/stream/").status_code == 302
    cookies = _signed_in(viewer)
    assert httpx.get(f"{web}/stream/?after=x", cookies=cookies).status_code == 422
    assert httpx.post(f"{web}/stream/", cookies=cookies).status_code == 403  # without its CSRF token
