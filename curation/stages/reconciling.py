"""The reconciler: brings back what died and sends what has no message, whatever the broker lost. One is at it at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from django.db import InterfaceError, OperationalError, connection

from curation.direct_address import direct_address
from curation.models import Run
from curation.stages import export_sweep, loop, measuring, shards, trying, waking

log = logging.getLogger(__name__)

BEAT = 1.0  # seconds between two looks
MOST_BACK_OFF = 10.0  # seconds between two tries to reach a database that is away
BROKER_PAUSE = 5.0  # seconds before a broker that did not answer is tried again
LONGEST_SILENCE = 15.0  # seconds without a word from the elected after which its session, and the lock, is ended
ELECTION = 7302  # key of the advisory lock whose holder reconciles
Session = psycopg.Connection[tuple[bool]]


def reconcile_once(*, send: bool = True) -> bool:
    """Return dead shards, abort dead exports, take every running run as far as it goes, and send for shards without a message.

    False when the broker did not answer; it is left out with `send` false. A run that cannot be taken further keeps no
    other from it. Raises what the database raises.
    """
    if returned := shards.return_dead_shards():
        log.warning("%d shards of dead workers are pending again", returned)
    if given_up := export_sweep.abort_silent():
        log.warning("%d exports were not heard of any more and are aborted", given_up)
    if returned := measuring.end_dead_leases():
        log.warning("%d measurings of dead workers can be taken again", returned)
    if returned := trying.end_dead_leases():
        log.warning("%d trials of dead workers can be taken again", returned)
    if given_up := trying.give_up_waiting():
        log.warning("%d trials that no worker took have failed", given_up)
    for run_id in list(Run.objects.running().values_list("pk", flat=True)):
        try:
            loop.advance(run_id)
        except (InterfaceError, OperationalError):
            raise
        except Exception:
            log.exception("run %d cannot be advanced", run_id)
    if not send:
        return True
    return shards.wake(shards.unsent_shards()) and waking.wake_measuring() and waking.wake_trials()


class Reconciler(threading.Thread):
    """Beats every second until `stop`. Of all that run, in workers and supervisors, one is elected by an advisory lock.

    It holds that lock on a connection of its own, and outlives restarts of the database. Postgres itself deposes an elected
    process that stands still, or whose host is gone, after `silence` seconds. `on_beat`, if given, is called at every beat,
    elected or not; `on_session` is given every session that it opens, which lasts as long as this process gives signs of life.
    Not in charge of what is done: `reconcile_once`.
    """

    def __init__(
        self,
        *,
        beat: float = BEAT,
        on_beat: Callable[[], None] | None = None,
        on_session: Callable[[Session], None] | None = None,
        silence: float = LONGEST_SILENCE,
    ) -> None:
        super().__init__(name="reconciler", daemon=True)
        self._beat, self._on_beat, self._on_session, self._silence = beat, on_beat, on_session, silence
        self._stopping = threading.Event()
        self._election: Session | None = None
        self._elected = False
        self._silent_until = 0.0

    def stop(self) -> None:
        """Ask it to end; join it to wait for that."""
        self._stopping.set()

    @property
    def elected(self) -> bool:
        return self._elected

    def run(self) -> None:
        pause = self._beat
        while not self._stopping.wait(pause):
            try:
                self._once()
                pause = self._beat
            except (InterfaceError, OperationalError, psycopg.OperationalError) as error:
                pause = min(max(2 * pause, self._beat), MOST_BACK_OFF)
                log.warning("the database does not answer, tried again in %.0f s: %s", pause, str(error).strip())
                self._resign()
            except Exception:
                log.exception("the reconciler stumbled and goes on")
        self._resign()

    def _once(self) -> None:
        if self._on_beat is not None:
            self._on_beat()
        if not self._is_elected():
            return
        send = time.monotonic() >= self._silent_until
        if not reconcile_once(send=send):
            self._silent_until = time.monotonic() + BROKER_PAUSE

    def _is_elected(self) -> bool:
        """Ask on the election's own session, which shows at once when it, and the lock with it, is gone."""
        if self._election is None:
            self._election = psycopg.connect(direct_address(), autocommit=True)
            self._election.execute(f"SET idle_session_timeout = '{self._silence * 1000:.0f}ms'")
            if self._on_session is not None:
                self._on_session(self._election)
        if self._elected:
            self._election.execute("SELECT true")
            return True
        row = self._election.execute("SELECT pg_try_advisory_lock(%s)", [ELECTION]).fetchone()
        self._elected = row is not None and row[0]
        if self._elected:
            log.info("this process reconciles")
        return self._elected

    def _resign(self) -> None:
        """Close both sessions; the election's lock goes with its own."""
        self._elected = False
        if self._election is not None:
            with suppress(psycopg.Error):
                self._election.close()
            self._election = None
        with suppress(InterfaceError, OperationalError):
            connection.close()
