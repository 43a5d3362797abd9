r"""What BFCL's result files hold of function-calling models: `[{"name": "{\"parameter\": \"value\"}"}]`, one key to a call."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from toolcalls.answers import Call
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader

_KEY = r"""(?:"(?:[^"\\]|\\.){1,256}+"|'(?:[^'\\]|\\.){1,256}+')"""
_BEGINS = re.compile(rf"""\[\s*\{{\s*{_KEY}\s*:\s*["']\s*\{{|\A\[\s*\{{\s*{_KEY}\s*:\s*\{{""", re.DOTALL)


def read(reader: Reader) -> list[Call]:
    """Read the list; arguments that are an object, not a string that holds one, are tolerated."""
    at = reader.position
    found = reader.json_value()
    calls: list[Call] = []
    for item in found if isinstance(found, list) else [None]:
        if not isinstance(item, dict) or not item:
            raise reader.unreadable("a call that is no object")
        for name, given in item.items():
            if not isinstance(given, str):
                reader.tolerate("arguments as an object")
            calls.append(reader.call(name, reader.embedded(given, at) if isinstance(given, str) else given))
        if len(item) > 1:
            reader.tolerate("several calls in an object")
    return calls


def render(calls: Sequence[Call]) -> str:
    """Write calls as one JSON list."""
    return json.dumps([{call.name: json.dumps(call.arguments, ensure_ascii=False)} for call in calls], ensure_ascii=False)


DIALECT = Dialect("bfcl_fc", _BEGINS, read, render)
