"""Qwen2's form, of Qwen-Agent's prompts: `✿FUNCTION✿: f` and `✿ARGS✿: {"a": 1}` on a line each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_arguments, written
from toolcalls.dialects.carrying import uncarried
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader

_FUNCTION: Final = re.compile(r"✿FUNCTION✿\s*:?\s*([^\n✿\0\ud800-\udfff]{1,1024})")
_ARGUMENTS: Final = re.compile(r"\s*✿ARGS✿\s*:?\s*")
_SPELLING: Final = Spelling()


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while True:
        calls.append(_call(reader))
        end = reader.position
        reader.skip_space()
        if not DIALECT.begins.match(reader.text, reader.position):
            reader.position = end
            return calls


def _call(reader: Reader) -> Call:
    name = _FUNCTION.match(reader.text, reader.position)
    if name is None:
        raise reader.unreadable("✿FUNCTION✿ without a tool's name")
    reader.position = name.end()
    arguments = _ARGUMENTS.match(reader.text, reader.position)
    if arguments is None:
        reader.skip_space()
        raise reader.unreadable("✿ARGS✿ expected")
    reader.position = arguments.end()
    return reader.call(name[1].strip(), read_arguments(reader, _SPELLING))


def render(calls: Sequence[Call]) -> str:
    return "\n".join(f"✿FUNCTION✿: {_name(call.name)}\n✿ARGS✿: {written(call.arguments)}" for call in calls)


def _name(name: str) -> str:
    if name != name.strip() or "\n" in name or "✿" in name or name.startswith(":"):
        raise uncarried(f"the name {name!r}", "qwen2")
    return name


DIALECT: Dialect = Dialect("qwen2", re.compile("✿FUNCTION✿"), read, render, tagged=True, needs="✿", opens="✿")
