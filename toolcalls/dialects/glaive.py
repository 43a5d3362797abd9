"""Glaive's form: `<functioncall> {"name": "f", "arguments": '{"a": 1}'}`.

The arguments stand in single quotes as the JSON text that they are: no mark in them is escaped for the quotes' sake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_call, written
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.tags import mark
from toolcalls.literals import Reader

_MARK: Final = mark("<functioncall>", r"<function_?call>")
_END: Final = re.compile(r"</function_?call>", re.IGNORECASE)
_SPELLING: Final = Spelling(arguments=("quoted",))


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while True:
        _MARK.pass_over(reader)
        reader.skip_space()
        calls.append(read_call(reader, _SPELLING))
        end = _pass_over_closing(reader)
        reader.skip_space()
        if not _MARK.stands(reader):
            reader.position = end
            return calls


def _pass_over_closing(reader: Reader) -> int:
    """Look past a closing tag, which Glaive does not write; the position after the call."""
    end = reader.position
    reader.skip_space()
    closing = _END.match(reader.text, reader.position)
    if closing is None:
        reader.position = end
    else:
        reader.tolerate("another tag")
        reader.position = closing.end()
    return reader.position


def render(calls: Sequence[Call]) -> str:
    return "\n".join(
        f'<functioncall> {{"name": {written(call.name)}, "arguments": \'{written(call.arguments)}\'}}' for call in calls
    )


DIALECT: Dialect = Dialect("glaive", _MARK.like, read, render, tagged=True, needs="<", opens="<")
