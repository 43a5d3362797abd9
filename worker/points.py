"""Points of a training on their way: to the store while it goes on, and from there to the host that takes it over."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from curation.stages import points
from curation.stages.shards import Claim, LostLease
from curation.stages.training import TrainingJob
from curation.storage.errors import StoreError
from curation.storage.store import Check
from trainer.points import adopt, step_of, take, whole

log = logging.getLogger(__name__)

TICK = 1.0  # seconds between two looks for a new point
PATIENCE = 5.0  # seconds that the end of a training waits for one that is on its way


def gather(job: TrainingJob, check: Check) -> None:
    """Have all points that are left of earlier attempts where the training looks for them: this host's, and the store's where
    that is a later one. A store that does not give it costs the steps since then, not the training."""
    job.points.mkdir(parents=True, exist_ok=True)
    for earlier in job.earlier_points:
        adopt(earlier, job.points)
    if not job.stored_point:
        return
    try:
        _fetch(job, check)
    except StoreError as error:
        log.warning("the training goes on without its last point: %s", error)


def _fetch(job: TrainingJob, check: Check) -> None:
    here = [step_of(point) for point in whole(job.points)[:1]]
    if here and here[0] >= max(step_of(Path(name)) for name in points.names_of(job.stored_point)):
        return
    with tempfile.TemporaryDirectory(dir=job.points, prefix=".stored-") as folder:
        points.fetch(job.stored_point, Path(folder), check)
        adopt(Path(folder), job.points)


@contextmanager
def publishing(claim: Claim, folder: Path) -> Iterator[None]:
    """Within the block, put the last whole point of `folder` into the store whenever there is a later one; where the next is made
    before one has arrived, those between are left out. Nothing of it disturbs the training."""
    if not settings.ARTIFACTS_POINTS:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_publish_all, args=(claim, folder, ended), name="points", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE)


class _Ended(Exception):
    """The training is over."""


def _publish_all(claim: Claim, folder: Path, ended: threading.Event) -> None:
    def check() -> None:
        if ended.is_set():
            raise _Ended

    done = -1
    try:
        while not ended.wait(TICK):
            done = _publish_last(claim, folder, done, check)
    except (LostLease, _Ended):
        pass
    finally:
        connection.close()


def _publish_last(claim: Claim, folder: Path, done: int, check: Check) -> int:
    """The step of the last point that is published; `done` is that of the one before."""
    point = next(iter(whole(folder)), None)
    if point is None or step_of(point) <= done:
        return done
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}-stored-"))
    try:
        if take(point, aside):
            points.publish(claim, aside, check)
            log.info("shard %s: the point after step %d is in the store", claim.shard_id, step_of(point))
            return step_of(point)
    except (StoreError, DatabaseError, InterfaceError, OSError) as error:
        log.warning("shard %s: the point after step %d is not in the store: %s", claim.shard_id, step_of(point), error)
        connection.close()
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return done
