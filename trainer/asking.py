"""Asking an engine: conversations and seeds in, generations out, in the order they were asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from toolcalls.errors import InputError
from toolcalls.records import Generation, Message, Sampling
from trainer.encoding import prompt_hash
from trainer.engines.protocol import Answer, Completion, Engine, EngineError, MessageRequest, Request, TokenEngine


@dataclass(frozen=True, slots=True)
class Question:
    """One conversation, to be answered once per seed. `id` is unique among those asked together."""

    id: str
    messages: tuple[Message, ...]
    seeds: tuple[int, ...] = (0,)
    first: int = 0  # which of the sample's attempts seeds[0] is for; answers are numbered from 0 all the same
    again: bool = False  # whether further attempts may be asked for next

    def only(self, attempts: range) -> Question:
        """The question for these of its attempts."""
        seeds, again = self.seeds[attempts.start : attempts.stop], attempts.stop < len(self.seeds)
        return replace(self, seeds=seeds, first=self.first + attempts.start, again=again)


def ask(
    engine: Engine, questions: Sequence[Question], sampling: Sampling, report: Callable[[int], None] | None = None
) -> list[list[Generation]]:
    """One list of generations per question, by attempt; `report` hears how many are there, after each.

    Raises EngineError, also when the engine leaves an attempt out.
    """
    requests = [MessageRequest(asked.id, asked.messages, asked.seeds, sampling, asked.first, asked.again) for asked in questions]
    given: dict[tuple[str, int], Generation] = {}
    for name, generation in answers(engine, requests):
        given[name, generation.attempt] = generation
        if report is not None:
            report(len(given))
    try:
        return [[given[request.id, attempt] for attempt in range(len(request.seeds))] for request in requests]
    except KeyError as error:
        raise EngineError(f"The {engine.name} engine left out an attempt: {error}.") from error


def answers(engine: Engine, requests: Sequence[MessageRequest]) -> Iterator[Answer]:
    """Every attempt of every request, as they come. An engine of tokens gets there by its own chat template.

    Raises EngineError, and InputError for two requests of the same id or a conversation that the template refuses.
    """
    if len({request.id for request in requests}) < len(requests):
        raise InputError("two requests of the batch have the same id")
    if not isinstance(engine, TokenEngine):
        yield from engine.answer(requests)
        return
    encoded = [
        Request(asked.id, engine.encode(asked.messages), asked.seeds, asked.sampling, asked.first, asked.again)
        for asked in requests
    ]
    hashes = {request.id: prompt_hash(request.prompt_ids) for request in encoded}
    for completion in engine.generate(encoded):
        yield Answer(completion.request_id, _generation(completion, hashes[completion.request_id]))


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
