"""Read the usual shape of the paper's form in one pass: plain names, and values that stand as they are."""

from __future__ import annotations

import re

from toolcalls.answers import Call, Json
from toolcalls.limits import LIMITS
from toolcalls.literals import Reader, Unreadable
from toolcalls.plain_json import decode
from toolcalls.rows import is_storable

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,127}"
_TEXT = r"'[^']*'|\"[^\"]*\""
_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][-+]?[0-9]{1,2})?"
_NESTED = rf"(?:[^][{{}}()'\"=]++|{_TEXT})*+"  # what a list or a dict holds
for _ in range(3):  # lists and dicts in each other
    _NESTED = rf"(?:[^][{{}}()'\"=]++|{_TEXT}|\[{_NESTED}\]|\{{{_NESTED}\}})*+"
_VALUE = rf"{_TEXT}|{_NUMBER}|True|False|None|true|false|null|\[{_NESTED}\]|\{{{_NESTED}\}}"
_TOKENS = re.compile(
    rf"({_NAME}(?: {_NAME}){{0,7}}+)(?:=({_VALUE})(?:, ?(?!\))|(?=\)))|\()"
    r"|(\)(?:, ?(?!\Z)|\Z))"
    r"|[\s\S]++"  # the rest from where it is no such list
)
_WORDS = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}


def read_plain(text: str) -> tuple[Call, ...]:
    """Read `[name(parameter=value, …), …]`; nothing where the text is anything else, or has another spelling of the same."""
    if text[:1] != "[" or text[-1:] != "]" or "\\" in text or not is_storable(text):
        return ()
    calls: list[Call] = []
    arguments: dict[str, Json] | None = None  # of the call that is open
    for name, value, end in _TOKENS.findall(text, 1, len(text) - 1):
        if value:
            if arguments is None or name in arguments or len(name) > LIMITS.name:
                return ()
            mark = value[0]
            if mark == "'" or mark == '"':
                arguments[name] = value[1:-1]
            elif value.isdigit():
                arguments[name] = int(value)
            else:
                try:
                    arguments[name] = _WORDS[value] if value in _WORDS else _number_or_nested(value)
                except Unreadable:
                    return ()
        elif name:
            if arguments is not None or len(name) > LIMITS.name:
                return ()
            arguments = {}
            calls.append(Call(name, arguments))
        elif end and arguments is not None:
            arguments = None
        else:
            return ()
    return tuple(calls) if arguments is None and len(calls) <= LIMITS.calls else ()


def _number_or_nested(text: str) -> Json:
    """Read a number, a list or a dict, as JSON where it is JSON but for its quotes. Raises Unreadable."""
    if text[0] not in "[{":
        return float(text) if "." in text or "e" in text or "E" in text else int(text)
    try:
        return decode(text.replace("'", '"') if '"' not in text else text)
    except ValueError:
        return Reader(text, strict=True).value()
