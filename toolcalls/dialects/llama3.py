"""Llama 3's form: `<|python_tag|>{"name": "f", "parameters": {}}`, several with `; ` between; `f.call(a=1)` for built-in tools.

Without its tag nothing tells it from a bare JSON object: that is form "json".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects import call_arguments
from toolcalls.dialects.call_objects import Spelling, read_list, read_row, write_call
from toolcalls.dialects.calls_as_text import written_as_text
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader

_MARK = "<|python_tag|>"
_SPELLING: Final = Spelling(keys=("parameters", "arguments"))  # models write either
_BUILTIN: Final = re.compile(r"([\w-]{1,256})\.call(?=\()")

_CODE: Final = re.compile(r"[\w.-]{1,256}+\(\s*(?:\w{1,256}+\s*=(?!=)|\))")


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while True:
        reader.expect(_MARK)
        reader.skip_space()
        calls += _body(reader)
        end = reader.position
        reader.skip_space()
        if not DIALECT.begins.match(reader.text, reader.position):
            reader.position = end
            return calls


def _body(reader: Reader) -> list[Call]:
    if builtin := _BUILTIN.match(reader.text, reader.position):
        reader.position = builtin.end()
        reader.json = False
        return [reader.call(builtin[1], call_arguments.read_arguments(reader))]
    if _CODE.match(reader.text, reader.position) and (calls := written_as_text(reader)):
        return calls
    if reader.text.startswith("[", reader.position):
        reader.tolerate("a list in a block")
        return read_list(reader, _SPELLING)
    return read_row(reader, _SPELLING, between=";")


def render(calls: Sequence[Call]) -> str:
    return _MARK + "; ".join(write_call(call, "parameters") for call in calls)


_BEGINS = re.compile(r"<\|python_tag\|>(?=\s*(?:\[\s*\{|[^\s<`\[]))")
DIALECT: Dialect = Dialect("llama3", _BEGINS, read, render, tagged=True, needs="<|python_tag|>", opens="<")
