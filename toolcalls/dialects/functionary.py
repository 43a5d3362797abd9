"""Functionary's form, also Llama 3.1's for tools of one's own: `<function=f>{"a": 1}</function>`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_arguments, written
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.tags import NAME, unmarked
from toolcalls.literals import Reader

_FUNCTION: Final = re.compile(rf"<function=({NAME})>\s*(?=\{{)")
_SPELLING: Final = Spelling()


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while found := _FUNCTION.match(reader.text, reader.position):
        reader.position = found.end()
        calls.append(reader.call(found[1].strip(), read_arguments(reader, _SPELLING)))
        reader.skip_space()
        reader.expect("</function>")
        end = reader.position
        reader.skip_space()
    reader.position = end
    return calls


def render(calls: Sequence[Call]) -> str:
    return "\n".join(f"<function={unmarked('functionary', call.name)}>{written(call.arguments)}</function>" for call in calls)


DIALECT: Dialect = Dialect("functionary", _FUNCTION, read, render, tagged=True, needs="<function=", opens="<")
