"""One worker process at its work: claims shards, as many at a time as its devices serve, until there is none."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from curation.services.errors import ServiceError
from curation.stages import measuring, shards, trying
from curation.stages.measuring import Job
from curation.stages.shards import Claim, LostLease
from curation.stages.trying import Asked
from toolcalls.errors import InputError
from worker.devices import DeviceGroup
from worker.leases import GivenUp, Lease
from worker.rack import EngineRack
from worker.sharing import Share

log = logging.getLogger(__name__)

Task = Callable[["Station", Lease], str]  # does the lease's shard; returns its counts in words for the log
Measure = Callable[["Station", Job, tuple[str, ...]], None]  # on these devices
Try = Callable[["Station", Asked, tuple[str, ...]], float]  # seconds until the model was there
IDLE = 60.0  # seconds without work after which the engine gives its memory back
AWAY = ("08", "57")  # classes of SQLSTATE: connection exception, operator intervention
LOOK = 1.0  # seconds between two looks of a lane that has nothing to do while another is at work
DATABASE_PAUSE = 1.0  # seconds before an unreachable database is asked again


class Station:
    """What one worker process has: a name, an engine, and whether it is to stop. Not in charge of what is done in a stage."""

    def __init__(self, tasks: Mapping[str, Task], var: Path, measure: Measure | None = None, try_out: Try | None = None) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.logs = var / "log"
        self.engines = EngineRack(self.logs)
        self.group = DeviceGroup()
        self._tasks, self._measure, self._try_out = tasks, measure, try_out
        self._share = Share()
        self._turn = threading.Condition()  # guards the group; told when devices are given back
        self._served: dict[tuple[str, ...], int] = {}  # devices → the run that they last worked for

    def own(self, devices: Sequence[str], locks: Path) -> None:
        """Work on these devices alone. Raises ServiceError when another worker of this host has one of them."""
        self.group = DeviceGroup(devices)
        self.group.lock(locks)

    def beat(self) -> None:
        """End engines that nobody needs: at once when their run was paused, stopped or failed, else after IDLE seconds.

        Called every second, by another thread than the one that works.
        """
        self.engines.end_idle(IDLE)
        for devices, run in tuple(self._served.items()):
            if shards.halted(run):
                self.engines.end_idle(0.0, devices)

    def work_off(self) -> int:
        """Do shards until none is left, the worker is to stop, or the database is gone. Returns how many were done."""
        if self.group.lanes == 1:
            return self._lane()
        with ThreadPoolExecutor(self.group.lanes, thread_name_prefix="lane") as lanes:
            return sum(future.result() for future in [lanes.submit(self._own_lane) for _ in range(self.group.lanes)])

    def _own_lane(self) -> int:
        try:
            return self._lane()
        finally:
            connection.close()

    def _lane(self) -> int:
        """One shard after another, as long as there is one, or another lane is at work that may bring some."""
        done = 0
        while not self.stopping.is_set():
            try:
                close_old_connections()
                taken = self._next()
                if taken is None:
                    break
                done += self._work(*taken)
            except (DatabaseError, InterfaceError) as error:
                log.error("the database does not answer; the reconciler will bring the work back: %s", str(error).strip())
                self.stopping.wait(DATABASE_PAUSE)
                if not self.group.busy:
                    break
        return done

    def _next(self) -> tuple[Claim | Job | Asked, tuple[str, ...]] | None:
        """What to do and the devices for it. None when there is nothing and nobody is at work, or the worker is to stop."""
        with self._turn:
            while not self.stopping.is_set():
                if (job := self._next_measuring()) is not None:
                    return job, self.group.take(self.group.most(job.claim.settings.engine_tensor_parallel))
                if (asked := self._next_trial(self._share.due)) is not None:
                    return asked, self._lent_to_a_trial(asked)
                if (claim := self._next_shard()) is not None:
                    devices = self.group.take(claim.devices)
                    self._served[devices] = claim.run_id
                    return claim, devices
                if (asked := self._next_trial(not self.group.busy)) is not None:
                    return asked, self._lent_to_a_trial(asked)
                if not self.group.busy:
                    return None
                self._turn.wait(LOOK)
        return None

    def _next_measuring(self) -> Job | None:
        """A person waits for it: it comes before any shard, once those under way are done."""
        return None if self._measure is None or self.group.busy else measuring.claim_next(self.owner)

    def _next_trial(self, now: bool) -> Asked | None:
        """A person waits for it: it comes before a shard when the shards have had their share of the time, else after them."""
        return trying.claim_next(self.owner, self.group.room()) if self._try_out is not None and now else None

    def _lent_to_a_trial(self, asked: Asked) -> tuple[str, ...]:
        """Its engine is no run's to end."""
        devices = self.group.take(asked.claim.devices)
        self._served.pop(devices, None)
        return devices

    def _next_shard(self) -> Claim | None:
        """None as long as devices are to come free for what comes first."""
        if self._measure is not None and self.group.busy and measuring.claimable().exists():
            return None
        if self._try_out is not None and self.group.busy and self._share.due and trying.claimable().exists():
            return None
        return shards.claim_next(self.owner, room=self.group.room())

    def _work(self, taken: Claim | Job | Asked, devices: tuple[str, ...]) -> bool:
        """One shard, measuring or trial, on devices that are then given back. Raises only what the database raises."""
        began, loading = self._share.clock(), 0.0
        try:
            if isinstance(taken, Claim):
                return self._do(taken, devices)
            if isinstance(taken, Job) and self._measure is not None:
                self._measure(self, taken, devices)
            elif isinstance(taken, Asked) and self._try_out is not None:
                loading = self._try_out(self, taken, devices)
            return False
        finally:
            with self._turn:
                if isinstance(taken, Asked):
                    self._share.spent(self._share.clock() - began, loading)
                self.group.give_back(devices)
                self._turn.notify_all()

    def _do(self, claim: Claim, devices: tuple[str, ...]) -> bool:
        """Every way that a shard can end."""
        began = time.monotonic()
        where = f"run {claim.run_id} iteration {claim.iteration_number} {claim.stage_kind} shard {claim.shard_id}"
        try:
            with Lease(claim, self.stopping, devices=devices) as lease:
                counts = self._tasks[claim.stage_kind](self, lease)
        except (GivenUp, LostLease) as error:
            log.warning("%s attempt %d given up: %s", where, claim.attempt, error)
            shards.release(claim)
        except (DatabaseError, InterfaceError) as error:
            if is_away(error):
                raise
            self._fail(claim, where, error, retry=True)
        except InputError as error:
            self._fail(claim, where, error, retry=False)
        except Exception as error:
            self._fail(claim, where, error, retry=True)
        else:
            log.info("%s attempt %d done: %s in %.1f s", where, claim.attempt, counts, time.monotonic() - began)
            return True
        return False

    def _fail(self, claim: Claim, where: str, error: Exception, *, retry: bool) -> None:
        known = isinstance(error, InputError | RuntimeError | OSError | DatabaseError | ServiceError)
        log.error("%s attempt %d failed: %s", where, claim.attempt, error, exc_info=None if known else error)
        close_old_connections()
        shards.fail(claim, str(error) if known else f"{type(error).__name__}: {error}", retry=retry)


def is_away(error: Exception) -> bool:
    """Whether the database could not be reached or was going down; otherwise it answered, and refused (e.g. a full disk)."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate is None or sqlstate.startswith(AWAY)
