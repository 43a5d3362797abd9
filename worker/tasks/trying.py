"""Answer a person's question with adaptive self-refine (ToolACE-R §3.3, Alg. 1), and keep each turn as it comes."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, close_old_connections

from curation.services.errors import ServiceError
from curation.stages import trying
from curation.stages.jobs import EngineRequest
from curation.stages.trial_turns import Turn
from curation.stages.trying import Asked
from curation.storage.errors import StoreError
from toolcalls.adaptive import adaptive_answer, same_answer
from toolcalls.errors import InputError
from toolcalls.prompts import direct_messages
from toolcalls.records import Sampling
from toolcalls.refinement import refine_messages, standing_text
from worker.engines import EngineChild
from worker.leases import GivenUp, LimitedLease
from worker.models import at_hand

if TYPE_CHECKING:
    from worker.station import Station

log = logging.getLogger(__name__)

ADVICE = ", the loading of the model included; ask for fewer new tokens, or later"


class TrialLease(LimitedLease):
    """A trial being worked on, and since when its model is ready."""

    def __init__(self, asked: Asked, stopping: threading.Event, devices: tuple[str, ...] = ()) -> None:
        super().__init__(
            asked.claim,
            stopping,
            partial(trying.renew, asked),
            lock_space=trying.LOCK_SPACE,
            limit=trying.LIMIT,
            advice=ADVICE,
            devices=devices,
        )
        self.asked, self._ready = asked, 0.0

    @property
    def loading(self) -> float:
        """Seconds until the model was ready, so far if it is not."""
        return (self._ready or time.monotonic()) - self._began

    def ready(self) -> None:
        """The model is."""
        self._ready = time.monotonic()
        trying.loaded(self.asked)


def work(station: Station, asked: Asked, devices: tuple[str, ...] = ()) -> float:
    """One trial, with every way it can end; the seconds until its model was there. Raises only what the database raises."""
    lease = TrialLease(asked, station.stopping, devices)
    try:
        with lease:
            turns = run(station, lease)
    except GivenUp as error:
        if lease.too_long:
            _fail(asked, str(error))
        else:
            trying.release(asked)
    except (DatabaseError, InterfaceError):
        raise
    except (InputError, RuntimeError, OSError, ServiceError, StoreError) as error:
        _fail(asked, str(error))
    except Exception as error:
        log.exception("trial %d broke", asked.trial)
        _fail(asked, f"{type(error).__name__}: {error}")
    else:
        log.info("trial %d done: %d turns, its model was there after %.1f s", asked.trial, turns, lease.loading)
    return lease.loading


def _fail(asked: Asked, error: str) -> None:
    log.error("trial %d failed: %s", asked.trial, error)
    close_old_connections()
    trying.fail(asked.trial, asked.attempt, error)


def run(station: Station, lease: TrialLease) -> int:
    """How many turns it took, the direct one included."""
    with at_hand(station, lease), station.engines.serving(lease) as engine:
        engine.wait_until_ready()
        close_old_connections()  # Postgres may have been restarted meanwhile
        lease.ready()
        asking = _Asking(engine, lease)
        adaptive_answer(asking, lease.claim.settings.refine_turns)
    trying.complete(lease.asked, asking.turns, agreed=asking.agreed)
    return len(asking.turns)


class _Asking:
    """Asks one turn after another, greedy, and keeps what came. Where a refine prompt does not fit, the answer before stands."""

    def __init__(self, engine: EngineChild, lease: TrialLease) -> None:
        self._engine, self._lease, self._asked = engine, lease, lease.asked
        settings = lease.claim.settings
        self._direct = direct_messages(self._asked.question, keep=settings.prompts == "keep")
        self._sampling = Sampling(temperature=0.0, max_new_tokens=settings.max_new_tokens)
        self.turns: list[Turn] = []

    def __call__(self, previous: str | None) -> str:
        self._lease.check()
        messages = self._direct if previous is None else refine_messages(self._direct, previous)
        began = time.monotonic()
        (made,) = self._engine.generate([EngineRequest("0", messages, (0,), self._sampling)])["0"]
        self.turns.append(Turn.of(made, time.monotonic() - began))
        close_old_connections()
        trying.store(self._asked, self.turns)
        return standing_text(made, previous)

    @property
    def agreed(self) -> bool:
        """Whether the last two answers are the same."""
        last = self.turns[-2:]
        return len(last) == 2 and last[1].finish_reason != "too_long" and same_answer(last[1].text, last[0].text)
