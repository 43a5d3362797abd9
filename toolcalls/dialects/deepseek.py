"""DeepSeek's forms: `<｜tool▁call▁begin｜>f<｜tool▁sep｜>{"a": 1}<｜tool▁call▁end｜>` since V3.1, with marks around all calls.

V3 and R1 write `function<｜tool▁sep｜>f`, and the arguments in a JSON fence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_arguments, written
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.tags import NAME, unmarked
from toolcalls.literals import Reader

_ALL, _ALL_END = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
_ONE, _SEPARATOR, _ONE_END = "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"
_SPELLING: Final = Spelling()
_NAME: Final = re.compile(rf"\s*({NAME}){_SEPARATOR}\s*")
_FENCED: Final = re.compile(rf"\s*function{_SEPARATOR}({NAME})\n```(?:json)?\s*")


def read(reader: Reader) -> list[Call]:
    around = reader.accept(_ALL)
    if not around:
        reader.tolerate("missing tag")
    calls: list[Call] = []
    while True:
        reader.skip_space()
        reader.expect(_ONE)
        calls.append(_call(reader))
        end = reader.position
        reader.skip_space()
        if not reader.text.startswith(_ONE, reader.position):
            break
    if around:
        reader.expect(_ALL_END)
    elif not reader.accept(_ALL_END):
        reader.position = end
    return calls


def _call(reader: Reader) -> Call:
    fenced = _FENCED.match(reader.text, reader.position)
    found = fenced or _NAME.match(reader.text, reader.position)
    if found is None:
        raise reader.unreadable("a call without a tool's name")
    reader.position = found.end()
    call = reader.call(found[1].strip(), read_arguments(reader, _SPELLING))
    reader.skip_space()
    if fenced:
        reader.expect("```")
        reader.skip_space()
    reader.expect(_ONE_END)
    return call


def render(calls: Sequence[Call]) -> str:
    written_calls = (f"{_ONE}{unmarked('deepseek', call.name)}{_SEPARATOR}{written(call.arguments)}{_ONE_END}" for call in calls)
    return _ALL + "".join(written_calls) + _ALL_END


DIALECT: Dialect = Dialect("deepseek", re.compile(rf"{_ALL}|{_ONE}"), read, render, tagged=True, needs="<｜", opens="<")
