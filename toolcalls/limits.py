"""What is refused of an answer before any work is spent on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one answer; what passes one of them is a ParseFailure."""

    length: int = 65_536  # characters of an answer
    depth: int = 32  # nested lists and dicts in one value
    digits: int = 64  # digits of one number
    calls: int = 512  # calls of one answer
    name: int = 256  # characters of a tool's or parameter's name


LIMITS = Limits()
