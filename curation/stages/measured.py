"""What a measuring found: per sample tokens, per batch seconds, and how many samples were hit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One batch or a few: of each sample the tokens of its prompts, each counted once, and those of all its answers."""

    prompt_tokens: tuple[int, ...]
    completion_tokens: tuple[int, ...]
    answers: int
    seconds: float
    selected: int = 0  # samples with a hit


@dataclass(frozen=True, slots=True)
class Found:
    """`refine` holds those whose first answer is usable; `evaluation` the greedy trace of each sample."""

    samples: int
    load_seconds: float
    bytes_per_answer: float  # of text
    direct: Part
    refine: Part
    evaluation: Part

    def plain(self) -> dict[str, Any]:
        """As a row keeps it."""
        return asdict(self)


def found_from(plain: Mapping[str, Any]) -> Found:
    """The inverse of `plain`."""
    parts = {name: _part(plain[name]) for name in ("direct", "refine", "evaluation")}
    return Found(plain["samples"], plain["load_seconds"], plain["bytes_per_answer"], **parts)


def _part(plain: Mapping[str, Any]) -> Part:
    tokens: list[Sequence[int]] = [plain["prompt_tokens"], plain["completion_tokens"]]
    return Part(tuple(tokens[0]), tuple(tokens[1]), plain["answers"], plain["seconds"], plain["selected"])
