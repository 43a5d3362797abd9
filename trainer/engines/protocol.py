"""How an engine is spoken to. Importing this module loads no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from toolcalls.records import Generation, Message, Sampling

FinishReason = Literal["stop", "length", "too_long"]


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt and one seed for each attempt at it. Attempt j's tokens depend on the prompt, seeds[j] and `sampling` alone."""

    id: str
    prompt_ids: tuple[int, ...]
    seeds: tuple[int, ...]  # 0 ≤ seed < 2**63
    sampling: Sampling
    first: int = 0  # which of the sample's attempts seeds[0] is for; completions are numbered from 0 all the same
    again: bool = False  # whether the next batch may ask for further attempts


@dataclass(frozen=True, slots=True)
class Completion:
    """One attempt. `token_ids` hold no end token, and `text` is their decoded text, special tokens shown as they are.

    finish_reason: "stop" (an end token), "length" (max_new_tokens reached) or "too_long" (the prompt did not fit: no tokens).
    """

    request_id: str
    attempt: int
    seed: int
    token_ids: tuple[int, ...]
    text: str
    finish_reason: FinishReason
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """One conversation and one seed for each attempt at its answer, for whoever has no token ids."""

    id: str
    messages: tuple[Message, ...]
    seeds: tuple[int, ...]  # 0 ≤ seed < 2**63
    sampling: Sampling
    first: int = 0  # which of the sample's attempts seeds[0] is for; answers are numbered from 0 all the same
    again: bool = False  # whether the next batch may ask for further attempts


class Answer(NamedTuple):
    """One attempt at a request of messages."""

    request_id: str
    generation: Generation


class EngineError(RuntimeError):
    """The engine cannot work as it is set up; the operator must act on what the message says."""


class CannotSwap(EngineError):
    """An engine cannot serve another model in the place of its own. It is as it was; the other needs a process of its own."""


@runtime_checkable
class TokenEngine(Protocol):
    """A model whose tokens are ours to make. Not in charge of what is asked: which samples, which turns, which seeds."""

    @property
    def name(self) -> str:
        """The kind under which the registry knows it."""

    @property
    def end_ids(self) -> tuple[int, ...]:
        """Token ids that end an answer."""

    @property
    def max_length(self) -> int:
        """Tokens of prompt and answer together; no more than the model has positions for."""

    def encode(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The prompt's token ids in the model's own chat template, ready for the assistant's turn."""

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """Every attempt of every request, in any order; closing the iterator cancels what is not done.

        Raises: EngineError. Completions given before it are valid.
        """

    def close(self) -> None:
        """Give back memory and processes. The engine is not used afterwards."""


@runtime_checkable
class SwappingEngine(TokenEngine, Protocol):
    """One whose process can go on with another model's weights."""

    def swap(self, model_path: str) -> None:
        """Serve the model of another folder from now on. No batch may be under way.

        Raises: CannotSwap or InputError, with the engine as it was. After any other exception it must not be used.
        """


class MessageEngine(Protocol):
    """A model behind a server that takes messages and has the tokenizer to itself. Not in charge of what is asked."""

    @property
    def name(self) -> str:
        """The kind under which the registry knows it."""

    @property
    def end_ids(self) -> tuple[int, ...]:
        """Empty: the server knows what ends an answer."""

    @property
    def max_length(self) -> int:
        """Tokens of prompt and answer together."""

    def answer(self, requests: Iterable[MessageRequest]) -> Iterator[Answer]:
        """Every attempt of every request, in any order; closing the iterator cancels what is not done.

        Raises: EngineError. Answers given before it are valid.
        """

    def close(self) -> None:
        """Give back connections. The engine is not used afterwards."""


Engine: TypeAlias = TokenEngine | MessageEngine  # `trainer.asking.answers` asks either


def fits(request: Request, max_length: int) -> bool:
    """Whether prompt and answer fit into `max_length` tokens; a prompt that does not is answered `too_long`."""
    return 0 < len(request.prompt_ids) <= max_length - request.sampling.max_new_tokens


def too_long(request: Request) -> Iterator[Completion]:
    """The completions of a request whose prompt does not fit."""
    for attempt, seed in enumerate(request.seeds):
        yield Completion(request.id, attempt, seed, (), "", "too_long", len(request.prompt_ids))
