"""Messages to the workers. A message is a wake-up only: lost, doubled or late, it changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from django.db.models.functions import Now

from curation.celery import WAKE_UP, app
from curation.models import Measuring, Shard, Trial
from curation.models.measuring import MeasuringState
from curation.models.runs import RunState
from curation.models.shards import ShardState, StageState
from curation.models.trials import TrialState

log = logging.getLogger(__name__)

QUEUE = "celery"
MOST_MESSAGES = 32  # that may lie in the queue; a worker that wakes up works until no shard is left
RESEND = 10.0  # seconds after which a pending shard is thought to have no message
PATIENCE: Mapping[str, Any] = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "max_retries": 0,
    "connect_retries_timeout": 0.5,
    "interval_start": 0,
}


def wake(shard_ids: Collection[int]) -> bool:
    """Tell the workers that these shards wait; best effort, about a second at most. Returns whether the broker took it.

    Call it in transaction.on_commit. Never raises for a broker that is away: the reconciler sends again.
    """
    if not shard_ids:
        return True
    if not _sent(min(len(shard_ids), MOST_MESSAGES)):
        return False
    Shard.objects.filter(pk__in=shard_ids, state=ShardState.PENDING).update(sent_at=Now())
    return True


def wake_measuring() -> bool:
    """Tell a worker that somebody waits for a measuring, unless that was said RESEND seconds ago; as `wake` does."""
    return _wake_for(Measuring, MeasuringState.WAITING, MeasuringState.MEASURING)


def wake_trials() -> bool:
    """The same for trials."""
    return _wake_for(Trial, TrialState.WAITING, TrialState.ANSWERING)


def _wake_for(asked: type[Measuring] | type[Trial], waiting: str, held: str) -> bool:
    """For those that wait, and those whose worker is thought dead."""
    rows = asked._default_manager
    silent = rows.filter(state=waiting).exclude(sent_at__gt=Now() - timedelta(seconds=RESEND))
    dead = rows.filter(state=held, lease_until__lt=Now())
    numbers = [*silent.values_list("pk", flat=True), *dead.values_list("pk", flat=True)]
    if not numbers:
        return True
    if not _sent(len(numbers)):
        return False
    rows.filter(pk__in=numbers, state=waiting).update(sent_at=Now())
    return True


def _sent(messages: int) -> bool:
    try:
        _send(messages)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("no worker was woken, the broker does not answer: %s", error)
        return False
    return True


def _send(messages: int) -> None:
    """Fill the queue up to `messages`: a queue that nobody reads does not grow."""
    with app.connection_for_write(transport_options=dict(PATIENCE)) as connection:
        waiting = connection.default_channel.queue_declare(QUEUE).message_count
        with app.amqp.Producer(connection) as producer:
            for _ in range(messages - waiting):
                app.send_task(WAKE_UP, queue=QUEUE, producer=producer, retry=False)


def unsent_shards() -> list[int]:
    """Shards that a worker could claim now and whose last message is RESEND seconds old, or that never had one."""
    waiting = Shard.objects.filter(
        state=ShardState.PENDING,
        stage__state=StageState.RUNNING,
        stage__awaited=None,
        stage__iteration__run__state=RunState.RUNNING,
    )
    return list(waiting.exclude(sent_at__gt=Now() - timedelta(seconds=RESEND)).order_by("pk").values_list("pk", flat=True))
