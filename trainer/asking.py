"""Asking an engine: conversations and seeds in, generations out, in the order they were asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toolcalls.records import Generation, Message, Sampling
from trainer.encoding import prompt_hash
from trainer.engines.protocol import Completion, Engine, EngineError, Request


@dataclass(frozen=True, slots=True)
class Question:
    """One conversation, to be answered once per seed. `id` is unique among those asked together."""

    id: str
    messages: tuple[Message, ...]
    seeds: tuple[int, ...] = (0,)


def ask(
    engine: Engine, questions: Sequence[Question], sampling: Sampling, report: Callable[[int], None] | None = None
) -> list[list[Generation]]:
    """One list of generations per question, by attempt; `report` hears how many are there, after each.

    Raises EngineError, also when the engine leaves an attempt out.
    """
    requests = [Request(asked.id, engine.encode(asked.messages), asked.seeds, sampling) for asked in questions]
    hashes = {request.id: prompt_hash(request.prompt_ids) for request in requests}
    answers: dict[tuple[str, int], Generation] = {}
    for completion in engine.generate(requests):
        answers[completion.request_id, completion.attempt] = _generation(completion, hashes[completion.request_id])
        if report is not None:
            report(len(answers))
    try:
        return [[answers[request.id, attempt] for attempt in range(len(request.seeds))] for request in requests]
    except KeyError as error:
        raise EngineError(f"The {engine.name} engine left out an attempt: {error}.") from error


def _generation(completion: Completion, hashed: str) -> Generation:
    return Generation(
        attempt=completion.attempt,
        seed=completion.seed,
        text=completion.text,
        finish_reason=completion.finish_reason,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=len(completion.token_ids),
        prompt_hash=hashed,
    )
