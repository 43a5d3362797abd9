"""One worker process at its work: claims a shard, does it, and takes the next until there is none."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from django.db import DatabaseError, InterfaceError, close_old_connections

from curation.services.errors import ServiceError
from curation.stages import measuring, shards
from curation.stages.measuring import Job
from curation.stages.shards import Claim, LostLease
from toolcalls.errors import InputError
from worker.engines import EngineKeeper
from worker.leases import GivenUp, Lease
from worker.logs import log_file

log = logging.getLogger(__name__)

Task = Callable[["Station", Lease], str]  # does the lease's shard; returns its counts in words for the log
Measure = Callable[["Station", Job], None]
IDLE = 60.0  # seconds without work after which the engine gives its memory back
AWAY = ("08", "57")  # classes of SQLSTATE: connection exception, operator intervention
DATABASE_PAUSE = 1.0  # seconds before an unreachable database is asked again


class Station:
    """What one worker process has: a name, an engine, and whether it is to stop. Not in charge of what is done in a stage."""

    def __init__(self, tasks: Mapping[str, Task], var: Path, measure: Measure | None = None) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.logs = var / "log"
        self.engines = EngineKeeper(log_file(self.logs, "engine"))
        self._tasks, self._measure = tasks, measure
        self._served: int | None = None  # the run that was last worked on

    def beat(self) -> None:
        """End an engine that nobody needs: at once when its run was paused, stopped or failed, else after IDLE seconds.

        Called every second, by another thread than the one that works.
        """
        self.engines.end_idle(IDLE)
        if self._served is not None and shards.halted(self._served):
            self.engines.end_idle(0.0)

    def work_off(self) -> int:
        """Do shards until none is left, the worker is to stop, or the database is gone. Returns how many were done."""
        done = 0
        while not self.stopping.is_set():
            try:
                close_old_connections()
                if self._measure is not None and (job := measuring.claim_next(self.owner)) is not None:
                    self._measure(self, job)  # before any shard: a person waits for it
                    continue
                claim = shards.claim_next(self.owner)
                if claim is None:
                    break
                done += self._work(claim)
            except (DatabaseError, InterfaceError) as error:
                log.error("the database does not answer; the reconciler will bring the work back: %s", str(error).strip())
                self.stopping.wait(DATABASE_PAUSE)
                break
        return done

    def _work(self, claim: Claim) -> bool:
        """One shard, with every way it can end. Raises only what the database raises."""
        began, self._served = time.monotonic(), claim.run_id
        where = f"run {claim.run_id} iteration {claim.iteration_number} {claim.stage_kind} shard {claim.shard_id}"
        try:
            with Lease(claim, self.stopping) as lease:
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
