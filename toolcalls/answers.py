"""An answer as a model gives it: a list of calls, or text that calls nothing, or something that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = Any  # null, bool, int, float, str, list of Json, dict of str to Json


@dataclass(frozen=True, slots=True, init=False)
class Call:
    """One tool invocation t(a) of ToolACE-R §3.1, Eq. 1: a tool's name and its arguments by parameter name."""

    name: str
    arguments: dict[str, Json]

    def __init__(self, name: str, arguments: dict[str, Json] | None = None) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "arguments", {} if arguments is None else arguments)


@dataclass(frozen=True, slots=True, init=False)
class Calls:
    """An answer that calls tools. `form` names the dialect it was written in, e.g. "paper".

    `tolerated`: what a tolerant reading looked past to find the calls, e.g. ("fence", "prose"); empty of a strict one.
    """

    calls: tuple[Call, ...]
    form: str
    tolerated: tuple[str, ...]

    def __init__(self, calls: tuple[Call, ...], form: str, tolerated: tuple[str, ...] = ()) -> None:
        object.__setattr__(self, "calls", calls)
        object.__setattr__(self, "form", form)
        object.__setattr__(self, "tolerated", tolerated)


@dataclass(frozen=True, slots=True, init=False)
class Text:
    """An answer without any call-like span."""

    text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "text", text)


@dataclass(frozen=True, slots=True, init=False)
class ParseFailure:
    """A call-like span that cannot be read, and where. `reason` is a short sentence, `position` a character offset."""

    reason: str
    position: int

    def __init__(self, reason: str, position: int) -> None:
        object.__setattr__(self, "reason", reason)
        object.__setattr__(self, "position", position)


Answer = Calls | Text | ParseFailure
