r"""What BFCL's result files hold of function-calling models: `[{"name": "{\"parameter\": \"value\"}"}]`, one key to a call."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, comma, members, read_arguments
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader
from toolcalls.plain_json import read_whole

_KEY = r"""(?:"(?:[^"\\]|\\.){0,1024}+"|'(?:[^'\\]|\\.){0,1024}+')"""
_BEGINS = re.compile(rf"""\[\s*\{{\s*{_KEY}\s*:\s*["']\s*\{{|\A\[\s*\{{\s*{_KEY}\s*:\s*\{{""", re.DOTALL)
_SPELLING = Spelling(arguments=("text",))


def read(reader: Reader) -> list[Call]:
    """Read the list; arguments that are an object, not a string that holds one, are tolerated."""
    if calls := _plain(reader):
        return calls
    reader.expect("[")
    reader.skip_space()
    calls = _object(reader)
    while comma(reader, "]"):
        calls += _object(reader)
    return calls


def _plain(reader: Reader) -> list[Call]:
    """Read the list at once where all of it is spelled as the dialect does; else nothing."""
    start, count = reader.position, reader.count
    calls: list[Call] = []
    items = reader.plain_json(2)
    for item in items if isinstance(items, list) else []:
        name, text = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else ("", None)
        arguments = read_whole(text, reader.depth + 1) if isinstance(text, str) else None
        if not isinstance(arguments, dict):
            reader.position, reader.count = start, count
            return []
        calls.append(reader.call(name, arguments))
    return calls


def _object(reader: Reader) -> list[Call]:
    calls = [reader.call(name, read_arguments(reader, _SPELLING)) for name in members(reader)]
    if len(calls) > 1:
        reader.tolerate("several calls in an object")
    return calls


def render(calls: Sequence[Call]) -> str:
    """Write calls as one JSON list."""
    return json.dumps([{call.name: json.dumps(call.arguments, ensure_ascii=False)} for call in calls], ensure_ascii=False)


DIALECT = Dialect("bfcl_fc", _BEGINS, read, render, needs="{")
