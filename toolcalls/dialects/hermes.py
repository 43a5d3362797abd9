"""Hermes's form, also that of Qwen2.5 and Qwen3: one JSON object in each `<tool_call>…</tool_call>`.

The Hermes data set itself writes Python dicts in it; they are read, and said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects import toolrl, when2call
from toolcalls.dialects.call_objects import Spelling, read_list, read_row, write_call
from toolcalls.dialects.calls_as_text import written_as_text
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.tags import TOOL_CALL, TOOL_CALL_END, read_blocks
from toolcalls.literals import Reader

_SPELLING: Final = Spelling()
_LIST: Final = re.compile(r"\[\s*\{")


def read(reader: Reader) -> list[Call]:
    return read_blocks(reader, TOOL_CALL, TOOL_CALL_END, _body)


def _body(reader: Reader) -> list[Call]:
    if reader.text.startswith("{", reader.position):
        return read_row(reader, _SPELLING)
    if _LIST.match(reader.text, reader.position):
        reader.tolerate("a list in a block")
        return read_list(reader, _SPELLING)
    if calls := written_as_text(reader):
        return calls
    raise reader.unreadable("'{' expected")


def render(calls: Sequence[Call]) -> str:
    return "\n".join(f"<tool_call>\n{write_call(call)}\n</tool_call>" for call in calls)


_OTHERS = rf"(?-i:{when2call.DIALECT.begins.pattern}|{toolrl.DIALECT.begins.pattern})"
_BEGINS = re.compile(rf"(?!{_OTHERS}){TOOL_CALL.like.pattern}", re.IGNORECASE)
DIALECT: Dialect = Dialect("hermes", _BEGINS, read, render, tagged=True, needs="<", opens="<")
