"""What a worker held that died goes back to the others."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from curation.models import Measuring, Shard, Trial
from curation.models.shards import ShardState
from curation.stages import events, loop
from curation.stages.moves import move_all

LEASE = 30.0  # seconds that a claim or a renewal lasts
GRACE = 5.0  # seconds since the last sign of life before a missing advisory lock is taken for death
MOST_DEATHS = 20  # of its workers, then it is no accident: the shard kills them, and the run fails
LOCK_SPACE = 7301  # first key of the workers' advisory locks; the second is the shard's id

_LOCKED = """
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid = %s AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_SETTLED = "SELECT pg_postmaster_start_time() < now() - make_interval(secs => %s)"


def dead_shards() -> list[Shard]:
    """Leased shards whose lease is over, or whose lock no session holds GRACE seconds after the last sign of life.

    A claim and every renewal are signs of life: the grace covers the time from a claim to its lock. A restart of the server
    ends every lock; those who live take theirs again, and have the grace for that too.
    """
    silent = Shard.objects.filter(state=ShardState.LEASED, lease_until__lt=Now() + timedelta(seconds=LEASE - GRACE))
    rows = list(silent.annotate(over=Q(lease_until__lt=Now())).select_related("stage__iteration").order_by("pk"))
    if not rows:
        return []
    locked = locks_held(LOCK_SPACE)
    return [shard for shard in rows if shard.over or (locked is not None and shard.pk not in locked)]


def locks_held(space: int) -> set[int] | None:
    """Second keys of the advisory locks that sessions hold; None as long as after a restart of the server some may be missing."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, [GRACE])
        (settled,) = cursor.fetchone()
        cursor.execute(_LOCKED, [space])
        return {key for (key,) in cursor.fetchall()} if settled else None


def end_dead_leases(held: QuerySet[Measuring] | QuerySet[Trial], space: int) -> int:
    """End the leases of those whose worker has given no sign of life for GRACE seconds and holds no lock; returns how many."""
    silent = held.filter(lease_until__gt=Now(), lease_until__lt=Now() + timedelta(seconds=LEASE - GRACE))
    rows = list(silent.values_list("pk", "attempt", "lease_until"))
    locked = locks_held(space) if rows else None
    if locked is None:
        return 0
    dead = (held.filter(pk=pk, attempt=attempt, lease_until=until) for pk, attempt, until in rows if pk not in locked)
    return sum(one.update(lease_until=Now()) for one in dead)


def return_dead_shards() -> int:
    """Make them pending again, unless they were renewed or claimed meanwhile; returns how many.

    One whose workers died MOST_DEATHS times fails, and its run with it.
    """
    return sum(_return(shard) for shard in dead_shards())


@transaction.atomic
def _return(shard: Shard) -> int:
    run = loop.locked(shard.stage.iteration.run_id)  # before the shard, as everywhere
    seen = Shard.objects.filter(pk=shard.pk, attempt=shard.attempt, lease_until=shard.lease_until)
    deaths = shard.deaths + 1
    to = ShardState.FAILED if deaths >= MOST_DEATHS else ShardState.PENDING
    if not move_all(seen, ShardState.LEASED, to, deaths=F("deaths") + 1, owner="", lease_until=None, sent_at=None):
        return 0
    before = {"attempt": shard.attempt, "owner": shard.owner}
    why = "the lease was over" if shard.over else "its worker's session is gone"
    events.record("shard.return", shard, run_id=run.pk, before=before, after={"state": to, "deaths": deaths}, why=why)
    if to == ShardState.FAILED:
        advice = "see the worker's log for what ended it (out of memory?), then retry the run"
        loop.fail(run, shard.stage, f"shard {shard.number} was worked on {deaths} times by a worker that died; {advice}")
    return 1
