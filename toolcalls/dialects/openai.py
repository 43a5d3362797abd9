"""OpenAI's form: calls as its messages hold them, `{"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}`.

Also the list alone, one of its objects, or the older "function_call". Arguments are JSON in a string, or, as other programs
write them, an object.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, members, read_call, read_list, written
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader

_SPELLING: Final = Spelling(arguments=("text", "object"), nested=True, definitions=True)
_TEXT = r"""(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')"""
_SCALAR = rf"""["'](?:role|content|refusal|id|type|index|thought)["']\s*:\s*(?:{_TEXT}|null|None|\d+)\s*,\s*"""
_MESSAGE: Final = re.compile(rf"""\{{\s*(?:{_SCALAR}){{0,5}}["'](tool_calls|function_call)["']\s*:""", re.DOTALL)
_CALL = rf"""\{{\s*(?:{_SCALAR}){{0,3}}["']function["']\s*:\s*\{{"""


def read(reader: Reader) -> list[Call]:
    if _MESSAGE.match(reader.text, reader.position):
        return _message(reader)
    if reader.text.startswith("[", reader.position):
        return read_list(reader, _SPELLING)
    return [read_call(reader, _SPELLING)]


def _message(reader: Reader) -> list[Call]:
    """Read a message for its calls; its words are no part of them."""
    calls: list[Call] = []
    for key in members(reader):
        if key == "tool_calls" and reader.text.startswith("[", reader.position):
            calls += read_list(reader, _SPELLING)
        elif key == "function_call" and reader.text.startswith("{", reader.position):
            calls.append(read_call(reader, _SPELLING))
        else:
            reader.json_value()
    return calls


def render(calls: Sequence[Call]) -> str:
    """Write the message's object; ids are the reader's to give."""
    functions = [{"name": call.name, "arguments": written(call.arguments)} for call in calls]
    return written({"tool_calls": [{"type": "function", "function": function} for function in functions]})


DIALECT: Dialect = Dialect(
    "openai", re.compile(rf"{_MESSAGE.pattern}|(?:\[\s*)?{_CALL}", re.DOTALL), read, render, needs="{", opens="{["
)
