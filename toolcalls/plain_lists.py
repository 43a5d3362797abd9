"""The fast road: move over all that is plain of a list of calls at once, up to where the thorough road must look closer.

The thorough road is `loose_lists` (`paper.read` of a strict reader), which reads mark by mark. Plain are names of letters and
digits, and values that stand as they are: there both say the same. At anything else this one stops, in a state in which the
other can go on. So each text is one list, read fast in strides and slowly between them.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from toolcalls.answers import Call, Json
from toolcalls.limits import LIMITS
from toolcalls.literals import Reader, Unreadable
from toolcalls.plain_json import decode

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,127}"
_TEXT = r"'[^'\\]*'|\"[^\"\\]*\""
_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][-+]?[0-9]{1,2})?"
_NESTED = rf"(?:[^][{{}}()'\"=\\]++|{_TEXT})*+"  # what a list or a dict holds
for _ in range(3):  # lists and dicts in each other
    _NESTED = rf"(?:[^][{{}}()'\"=\\]++|{_TEXT}|\[{_NESTED}\]|\{{{_NESTED}\}})*+"
_VALUE = rf"{_NUMBER}|True|False|None|true|false|null|\[{_NESTED}\]|\{{{_NESTED}\}}"
# An argument with its comma, or a call's name.
_OPENING = rf"({_NAME}(?: {_NAME}){{0,7}}+)(?:=(?:({_TEXT})|({_VALUE}))(?:,\s*+(?![)#])|(?=\)))|\()"
# The end of a call is taken with its comma, that of a list, and what is not plain, with all that follows.
_TOKENS = re.compile(rf"{_OPENING}|(\)(?:,\s*+(?!\]|\Z)|\](?s:.*+))?+|(?s:.++))")
_TOKENS_OF_ONE = re.compile(rf"{_OPENING}|((?s:.++))")
_WORDS = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}


class Stop(NamedTuple):
    """Where a stride ended."""

    position: int
    arguments: dict[str, Json] | None  # of the call within which that is
    after: bool  # whether it is right behind a call
    closed: bool  # whether it is right behind the list


class Ahead(NamedTuple):
    """The first stride over a text, for a reader that comes to its start not to make it again."""

    start: int
    calls: list[Call]
    stop: Stop


def stride(
    text: str, start: int, calls: list[Call], arguments: dict[str, Json] | None, most: int, *, alone: bool = False
) -> Stop:
    """Move from the beginning of a call in a list, or of an argument of the last call, up to what is not plain.

    Calls are added to those given, up to so many, arguments to those given, which are the last call's. `alone`: no list is
    read, but one call, whose end closes it. The text must be storable.
    """
    pattern = _TOKENS_OF_ONE if alone else _TOKENS
    before, after, long = len(calls), False, len(text) > LIMITS.name
    tokens = pattern.findall(text, start)
    for token in tokens:
        name, string, value, end = token
        if string:
            if arguments is None or name in arguments or (long and len(name) > LIMITS.name):
                break
            arguments[name] = string[1:-1]
        elif value:
            if arguments is None or name in arguments or (long and len(name) > LIMITS.name):
                break
            if value.isdigit():
                arguments[name] = int(value)
            elif value in _WORDS:
                arguments[name] = _WORDS[value]
            else:
                try:
                    arguments[name] = _number_or_nested(value)
                except Unreadable:
                    break
        elif name:
            if after or arguments is not None or (long and len(name) > LIMITS.name) or len(calls) == most:
                break
            arguments = {}
            calls.append(Call(name, arguments))
        elif arguments is None or end[0] != ")":
            break
        elif alone or end[1:2] == "]":
            return Stop(len(text) - len(end) + (1 if alone else 2), None, False, True)
        else:
            arguments, after = None, end == ")"
    else:
        token, end = None, ""
    back = 0
    if (arguments is not None or after) and len(calls) > before and not calls[-1].arguments:
        calls.pop()  # what opens the call may be a part of its name
        arguments, after, back = None, False, 1 + after
    elif token is None or (end and end[0] != ")"):
        return Stop(len(text) - len(end), arguments, after, False)
    index = next((index for index, each in enumerate(tokens) if each is token), len(tokens))
    return Stop(next(islice(pattern.finditer(text, start), index - back, None)).start(), arguments, after, False)


def _number_or_nested(text: str) -> Json:
    """Read a number, a list or a dict, as JSON where it is JSON but for its quotes. Raises Unreadable."""
    if text[0] not in "[{":
        return float(text) if "." in text or "e" in text or "E" in text else int(text)
    try:
        return decode(text.replace("'", '"') if '"' not in text else text)
    except ValueError:
        return Reader(text, strict=True).value()
