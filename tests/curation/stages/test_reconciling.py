"""The reconciler: brings back the dead, sends what was lost, one at a time, through restarts of the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from django.db import connection

from curation.celery import app
from curation.models import Run, Shard
from curation.models.runs import RunState
from curation.models.shards import ShardState
from curation.stages import running
from curation.stages.reconciling import ELECTION, Reconciler, reconcile_once

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


def eventually(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def reconcilers() -> Iterator[Callable[..., Reconciler]]:
    """`reconcilers()` starts one more; all end with the test."""
    made: list[Reconciler] = []

    def start(**choices: Any) -> Reconciler:
        made.append(Reconciler(beat=0.05, **choices))
        made[-1].start()
        return made[-1]

    yield start
    for reconciler in made:
        reconciler.stop()
        reconciler.join()


def terminate_elected() -> None:
    """End the session that holds the election, as a restart of the database does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [ELECTION],
        )


def test_what_a_crash_left_between_two_steps_is_taken_up(make_run: Callable[..., Run]) -> None:
    run = make_run()
    Run.objects.update(state=RunState.RUNNING)  # as if the process had died right after the start
    assert reconcile_once()
    assert Shard.objects.filter(stage__iteration__run=run, state=ShardState.PENDING).count() == 1


def test_a_dead_shard_is_returned_and_sent_for(make_run: Callable[..., Run], hand: Any, queue: Callable[[], int]) -> None:
    running.start_run(make_run())
    claim = hand.claim()
    with app.connection_for_write() as broker:
        broker.default_channel.queue_purge("celery")
    Shard.objects.filter(pk=claim.shard_id).update(lease_until="2000-01-01T00:00:00Z")
    assert reconcile_once()
    shard = Shard.objects.get(pk=claim.shard_id)
    assert (shard.state, shard.attempt) == (ShardState.PENDING, 1)
    assert shard.sent_at is not None
    assert queue() == 1


def test_a_broker_that_is_away_is_reported_and_nothing_else_suffers(make_run: Callable[..., Run]) -> None:
    app.conf.broker_url = "redis+socket:///nonexistent/valkey.sock?virtual_host=0"
    running.start_run(make_run())
    assert not reconcile_once()
    assert Shard.objects.get().sent_at is None
    app.conf.broker_url = "memory://"
    assert reconcile_once()
    assert Shard.objects.get().sent_at is not None


def test_a_run_that_cannot_be_advanced_keeps_no_other_from_it(
    make_run: Callable[..., Run], make_dataset: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    revision = make_dataset()
    broken, well = make_run(revision), make_run(revision)
    Run.objects.update(state=RunState.RUNNING)
    Run.objects.filter(pk=broken.pk).update(settings={"no_such": 1})
    with caplog.at_level(logging.ERROR):
        reconcile_once()
    assert f"run {broken.pk} cannot be advanced" in caplog.text
    assert well.iterations.exists()


def test_one_of_many_is_elected_and_another_takes_over(reconcilers: Callable[..., Reconciler]) -> None:
    first = reconcilers()
    assert eventually(lambda: first.elected)
    second = reconcilers()
    time.sleep(0.3)
    assert not second.elected
    first.stop()
    first.join()
    assert eventually(lambda: second.elected)


def test_another_takes_over_from_one_that_stands_still(reconcilers: Callable[..., Reconciler]) -> None:
    still = threading.Event()
    first = reconcilers(on_beat=lambda: still.wait(10) if first.elected else None, silence=0.5)
    assert eventually(lambda: first.elected)
    second = reconcilers()
    assert eventually(lambda: second.elected, 5)
    assert first.elected  # as far as it knows
    still.set()
    assert eventually(lambda: not first.elected)
    assert second.elected


def test_it_outlives_the_loss_of_its_session(reconcilers: Callable[..., Reconciler], make_run: Callable[..., Run]) -> None:
    beats: list[float] = []
    reconciler = reconcilers(on_beat=lambda: beats.append(time.monotonic()))
    assert eventually(lambda: reconciler.elected)
    terminate_elected()
    assert eventually(lambda: not reconciler.elected)
    assert eventually(lambda: reconciler.elected)
    make_run()
    Run.objects.update(state=RunState.RUNNING)
    assert eventually(Shard.objects.exists)
    assert beats


def test_a_run_comes_to_its_end_without_a_single_message(
    make_run: Callable[..., Run], hand: Any, reconcilers: Callable[..., Reconciler]
) -> None:
    app.conf.broker_url = "redis+socket:///nonexistent/valkey.sock?virtual_host=0"
    run = make_run(max_iterations=1)
    reconcilers()
    running.start_run(run)
    assert eventually(lambda: hand.work_off() >= 0 and Run.objects.get(pk=run.pk).state == RunState.COMPLETED)
