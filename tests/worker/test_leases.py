"""A shard is held by a lock and a lease, and its child ends when either is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from django.db import connection, connections

from curation.models import Engine, Run, Shard
from curation.stages import running, shards
from curation.stages.shards import Claim
from worker import leases
from worker.leases import GivenUp, Lease


class StandIn:
    """A child that notes its end."""

    def __init__(self) -> None:
        self.killed = threading.Event()

    def kill(self) -> None:
        self.killed.set()


@pytest.fixture
def run(start: Callable[..., Run], script: Callable[..., Engine]) -> Run:
    return start(script())


@pytest.fixture
def claim(run: Run) -> Claim:
    claim = shards.claim_next("a test")
    assert claim is not None
    return claim


def holder(claim: Claim) -> int | None:
    """The server process of the session that holds the claim's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s",
            [shards.LOCK_SPACE, claim.shard_id],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def locked(claim: Claim) -> bool:
    return holder(claim) is not None


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_lock_is_held_inside_and_free_afterwards(claim: Claim) -> None:
    with Lease(claim, threading.Event()):
        assert eventually(lambda: locked(claim))
    assert not locked(claim)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leases by one thread, which keeps its connection as a worker's does."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    with ThreadPoolExecutor(1) as holders:
        monkeypatch.setattr(leases, "_holders", holders)
        yield
        holders.submit(connections.close_all).result()


def test_leases_one_after_another_take_one_connection_and_leave_no_lock(kept: None, claim: Claim) -> None:
    sessions = set()
    for _ in range(3):
        with Lease(claim, threading.Event()):
            assert eventually(lambda: locked(claim))
            sessions.add(holder(claim))
        assert not locked(claim)
    assert len(sessions) == 1


def test_a_lease_whose_session_was_ended_is_followed_by_one_on_another(kept: None, claim: Claim) -> None:
    with Lease(claim, threading.Event()):
        assert eventually(lambda: locked(claim))
        end_session(holder(claim))
    with Lease(claim, threading.Event()):
        assert eventually(lambda: locked(claim))
    assert not locked(claim)


def end_session(process: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])


def test_lease_is_renewed_while_it_is_held(claim: Claim) -> None:
    def until() -> object:
        return Shard.objects.values_list("lease_until", flat=True).get(pk=claim.shard_id)

    before = until()
    with Lease(claim, threading.Event(), heartbeat=0.1):
        assert eventually(lambda: until() != before)


def test_child_is_killed_when_the_run_is_paused(claim: Claim, run: Run) -> None:
    child = StandIn()
    with Lease(claim, threading.Event(), heartbeat=0.1) as lease, pytest.raises(GivenUp, match="paused"), lease.watching(child):
        running.pause_run(run)
        assert child.killed.wait(5)
        raise RuntimeError("what a killed child makes of it")


def test_child_is_killed_when_another_has_the_shard(claim: Claim) -> None:
    child = StandIn()
    with Lease(claim, threading.Event(), heartbeat=0.1) as lease, pytest.raises(GivenUp), lease.watching(child):
        Shard.objects.filter(pk=claim.shard_id).update(attempt=claim.attempt + 1)
        assert child.killed.wait(5)
        lease.check()


def test_child_is_killed_when_the_worker_stops(claim: Claim) -> None:
    child, stopping = StandIn(), threading.Event()
    with Lease(claim, stopping) as lease, pytest.raises(GivenUp, match="stopping"), lease.watching(child):
        stopping.set()
        assert child.killed.wait(5)
        lease.check()


def test_child_that_comes_after_the_lease_was_lost_is_killed(claim: Claim) -> None:
    child, stopping = StandIn(), threading.Event()
    stopping.set()
    with Lease(claim, stopping) as lease:
        assert eventually(lambda: bool(lease.lost))
        with pytest.raises(GivenUp, match="stopping"), lease.watching(child):
            pass
    assert child.killed.is_set()


def test_child_is_left_alone_once_its_work_is_done(claim: Claim) -> None:
    child = StandIn()
    with Lease(claim, threading.Event(), heartbeat=0.1) as lease:
        with lease.watching(child):
            pass
        shards.release(claim)
        assert eventually(lambda: bool(lease.lost))
    assert not child.killed.is_set()


def test_lease_lasts_through_a_lost_session(claim: Claim) -> None:
    with Lease(claim, threading.Event(), heartbeat=0.1) as lease:
        assert eventually(lambda: locked(claim))
        lost = holder(claim)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [lost])
        assert eventually(lambda: holder(claim) not in (None, lost))
        assert not lease.lost
