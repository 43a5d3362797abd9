"""Mistral's forms: `[TOOL_CALLS] [{"name": "f", "arguments": {}}]`, since tokenizer v11 `[TOOL_CALLS]f[ARGS]{}` for each call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_arguments, read_list, read_row, write_call
from toolcalls.dialects.calls_as_text import written_as_text
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader

_MARK = "[TOOL_CALLS]"
_SPELLING: Final = Spelling()
_NAMED: Final = re.compile(r"([^\[\]{}\n\0\ud800-\udfff]{1,1024}+)(?:\[CALL_ID\]\s*+[\w-]{0,64}+\s*+)?(\[ARGS\])?\s*+(?=\{)")


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while True:
        reader.expect(_MARK)
        reader.skip_space()
        calls += _body(reader)
        end = reader.position
        reader.skip_space()
        if not reader.text.startswith(_MARK, reader.position):
            reader.position = end
            return calls


def _body(reader: Reader) -> list[Call]:
    if reader.text.startswith("[", reader.position):
        return written_as_text(reader) or read_list(reader, _SPELLING)
    if reader.text.startswith("{", reader.position):
        reader.tolerate("no brackets")
        return read_row(reader, _SPELLING)
    return [_named(reader)]


def _named(reader: Reader) -> Call:
    """Read `name[ARGS]{…}`, with an id before `[ARGS]` in some versions."""
    found = _NAMED.match(reader.text, reader.position)
    if found is None:
        raise reader.unreadable("no calls after [TOOL_CALLS]")
    reader.position = found.end()
    if not found[2]:
        reader.tolerate("another tag")
    return reader.call(found[1].strip(), read_arguments(reader, _SPELLING))


def render(calls: Sequence[Call]) -> str:
    return f"{_MARK} [{', '.join(map(write_call, calls))}]"


DIALECT: Dialect = Dialect("mistral", re.compile(r"\[TOOL_CALLS\]"), read, render, tagged=True, needs="[TOOL_CALLS]", opens="[")
