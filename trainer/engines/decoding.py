"""The decoding loop: rows wait in a queue, are admitted as room allows, and leave when they have ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainer.engines.decoders import Decoder
from trainer.engines.drawing import Draw
from trainer.engines.protocol import Completion, FinishReason, Request


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is decoded at once."""

    rows: int = 256  # attempts
    tokens: int = 131_072  # tokens kept for attention: each prompt once, and max_new_tokens of each attempt
    kept: int = 131_072  # tokens of prompts that are kept beside these where more attempts at them may be asked for

    def halved(self) -> Budget | None:
        """Half of it, or None when one row at a time was too much already."""
        return None if self.rows == 1 else Budget(self.rows // 2, max(1, self.tokens // 2), 0)


@dataclass(slots=True, eq=False)
class Row:
    """One attempt being written."""

    request: Request
    attempt: int
    tokens: list[int] = field(default_factory=list)
    finish: FinishReason | None = None

    def take(self, token: int, end_ids: frozenset[int]) -> None:
        """Append a token, or end."""
        if token in end_ids:
            self.finish = "stop"
            return
        self.tokens.append(token)
        if len(self.tokens) >= self.request.sampling.max_new_tokens:
            self.finish = "length"

    def completion(self, text: str) -> Completion:
        """What the caller gets, once the row has ended."""
        assert self.finish is not None
        request = self.request
        seed, prompt_tokens = request.seeds[self.attempt], len(request.prompt_ids)
        return Completion(request.id, self.attempt, seed, tuple(self.tokens), text, self.finish, prompt_tokens)


def queue_of(requests: Sequence[Request]) -> list[Row]:
    """The rows of requests, longest prompt first, a request's rows together; equal requests give an equal queue."""
    longest_first = sorted(requests, key=lambda request: -len(request.prompt_ids))
    return [Row(request, attempt) for request in longest_first for attempt in range(len(request.seeds))]


def decode(decoder: Decoder, queue: Sequence[Row], budget: Budget, end_ids: frozenset[int]) -> Iterator[Row]:
    """Every row of the queue when it has ended. What runs beside what depends on queue and budget alone."""
    waiting = list(reversed(queue))
    active: list[Row] = []
    logits: Tensor | None = None
    draw: Draw | None = None
    try:
        while waiting or active:
            admitted = _admissible(decoder, waiting, active, budget)
            if admitted:
                new = _admit(decoder, admitted)
                logits = new if logits is None else torch.cat([logits, new])
                active, draw = active + admitted, None
            assert logits is not None
            draw = draw or _draw(active, logits)
            tokens = draw.tokens(logits)
            for row, token in zip(active, tokens.tolist(), strict=True):
                if row.finish is None:
                    row.take(token, end_ids)
                    if row.finish is not None:
                        yield row
            kept = _kept(active)
            if len(kept) < len(active):
                decoder.keep(kept)
                active, draw = [active[index] for index in kept], None
                tokens = tokens[torch.tensor(kept, dtype=torch.int64, device=tokens.device)]
            logits = decoder.step(tokens) if active else None
    finally:
        decoder.keep([])


def _admissible(decoder: Decoder, waiting: list[Row], active: list[Row], budget: Budget) -> list[Row]:
    """Take from the end of `waiting` what there is room for: whole requests, unless one alone is too large."""
    room = budget.rows - len(active)
    if active and (not decoder.joins or room < budget.rows // 4):
        return []
    tokens = budget.tokens - _tokens(active)
    taken: list[Row] = []
    while waiting and room > 0:
        request = waiting[-1].request
        group = [row for row in waiting[-len(request.seeds) :] if row.request is request]
        fitting = min(len(group), room, (tokens - len(request.prompt_ids)) // request.sampling.max_new_tokens)
        if fitting < len(group) and (active or taken):
            break
        fitting = max(1, fitting)
        taken += [waiting.pop() for _ in range(fitting)]
        room -= fitting
        tokens -= len(request.prompt_ids) + fitting * request.sampling.max_new_tokens
    return taken


def _tokens(rows: Sequence[Row]) -> int:
    prompts = {id(row.request): len(row.request.prompt_ids) for row in rows}
    return sum(prompts.values()) + sum(row.request.sampling.max_new_tokens for row in rows)


def _admit(decoder: Decoder, rows: Sequence[Row]) -> Tensor:
    counts: dict[int, int] = {}
    requests = {id(row.request): row.request for row in rows}
    for row in rows:
        counts[id(row.request)] = counts.get(id(row.request), 0) + 1
    again = [number for number, request in enumerate(requests.values()) if request.again]
    return decoder.admit([request.prompt_ids for request in requests.values()], list(counts.values()), again)


def _draw(rows: Sequence[Row], logits: Tensor) -> Draw:
    drawn = [(row.request.seeds[row.attempt], len(row.tokens), row.request.sampling) for row in rows]
    draw = Draw.of(drawn, logits.device)
    if any(row.request.sampling.repetition_penalty != 1 for row in rows):
        draw.see([(*row.request.prompt_ids, *row.tokens) for row in rows], logits.shape[-1])
    return draw


def _kept(active: Sequence[Row]) -> list[int]:
    """The rows to go on with: once an eighth has ended, those that have not; before that, all (dropping rows costs a copy)."""
    going = [index for index, row in enumerate(active) if row.finish is None]
    return going if 8 * (len(active) - len(going)) >= len(active) or not going else list(range(len(active)))
