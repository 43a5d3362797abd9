"""Messages: best effort, bounded in number and in time."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from django.utils import timezone

from curation.celery import WAKE_UP, app
from curation.models import Run, Shard
from curation.models.shards import ShardState
from curation.stages import running, waking

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


def waiting_shards() -> list[int]:
    return list(Shard.objects.filter(state=ShardState.PENDING).values_list("pk", flat=True))


@pytest.fixture
def run(make_run: Callable[..., Run], hand: Any) -> Run:
    made: Run = make_run(shard_samples=1)
    running.start_run(made)
    hand.work_off(4)
    return made


def test_an_opened_stage_wakes_workers_once_for_each_shard(run: Run, queue: Callable[[], int]) -> None:
    assert queue() == 8  # the 4 of iteration 0's evaluation lie there unread
    assert not waking.unsent_shards()
    assert not Shard.objects.filter(state=ShardState.PENDING, sent_at=None).exists()


def test_a_queue_that_nobody_reads_does_not_grow(run: Run, queue: Callable[[], int]) -> None:
    for _ in range(3):
        assert waking.wake(waiting_shards())
    assert queue() == 8
    assert waking.wake(range(10**6, 10**6 + 1000))
    assert queue() == waking.MOST_MESSAGES


def test_a_message_that_is_old_is_sent_again_only_for_a_run_that_runs(run: Run) -> None:
    old = timezone.now() - timedelta(seconds=waking.RESEND + 1)
    Shard.objects.filter(state=ShardState.PENDING).update(sent_at=old)
    assert waking.unsent_shards() == waiting_shards()
    running.pause_run(run)
    assert not waking.unsent_shards()


def test_a_worker_can_read_what_a_real_broker_was_sent(run: Run, valkey: Any) -> None:
    app.conf.broker_url = valkey.url
    with app.connection_for_read() as connection:
        connection.default_channel.queue_purge("celery")
        assert waking.wake(waiting_shards())
        message = connection.SimpleQueue("celery").get(timeout=2)
        message.ack()
        assert message.headers["task"] == WAKE_UP
        connection.default_channel.queue_purge("celery")


def refused() -> str:
    return "redis+socket:///nonexistent/valkey.sock?virtual_host=0"


def unreachable() -> str:
    return "redis://203.0.113.1:6379/0"


@pytest.mark.parametrize("address", [refused, unreachable])
def test_a_broker_that_is_away_costs_a_second_and_raises_nothing(
    run: Run, address: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    app.conf.broker_url = address()
    Shard.objects.update(sent_at=None)
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, logger="curation.stages.waking"):
        assert not waking.wake(waiting_shards())
    assert time.monotonic() - began < 1.5
    assert "the broker does not answer" in caplog.text
    assert waking.unsent_shards() == waiting_shards()


def test_a_broker_that_accepts_but_never_answers_costs_a_second(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        app.conf.broker_url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        began = time.monotonic()
        assert not waking.wake(waiting_shards())
        assert time.monotonic() - began < 1.5


def test_nothing_to_wake_for_asks_no_broker(db: None) -> None:
    app.conf.broker_url = refused()
    assert waking.wake([])
