"""The fast road by patterns, the quicker of the two where Python is interpreted: see `plain_lists`."""

from __future__ import annotations

import re
from itertools import islice

from toolcalls.answers import Call, Json
from toolcalls.limits import LIMITS
from toolcalls.literals import Reader, Unreadable
from toolcalls.plain_json import decode
from toolcalls.plain_values import TO_THE_END, WORDS, Stop, unescaped

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,127}"
_TEXT = r"'[^'\\]*'|\"[^\"\\]*\"|'[^'\\]*+(?:\\[\s\S][^'\\]*+)*+'|\"[^\"\\]*+(?:\\[\s\S][^\"\\]*+)*+\""  # or with escapes
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
_PLAIN_VALUE = re.compile(rf"(?:({_TEXT})|({_VALUE}))(?=\s*+[,)\]}}])")
_NAMED = re.compile(rf"{_NAME}(?: {_NAME}){{0,7}}=(?!=)")


def stride(
    text: str, start: int, calls: list[Call], arguments: dict[str, Json] | None, most: int, *, alone: bool = False
) -> Stop:
    """Move from the beginning of a call in a list, or of an argument of the last call, up to what is not plain.

    Calls are added to those given, up to so many, arguments to those given, which are the last call's. `alone`: no list is
    read, but one call, whose end closes it. The text must be storable.
    """
    pattern = _TOKENS_OF_ONE if alone else _TOKENS
    before, after, long, escaped = len(calls), False, len(text) > LIMITS.name, "\\" in text
    tokens = pattern.findall(text, start)
    for token in tokens:
        name, string, value, end = token
        if string:
            if arguments is None or name in arguments or (long and len(name) > LIMITS.name):
                break
            if escaped and "\\" in string:
                try:
                    arguments[name] = unescaped(string)
                except ValueError:
                    break
            else:
                arguments[name] = string[1:-1]
        elif value:
            if arguments is None or name in arguments or (long and len(name) > LIMITS.name):
                break
            if value.isdigit():
                arguments[name] = int(value)
            elif value in WORDS:
                arguments[name] = WORDS[value]
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
        elif end == ")]" and not alone:
            return TO_THE_END
        elif alone or end[1:2] == "]":
            return Stop(len(text) - len(end) + (1 if alone else 2), None, False, True)
        else:
            arguments, after = None, end == ")"
    else:
        token, string, value, end = None, "", "", ""
    back = 0
    named = not after and (string or value or _NAMED.match(end))  # whether an argument with its name stands here
    if (arguments is not None or after) and len(calls) > before and not calls[-1].arguments and not named:
        calls.pop()  # what opens the call may be a part of its name
        arguments, after, back = None, False, 1 + after
    elif token is None or (end and end[0] != ")"):
        return Stop(len(text) - len(end), arguments, after, False)
    index = next((index for index, each in enumerate(tokens) if each is token), len(tokens))
    return Stop(next(islice(pattern.finditer(text, start), index - back, None)).start(), arguments, after, False)


def plain_value(text: str, start: int) -> tuple[Json, int] | None:
    """Read one plain value before a comma or a closing mark: the value and where it ends. The text must be storable."""
    found = _PLAIN_VALUE.match(text, start)
    if found is None:
        return None
    string, value = found.groups()
    try:
        if value:
            return (WORDS[value] if value in WORDS else _number_or_nested(value)), found.end()
        return (unescaped(string) if "\\" in string else string[1:-1]), found.end()
    except (Unreadable, ValueError):
        return None


def _number_or_nested(text: str) -> Json:
    """Read a number, a list or a dict, as JSON where it is JSON but for its quotes. Raises Unreadable."""
    if text[0] not in "[{":
        return float(text) if "." in text or "e" in text or "E" in text else int(text)
    if "\\" not in text:
        try:
            return decode(text.replace("'", '"') if '"' not in text else text)
        except ValueError:
            pass
    return Reader(text, strict=True).value()
