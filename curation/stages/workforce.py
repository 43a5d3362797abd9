"""Which workers live and how many devices each owns: told by a lock that a worker holds for as long as its session lives."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from django.db import connection

from curation.models import Run, Shard
from curation.models.runs import RunState
from curation.models.shards import ShardState, StageKind, StageState

LOCK_SPACE = 7304  # first key of the workers' shared advisory locks; the second is the number of devices
WHATEVER = 0  # devices of a worker without a group: it takes any job, on what CUDA shows it

_OWNED = """
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid = %s AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY objid
"""


def sign_in(session: psycopg.Connection[tuple[bool]], devices: int) -> None:
    """Count a worker that owns so many devices among the living, until the session ends."""
    session.execute("SELECT pg_try_advisory_lock_shared(%s, %s)", [LOCK_SPACE, devices])


def devices_owned() -> tuple[int, ...]:
    """Of every worker that lives, the fewest first."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNED, [LOCK_SPACE])
        return tuple(number for (number,) in cursor.fetchall())


def lack(run: Run) -> str:
    """What a run waits for when no worker that lives may take its next shard, in words; empty when one may, or none is to be
    taken. Two queries at most."""
    if run.state != RunState.RUNNING:
        return ""
    open_ = Shard.objects.filter(
        stage__iteration__run=run, stage__state=StageState.RUNNING, stage__awaited=None,
        state__in=[ShardState.LEASED, ShardState.PENDING],
    )  # fmt: skip
    shard = open_.select_related("stage").order_by("state").first()  # one that is worked on before those that wait
    if shard is None or shard.state == ShardState.LEASED:
        return ""
    return in_words(StageKind(shard.stage.kind), shard.stage.devices, devices_owned())


def in_words(kind: StageKind, needed: int, owned: Sequence[int]) -> str:
    """Empty when one of the workers may take a shard of the stage."""
    if WHATEVER in owned or any(number >= needed for number in owned):
        return ""
    wanted = f" that owns {needed} devices or more" if needed > 1 else ""
    return f"{kind.label} waits for a worker{wanted}: {_said(owned)}."


def _said(owned: Sequence[int]) -> str:
    if not owned:
        return "none is running"
    if len(owned) == 1:
        return f"the only one that is running owns {owned[0]}"
    return f"those that are running own {', '.join(map(str, owned[:-1]))} and {owned[-1]}"
