"""A sample as data set pages and previews show it: what was asked, with which tools, and what is right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from toolcalls.answers import Call
from toolcalls.records import Message, Sample
from toolcalls.rendering import render
from toolcalls.schema import properties, required, tool_name, unwrapped

ONE_LINE = 240  # characters of a question or a truth in a list


@dataclass(frozen=True, slots=True)
class ParameterLine:
    name: str
    kind: str  # as its schema has it; empty where that is no word
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class ToolLine:
    name: str
    about: str
    parameters: tuple[ParameterLine, ...]


@dataclass(frozen=True, slots=True)
class CallLine:
    name: str
    arguments: tuple[tuple[str, str], ...]  # name, value as JSON


@dataclass(frozen=True, slots=True)
class SampleCard:
    """`calls` is empty for a truth in words."""

    key: str
    split: str
    category: str
    language: str
    query: str  # the last thing said, on one line
    truth: str  # on one line
    messages: tuple[Message, ...]
    tools: tuple[ToolLine, ...]
    calls: tuple[CallLine, ...]
    truth_text: str
    other: str
    system: str
    position: int | None = None  # in its revision, from 0
    version: int | None = None
    pk: int | None = None  # of the version


def sample_card(sample: Sample, *, position: int | None = None, version: int | None = None, pk: int | None = None) -> SampleCard:
    truth = sample.truth_text or "" if sample.truth is None else render(sample.truth)
    return SampleCard(
        key=sample.id,
        split=sample.split,
        category=sample.category,
        language=sample.language,
        query=_one_line(sample.messages[-1].content if sample.messages else ""),
        truth=_one_line(truth),
        messages=sample.messages,
        tools=tuple(map(_tool, sample.tools)),
        calls=tuple(map(call_line, sample.truth or ())),
        truth_text=sample.truth_text or "",
        other=sample.other,
        system=sample.system or "",
        position=position,
        version=version,
        pk=pk,
    )


def _one_line(text: str) -> str:
    line = " ".join(text[: 4 * ONE_LINE].split())
    return line if len(line) <= ONE_LINE else f"{line[:ONE_LINE]}…"


def _tool(tool: Any) -> ToolLine:
    needed = required(tool)
    parameters = (
        ParameterLine(name, _word(schema.get("type")), name in needed, _word(schema.get("description")))
        for name, schema in properties(tool).items()
    )
    return ToolLine(tool_name(tool), _word(unwrapped(tool).get("description")), tuple(parameters))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def call_line(call: Call) -> CallLine:
    return CallLine(call.name, tuple((name, json.dumps(value, ensure_ascii=False)) for name, value in call.arguments.items()))
