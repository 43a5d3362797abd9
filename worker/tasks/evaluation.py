"""The greedy trace A₀ … Aₙ of every held-out sample of a shard (Alg. 1), all samples' turns as one batch each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.db import close_old_connections

from curation.stages import evaluation
from curation.stages.jobs import EngineRequest, Trace
from toolcalls.adaptive import refine_traces
from toolcalls.prompts import direct_messages
from toolcalls.records import Generation, Message, Sampling
from toolcalls.refinement import refine_messages
from worker.leases import Lease
from worker.models import at_hand
from worker.station import Station


def run(station: Station, lease: Lease) -> str:
    settings = lease.claim.settings
    items = evaluation.items(lease.claim)
    if not items:
        evaluation.store(lease.claim, {})
        return "0 samples"
    prompts = [direct_messages(sample, keep=settings.prompts == "keep") for _, sample in items]
    with at_hand(station, lease), station.engines.serving(lease) as engine:
        asking = Asking(engine, prompts, Sampling(temperature=0.0, max_new_tokens=settings.max_new_tokens))
        traces = refine_traces(asking, len(items), settings.refine_turns)
    close_old_connections()  # Postgres may have been restarted meanwhile
    results = {version: asking.trace(item, traces[item]) for item, (version, _) in enumerate(items)}
    evaluation.store(lease.claim, results)
    return f"{len(items)} samples, {asking.asked} answers"


class Answering(Protocol):
    """What an engine is to the traces."""

    def generate(self, requests: Sequence[EngineRequest]) -> dict[str, list[Generation]]: ...


class Asking:
    """Asks the engine one turn for many samples. Remembers each direct prompt's hash, and which answers an end token ended."""

    def __init__(self, engine: Answering, prompts: Sequence[tuple[Message, ...]], sampling: Sampling) -> None:
        self._engine, self._prompts, self._sampling = engine, prompts, sampling
        self._hashes: dict[int, str] = {}
        self._finished: list[list[bool]] = [[] for _ in prompts]
        self.asked = 0

    def __call__(self, batch: Sequence[tuple[int, str | None]]) -> list[str]:
        """The greedy answers to (item, its previous answer or None for the direct turn), in the batch's order."""
        answers = self._engine.generate([self._request(item, previous) for item, previous in batch])
        self.asked += len(batch)
        given = [answers[str(item)][0] for item, _ in batch]
        for (item, _), generation in zip(batch, given, strict=True):
            self._hashes.setdefault(item, generation.prompt_hash)
            self._finished[item].append(generation.finish_reason == "stop")
        return [generation.text for generation in given]

    def _request(self, item: int, previous: str | None) -> EngineRequest:
        direct = self._prompts[item]
        messages = direct if previous is None else refine_messages(direct, previous)
        return EngineRequest(id=str(item), messages=messages, seeds=(0,), sampling=self._sampling)

    def trace(self, item: int, texts: Sequence[str]) -> Trace:
        """The item's trace; the turns that were not asked, because the answer had settled, are copies of the last one."""
        finished = self._finished[item]
        return Trace(texts, self._hashes[item], finished + finished[-1:] * (len(texts) - len(finished)))
