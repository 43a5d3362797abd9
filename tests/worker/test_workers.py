"""Workers in processes of their own, over Valkey, with a slow scripted engine: signals, pauses, lost and doubled messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from curation.models import Engine, EvaluationItem, Event, Run, Shard
from curation.models.runs import RunMode, RunState
from curation.models.shards import ShardState
from curation.services.valkey import EmbeddedValkey
from curation.stages import running

pytestmark = pytest.mark.chaos

Start = Callable[..., Run]
StartWorker = Callable[[], Any]
WaitFor = Callable[..., Any]


def state_of(run: Run) -> str:
    return Run.objects.values_list("state", flat=True).get(pk=run.pk)


def shard_state() -> str:
    return Shard.objects.values_list("state", flat=True).get()


@pytest.fixture
def slow_run(start: Start, script: Callable[..., Engine]) -> Run:
    """Evaluates the base on 4 samples, half a second each, in one shard."""
    return start(script(seconds=0.5), mode=RunMode.STEP)


def test_shard_is_given_back_at_once_when_the_worker_is_asked_to_end(
    slow_run: Run, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    worker = start_worker()
    wait_for(lambda: shard_state() == ShardState.LEASED)
    worker.stop(seconds=10)
    assert shard_state() == ShardState.PENDING
    assert Event.objects.filter(run_id=slow_run.pk, verb="shard.release").count() == 1
    start_worker()
    wait_for(lambda: state_of(slow_run) == RunState.WAITING)
    assert Shard.objects.get().attempt == 2


def test_shard_is_given_back_when_its_run_is_paused(slow_run: Run, start_worker: StartWorker, wait_for: WaitFor) -> None:
    start_worker()
    wait_for(lambda: shard_state() == ShardState.LEASED)
    running.pause_run(slow_run)
    wait_for(lambda: shard_state() == ShardState.PENDING, 15)
    assert not EvaluationItem.objects.exists()
    running.resume_run(slow_run)
    wait_for(lambda: state_of(slow_run) == RunState.WAITING)
    assert EvaluationItem.objects.count() == 4


def test_work_starts_when_the_broker_is_back(
    broker: EmbeddedValkey, start_worker: StartWorker, start: Start, script: Callable[..., Engine], wait_for: WaitFor
) -> None:
    start_worker()
    with redis.Redis.from_url(broker.client_url) as client:
        wait_for(lambda: client.client_list(_type="normal")[1:])
    broker.stop()
    run = start(script(), mode=RunMode.STEP)
    assert state_of(run) == RunState.RUNNING
    broker.start()
    wait_for(lambda: state_of(run) == RunState.WAITING, 90)
    assert Shard.objects.get().attempt == 1


def test_doubled_messages_change_nothing(
    broker: EmbeddedValkey, start_worker: StartWorker, slow_run: Run, wait_for: WaitFor
) -> None:
    from celery import Celery

    from curation.celery import WAKE_UP

    with Celery(broker=broker.url) as sender:
        for _ in range(6):
            sender.send_task(WAKE_UP)
    start_worker()
    start_worker()
    wait_for(lambda: state_of(slow_run) == RunState.WAITING)
    assert Shard.objects.get().attempt == 1
    assert Event.objects.filter(run_id=slow_run.pk, verb="shard.done").count() == 1
    assert EvaluationItem.objects.count() == 4
