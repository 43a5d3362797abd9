"""gpt-oss's form: `<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a": 1}<|call|>`.

Its last mark ends the generation, so an answer may come without it. The addressee may also stand before the channel.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import Spelling, read_arguments, written
from toolcalls.dialects.carrying import uncarried
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader

_NAME = r"to=functions\.([^\s<>\0\ud800-\udfff]{1,1024}+)"
_HEAD: Final = re.compile(
    rf"(?:<\|start\|>assistant\s*)?(?:<\|channel\|>\s*\w{{1,32}}\s+{_NAME}|{_NAME}\s*<\|channel\|>\s*\w{{1,32}})"
    r"\s*(?:<\|constrain\|>)?\s*(?:json)?\s*<\|message\|>\s*"
)
_SPELLING: Final = Spelling()


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while found := _HEAD.match(reader.text, reader.position):
        reader.position = found.end()
        calls.append(reader.call(found[1] or found[2], read_arguments(reader, _SPELLING)))
        end = reader.position
        reader.skip_space()
        if reader.accept("<|call|>"):
            end = reader.position
            reader.skip_space()
    reader.position = end
    return calls


def render(calls: Sequence[Call]) -> str:
    head = "<|channel|>commentary to=functions.{} <|constrain|>json<|message|>"
    return "<|start|>assistant".join(f"{head.format(_name(call.name))}{written(call.arguments)}<|call|>" for call in calls)


def _name(name: str) -> str:
    if re.search(r"[\s<>]", name):
        raise uncarried(f"the name {name!r}", "harmony")
    return name


DIALECT: Dialect = Dialect("harmony", _HEAD, read, render, tagged=True, needs="<|message|>", opens="<t")
