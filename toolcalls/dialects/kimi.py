"""Kimi K2's form: `<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|>` in a marked section."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_arguments, written
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.tags import NAME, unmarked
from toolcalls.literals import Reader

_ALL, _ALL_END = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"
_ONE, _ONE_END, _ARGUMENTS = "<|tool_call_begin|>", "<|tool_call_end|>", "<|tool_call_argument_begin|>"
_ID: Final = re.compile(rf"\s*+({NAME})\s*+{re.escape(_ARGUMENTS)}\s*+")
_NAMED: Final = re.compile(r"(functions\.)?(.*?)(:\d{1,9})?")
_SPELLING: Final = Spelling()


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
    found = _ID.match(reader.text, reader.position)
    if found is None:
        raise reader.unreadable("a call without a tool's name")
    reader.position = found.end()
    prefix, name, number = _NAMED.fullmatch(found[1].strip()).groups()  # type: ignore[union-attr]  # matches everything
    if not (prefix and number):
        reader.tolerate("another id")
    call = reader.call(name, read_arguments(reader, _SPELLING))
    reader.skip_space()
    reader.expect(_ONE_END)
    return call


def render(calls: Sequence[Call]) -> str:
    texts = [
        f"{_ONE}functions.{unmarked('kimi', call.name)}:{number}{_ARGUMENTS}{written(call.arguments)}{_ONE_END}"
        for number, call in enumerate(calls)
    ]
    return _ALL + "".join(texts) + _ALL_END


_BEGINS = re.compile(rf"{re.escape(_ALL)}|{re.escape(_ONE)}")
DIALECT: Dialect = Dialect("kimi", _BEGINS, read, render, tagged=True, needs="<|tool_call", opens="<")
