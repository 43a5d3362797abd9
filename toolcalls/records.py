"""The records that travel between processes as JSON lines: samples, generations, judgements, verdicts, training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from toolcalls.answers import Call, Json

Turn = Literal[0, 1]
DIRECT: Turn = 0
REFINE: Turn = 1
Split = Literal["train", "heldout"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `role` is user, assistant or tool (the system text is rendered, never stored)."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One {⟨q, T⟩, A} of §3.1. The messages end with the user's (or a tool's) turn that the truth answers.

    `truth` is the list of calls, or None when the truth is text; `truth_text` is the truth as it was imported (None when
    the source had only structured calls). `other` is the "{other information}" of Fig. 5. `system` is kept only when the
    source's system text could not be taken apart into Fig. 5 and the tools (prompt option `keep`).
    """

    id: str
    tools: tuple[dict[str, Json], ...]
    messages: tuple[Message, ...]
    truth: tuple[Call, ...] | None
    truth_text: str | None = None
    other: str = ""
    system: str | None = None
    split: Split = "train"
    category: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """All decoding parameters of a request; nothing is left to the model's generation_config."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0  # 0: off
    repetition_penalty: float = 1.0
    max_new_tokens: int = 256  # tokens


@dataclass(frozen=True, slots=True)
class Generation:
    """One attempt of one turn, as the engine gave it. `text` is the raw decoded text less the end token.

    finish_reason: "stop" (an end token), "length" (max_new_tokens reached) or "too_long" (the prompt did not fit: no text).
    """

    attempt: int
    seed: int
    text: str
    finish_reason: Literal["stop", "length", "too_long"]
    prompt_tokens: int
    completion_tokens: int
    prompt_hash: str  # sha256 of the prompt's token ids, hex


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the comparator says of one generation. `calls` is None when it is not a list of calls.

    max_param_diff: 0 exact, ≤ 1 approximate (§3.2), None when the tools differ or there is no answer to compare.
    reason: "" for an approximate hit, else one of selection.REASONS.
    """

    calls: tuple[Call, ...] | None
    max_param_diff: int | None
    reason: str
    answer_key: str  # 32 hex digits: hash of the canonical answer
    text_equal: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of a turn of one sample over its k attempts (Eq. 2 and Eq. 3)."""

    attempts: int
    exact_hits: int
    approximate_hits: int
    first_hit: int | None  # attempt number of the first approximate hit
    reason: str  # of the nearest attempt when there is no hit, else ""
    reasons: Mapping[str, int] = field(default_factory=dict)
    other_answer: str | None = None  # most frequent answer that is no hit, as text
    other_count: int = 0
    comparator: str = ""
    censored: bool = False  # fewer than k attempts were made, because one of them hit: hits are then a lower bound

    @property
    def selected(self) -> bool:
        """Eq. 2 / Eq. 3: at least one of the attempts approaches the truth."""
        return self.approximate_hits > 0


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One row of an iteration's training set: ⟨q, T⟩ → A (direct) or ⟨q, T⟩, A₁, r → A (refine). `target` is the truth's text.

    `messages` are rendered: system, the conversation, and for a refine row A₁ and the refine prompt.
    """

    sample_id: str
    kind: Literal["direct", "refine"]
    messages: tuple[Message, ...]
    target: str
