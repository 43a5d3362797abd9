"""ToolRL's form: one `<tool_call>` block with one JSON object on each line, its arguments under "parameters".

What stands around it there, `<think>…</think>` and `<response>…</response>`, is prose to this reading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_row, write_call
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.tags import TOOL_CALL, TOOL_CALL_END, read_blocks
from toolcalls.literals import Reader

_SPELLING: Final = Spelling(keys=("parameters",))


def read(reader: Reader) -> list[Call]:
    return read_blocks(reader, TOOL_CALL, TOOL_CALL_END, lambda inner: read_row(inner, _SPELLING, between=""))


def render(calls: Sequence[Call]) -> str:
    return "\n".join(["<tool_call>", *(write_call(call, "parameters") for call in calls), "</tool_call>"])


DIALECT: Dialect = Dialect(
    "toolrl",
    re.compile(r'<tool_call>\s*\{\s*"name"\s*:\s*"(?:[^"\\\n]|\\.){1,1024}+"\s*,\s*"parameters"\s*:'),
    read,
    render,
    tagged=True,
    needs="<tool_call>",
    opens="<",
)
