r"""What BFCL's result files hold of function-calling models: `[{"name": "{\"parameter\": \"value\"}"}]`, one key to a call."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, comma, members, read_arguments
from toolcalls.dialects.dialect import Dialect
from toolcalls.limits import LIMITS
from toolcalls.literals import Reader
from toolcalls.plain_json import read_whole

_KEY = r"""(?:"(?:[^"\\]|\\.){0,1024}+"|'(?:[^'\\]|\\.){0,1024}+')"""
_BEGINS = re.compile(rf"""\[\s*\{{\s*{_KEY}\s*:\s*["']\s*\{{|\A\[\s*\{{\s*'(?:[^'\\]|\\.){{0,1024}}+'\s*:\s*\{{""", re.DOTALL)
_SPELLING: Final = Spelling(arguments=("text",))


def read(reader: Reader) -> list[Call]:
    """Read the list; arguments that are a Python dict, as BFCL's decoder prints its calls, are tolerated."""
    reader.expect("[")
    reader.skip_space()
    calls = _object(reader)
    while comma(reader, "]"):
        calls += _object(reader)
    return calls


def read_plain(text: str) -> tuple[Call, ...]:
    """Read a list whose every object has one key, with arguments that are a string; nothing of any other text."""
    if not text.startswith('[{"') or not text.endswith('"}]'):
        return ()
    calls: list[Call] = []
    for item in read_whole(text, len(text)) or ():
        if not isinstance(item, dict) or len(item) != 1 or len(calls) == LIMITS.calls:
            return ()
        ((name, given),) = item.items()
        arguments = read_whole(given, LIMITS.depth + 1) if isinstance(given, str) else None
        if not isinstance(arguments, dict) or not name.strip():
            return ()
        if len(text) > LIMITS.name and max(map(len, (name, *arguments))) > LIMITS.name:
            return ()
        calls.append(Call(name, arguments))
    return tuple(calls)


def _object(reader: Reader) -> list[Call]:
    calls = [reader.call(name, read_arguments(reader, _SPELLING)) for name in members(reader)]
    if len(calls) > 1:
        reader.tolerate("several calls in an object")
    return calls


def render(calls: Sequence[Call]) -> str:
    """Write calls as one JSON list."""
    return json.dumps([{call.name: json.dumps(call.arguments, ensure_ascii=False)} for call in calls], ensure_ascii=False)


DIALECT: Dialect = Dialect("bfcl_fc", _BEGINS, read, render, needs="{", opens="[", quick=read_plain)
