"""Read the usual shape of the paper's form in one pass: plain names, and values that stand as they are."""

from __future__ import annotations

import re

from toolcalls.answers import Call, Json

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,127}"
_TEXT = r"'[^']*'|\"[^\"]*\""
_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][-+]?[0-9]{1,2})?"
_ITEM = rf"(?:{_TEXT}|{_NUMBER})"
_ITEMS = re.compile(_ITEM)
_TOKENS = re.compile(
    rf"({_NAME}(?: {_NAME})?)(?:=({_TEXT}|{_NUMBER}|True|False|\[(?:{_ITEM}(?:, ?{_ITEM})*)?\])(, ?(?!\))|(?=\)))|\()"
    r"|(\)(?:, ?(?!\Z)|\Z))"
    r"|[A-Za-z0-9_.-]++|[\s\S]"  # what is no such list ends in these, and quickly
)
_UNLIKE = re.compile("[\\\\\0\ud800-\udfff]")  # what a text may hold that does not stand for itself
_WORDS = {"True": True, "False": False}
_MOST = 512  # calls


def read_plain(text: str) -> tuple[Call, ...]:
    """Read `[name(parameter=value, …), …]`; nothing where the text is anything else, or has another spelling of the same."""
    if text[:1] != "[" or text[-1:] != "]" or _UNLIKE.search(text):
        return ()
    calls: list[Call] = []
    arguments: dict[str, Json] | None = None  # of the call that is open
    size = 2  # characters understood
    for name, value, separator, end in _TOKENS.findall(text, 1, len(text) - 1):
        if value:
            if arguments is None or name in arguments:
                return ()
            arguments[name] = _WORDS[value] if value in _WORDS else _value(value)
            size += len(name) + 1 + len(value) + len(separator)
        elif name:
            if arguments is not None:
                return ()
            arguments = {}
            calls.append(Call(name, arguments))
            size += len(name) + 1
        elif end and arguments is not None:
            arguments = None
            size += len(end)
        else:
            return ()
    return tuple(calls) if size == len(text) and arguments is None and len(calls) <= _MOST else ()


def _value(text: str) -> Json:
    mark = text[0]
    if mark in "'\"":
        return text[1:-1]
    if mark == "[":
        return [_value(item) for item in _ITEMS.findall(text)]
    return float(text) if "." in text or "e" in text or "E" in text else int(text)
