"""Refine pairs ⟨q, T⟩, A₁, r → A (ToolACE-R §3.2, Eq. 3). Which of them are kept is decided by `selection.verdict`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from toolcalls.prompts import REFINE_PROMPT
from toolcalls.records import Generation, Judgement, Message, Sample
from toolcalls.selection import truth_text


def usable_first_answer(generation: Generation) -> bool:
    """Whether an attempt can be A₁: ended by an end token and not empty, hit or not (else `no_usable_first_answer`)."""
    return generation.finish_reason == "stop" and bool(generation.text.strip())


def refine_messages(messages: Sequence[Message], first_answer: str) -> tuple[Message, ...]:
    """Append A₁, exactly as the model wrote it less its end token, and the refine prompt r of Fig. 6."""
    return (*messages, Message("assistant", first_answer), Message("user", REFINE_PROMPT))


def standing_text(given: Generation, previous: str | None) -> str:
    """What stands after a turn: its answer, or the one before where the refine prompt did not fit, which so ends the turns."""
    return previous if previous is not None and given.finish_reason == "too_long" else given.text


def is_identical(first_judgement: Judgement, *, by: Literal["exact", "text"] = "exact") -> bool:
    """Whether A₁ = A, the pairs that teach when to stop: as calls (`exact`) or character for character (`text`)."""
    return first_judgement.text_equal if by == "text" else first_judgement.max_param_diff == 0


def target_text(
    sample: Sample,
    first: Generation | None = None,
    first_judgement: Judgement | None = None,
    stop_target: Literal["truth", "first_answer"] = "truth",
) -> str:
    """The text a row trains on: the data set's truth, never a generation.

    Only with `stop_target` first_answer does an A₁ that is exact but written differently stand as its own target.
    """
    if stop_target == "first_answer" and first and first_judgement and sample.truth is not None and is_identical(first_judgement):
        return first.text
    return truth_text(sample)
