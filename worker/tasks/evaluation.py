"""The greedy trace A₀ … Aₙ of every held-out sample or benchmark item of a shard (Alg. 1), each turn of all as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.db import close_old_connections

from curation.stages import evaluation
from curation.stages.jobs import EngineRequest
from toolcalls.adaptive import refine_traces
from toolcalls.records import Generation, Message, Sampling
from toolcalls.refinement import refine_messages, standing_text
from worker.leases import Lease
from worker.models import at_hand
from worker.station import Station


def run(station: Station, lease: Lease) -> str:
    settings = lease.claim.settings
    versions, prompts = zip(*evaluation.prompts(lease.claim), strict=True) if lease.claim.versions else ((), ())
    if not versions:
        evaluation.store(lease.claim, {})
        return "0 samples"
    with at_hand(station, lease), station.engines.serving(lease) as engine:
        asking = Asking(engine, prompts, Sampling(temperature=0.0, max_new_tokens=settings.max_new_tokens))
        refine_traces(asking, len(versions), settings.refine_turns)
    close_old_connections()  # Postgres may have been restarted meanwhile
    evaluation.store(lease.claim, dict(zip(versions, asking.given, strict=True)))
    return f"{len(versions)} samples, {asking.asked} answers"


class Answering(Protocol):
    """What an engine is to the traces."""

    def generate(self, requests: Sequence[EngineRequest]) -> dict[str, list[Generation]]: ...


class Asking:
    """Asks the engine one turn for many samples. `given`: of each sample the answers so far, A₀ first."""

    def __init__(self, engine: Answering, prompts: Sequence[tuple[Message, ...]], sampling: Sampling) -> None:
        self._engine, self._prompts, self._sampling = engine, prompts, sampling
        self.given: list[list[Generation]] = [[] for _ in prompts]
        self.asked = 0

    def __call__(self, batch: Sequence[tuple[int, str | None]]) -> list[str]:
        """The greedy answers to (item, its previous answer or None for the direct turn), in the batch's order."""
        answers = self._engine.generate([self._request(item, previous) for item, previous in batch])
        self.asked += len(batch)
        given = [answers[str(item)][0] for item, _ in batch]
        for (item, _), generation in zip(batch, given, strict=True):
            self.given[item].append(generation)
        return [standing_text(generation, previous) for (_, previous), generation in zip(batch, given, strict=True)]

    def _request(self, item: int, previous: str | None) -> EngineRequest:
        direct = self._prompts[item]
        messages = direct if previous is None else refine_messages(direct, previous)
        return EngineRequest(id=str(item), messages=messages, seeds=(0,), sampling=self._sampling)
