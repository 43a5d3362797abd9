"""ReAct's form, of LangChain and of Qwen's first models: `Action: f` and `Action Input: {"a": 1}` on a line each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_arguments, written
from toolcalls.dialects.carrying import uncarried
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader

_NAME = r"[^\n\0\ud800-\udfff]{1,1024}+"
_BEGINS: Final = re.compile(rf"(?m:^)Action[ \t]*:[ \t]*({_NAME})\n\s*+Action[ _]Input[ \t]*:\s*+(?=\{{)")
_SPELLING: Final = Spelling()


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while found := _BEGINS.match(reader.text, reader.position):
        reader.position = found.end()
        calls.append(reader.call(found[1].strip(), read_arguments(reader, _SPELLING)))
        end = reader.position
        reader.skip_space()
    reader.position = end
    return calls


def render(calls: Sequence[Call]) -> str:
    return "\n".join(f"Action: {_name(call.name)}\nAction Input: {written(call.arguments)}" for call in calls)


def _name(name: str) -> str:
    if "\n" in name or name != name.strip():
        raise uncarried(f"the name {name!r}", "react")
    return name


DIALECT: Dialect = Dialect("react", _BEGINS, read, render, tagged=True, needs="Action", opens="A")
