"""What an official scorer says of one output."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scored:
    """valid: the official verdict; None where the official program itself fails on the output.

    error_type: the official name of the error; None for a valid output and where the program names none.
    reasons: the program's sentences about it, where the scorer knows them.
    """

    valid: bool | None
    error_type: str | None = None
    reasons: tuple[str, ...] = field(default=(), compare=False)
