"""Hold a shard while it is worked on: its advisory lock, its lease, and the end of its child when either is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Protocol

from django.db import DatabaseError, InterfaceError, connection

from curation.stages import shards
from curation.stages.shards import Claim

log = logging.getLogger(__name__)

TICK = 0.2  # seconds between two looks at whether the worker is to stop
MOST_LEASES = 256  # that one process holds at a time: no host has so many devices

# A thread that has held a lease waits for the next one, and has its connection still where the settings keep connections.
_holders = ThreadPoolExecutor(MOST_LEASES, thread_name_prefix="lease")


class Killable(Protocol):
    def kill(self) -> None: ...


class GivenUp(Exception):
    """The shard is no longer ours to work on: paused, cancelled, lost to another worker, or this worker is to stop."""


class Lease:
    """A claim being worked on. A thread with a connection of its own holds the shard's advisory lock, whose disappearance
    tells the reconciler of our death, and renews the lease. When the lease is lost the child that works for it is killed.

    Not in charge of keeping late results out: that is the fence in the storing transaction.
    """

    lock_space = shards.LOCK_SPACE

    def __init__(
        self,
        claim: Claim,
        stopping: threading.Event,
        *,
        devices: tuple[str, ...] = (),
        heartbeat: float = shards.HEARTBEAT,
    ) -> None:
        self.claim, self._stopping, self._heartbeat = claim, stopping, heartbeat
        self.devices = devices  # that the work may use; none: whatever there is
        self.lost = ""  # why the shard was given up, in words
        self._child: Killable | None = None
        self._locked_on: object = None  # the session that holds the advisory lock
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._holding: Future[None] | None = None

    def __enter__(self) -> Lease:
        self._holding = _holders.submit(self._hold)
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        if self._holding is not None:
            self._holding.result()

    @contextmanager
    def watching(self, child: Killable) -> Iterator[None]:
        """Kill `child` if the lease is lost before or inside the block, and then raise GivenUp whatever the block made of it."""
        with self._guard:
            self._child, lost = child, self.lost
        try:
            if lost:
                child.kill()
            self.check()
            yield
        except Exception as error:
            if self.lost and not isinstance(error, GivenUp):
                raise GivenUp(self.lost) from error
            raise
        finally:
            with self._guard:
                self._child = None

    def check(self) -> None:
        """Raises GivenUp when the lease is lost."""
        if self.lost:
            raise GivenUp(self.lost)

    def _hold(self) -> None:
        try:
            renewed = due = time.monotonic()
            while not self.lost:
                if self._stopping.is_set():
                    self._give_up("this worker is stopping")
                elif time.monotonic() >= due:
                    renewed = self._renew(renewed)
                    due = time.monotonic() + self._heartbeat
                if self._ended.wait(TICK):
                    break
        finally:
            self._unlock()

    def _renew(self, renewed: float) -> float:
        """Lock if not locked, renew the lease; the time of the last success. An unreachable database is waited for."""
        try:
            self._lock()
            if not self._prolong():
                self._give_up("it was paused, stopped or given to another worker")
            return time.monotonic()
        except (DatabaseError, InterfaceError) as error:
            log.warning("shard %s: lease not renewed: %s", self.claim.shard_id, str(error).strip())
            with suppress(Exception):
                connection.close()
            if time.monotonic() - renewed > shards.LEASE:
                self._give_up("the database could not be reached for the length of a lease")
            return renewed

    def _prolong(self) -> bool:
        return shards.renew(self.claim)

    def _lock(self) -> None:
        """Take the advisory lock. A new connection has none; a lock that we hold is only counted once more, so ask first."""
        if connection.connection is not None and self._locked_on is connection.connection:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [self.lock_space, self.claim.shard_id])
            if cursor.fetchone()[0]:
                self._locked_on = connection.connection

    def _unlock(self) -> None:
        """A session that is kept outlives its use, so it is asked to free the lock; closing one that cannot frees it."""
        try:
            if self._locked_on is not None and self._locked_on is connection.connection:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [self.lock_space, self.claim.shard_id])
            connection.close_if_unusable_or_obsolete()
        except (DatabaseError, InterfaceError):
            with suppress(DatabaseError, InterfaceError):
                connection.close()

    def _give_up(self, why: str) -> None:
        with self._guard:
            self.lost = why
            child = self._child
        if child is not None:
            child.kill()


class LimitedLease(Lease):
    """What a person waits for, being worked on: lost as well when it has taken `limit` seconds, for which `advice` goes on."""

    def __init__(
        self,
        claim: Claim,
        stopping: threading.Event,
        renew: Callable[[], bool],
        *,
        lock_space: int,
        limit: float,
        advice: str,
        devices: tuple[str, ...] = (),
        heartbeat: float = shards.HEARTBEAT,
    ) -> None:
        super().__init__(claim, stopping, devices=devices, heartbeat=heartbeat)
        self.lock_space, self.too_long = lock_space, False
        self._renew_row, self._limit, self._advice = renew, limit, advice
        self._began = time.monotonic()

    def _prolong(self) -> bool:
        if time.monotonic() > self._began + self._limit:
            self.too_long = True
            self._give_up(f"it took longer than {self._limit:.0f} s{self._advice}")
            return True
        return self._renew_row()
