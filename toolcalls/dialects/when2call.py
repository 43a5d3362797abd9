"""When2Call's form, also that of Nemotron: a JSON list of calls in `<TOOLCALL>…</TOOLCALL>`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_list, read_row, write_call
from toolcalls.dialects.calls_as_text import written_as_text
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.tags import TOOL_CALL, TOOL_CALL_END, Mark, read_blocks
from toolcalls.literals import Reader

_OPENING, _CLOSING = Mark("<TOOLCALL>", TOOL_CALL.like), Mark("</TOOLCALL>", TOOL_CALL_END.like)
_SPELLING: Final = Spelling()


def read(reader: Reader) -> list[Call]:
    return read_blocks(reader, _OPENING, _CLOSING, _body)


def _body(reader: Reader) -> list[Call]:
    if reader.text.startswith("{", reader.position):
        reader.tolerate("no brackets")
        return read_row(reader, _SPELLING)
    return written_as_text(reader) or read_list(reader, _SPELLING)


def render(calls: Sequence[Call]) -> str:
    return f"<TOOLCALL>[{', '.join(map(write_call, calls))}]</TOOLCALL>"


DIALECT: Dialect = Dialect("when2call", re.compile(r"<TOOLCALL>"), read, render, tagged=True, needs="<TOOLCALL>", opens="<")
