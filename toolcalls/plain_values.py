"""What the fast roads share: the state in which one stops, and what of a string is plain."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # what JSONDecoder reads strings with
from typing import Final

from toolcalls.answers import Call, Json
from toolcalls.plain_json import UNSTORABLE

NESTED: Final = 4  # lists and dicts in each other that a plain value may be
WORDS: Final = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}


@dataclass(frozen=True, slots=True, init=False)
class Stop:
    """Where a stride ended."""

    position: int
    arguments: dict[str, Json] | None  # of the call within which that is
    after: bool  # whether it is right behind a call
    closed: bool  # whether it is right behind the list

    def __init__(self, position: int, arguments: dict[str, Json] | None, after: bool, closed: bool) -> None:
        object.__setattr__(self, "position", position)
        object.__setattr__(self, "arguments", arguments)
        object.__setattr__(self, "after", after)
        object.__setattr__(self, "closed", closed)


TO_THE_END: Final = Stop(sys.maxsize, None, False, True)  # behind a list with which the text ends


@dataclass(frozen=True, slots=True, init=False)
class Ahead:
    """The first stride over a text, for a reader that comes to its start not to make it again."""

    start: int
    calls: list[Call]
    stop: Stop

    def __init__(self, start: int, calls: list[Call], stop: Stop) -> None:
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "calls", calls)
        object.__setattr__(self, "stop", stop)


def unescaped(text: str) -> str:
    """Read a string with its quotes whose escapes are JSON's. Raises ValueError for another and for what must not be stored."""
    if text[0] == "'":
        inside = text[1:-1]
        if '"' in inside or ("\\'" in inside and "\\\\" in inside):
            raise ValueError(text)
        text = '"' + inside.replace("\\'", "'") + '"'
    if "\\u" in text and UNSTORABLE.search(text):
        raise ValueError(text)
    unescaped: str = scanstring(text, 1, False)[0]
    return unescaped
