"""What is refused of an answer before any work is spent on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEEPEST: Final = 128  # what the readers, which call themselves for what is nested, can do within any caller's stack


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one answer; what passes one of them is a ParseFailure."""

    length: int = 65_536  # characters of an answer
    depth: int = 32  # nested lists and dicts in one value, DEEPEST at most
    digits: int = 64  # digits of one number
    calls: int = 512  # calls of one answer
    name: int = 256  # characters of a tool's or parameter's name

    def __post_init__(self) -> None:
        if self.depth > DEEPEST:
            raise ValueError(f"a depth of more than {DEEPEST}")


LIMITS: Final = Limits()
