"""ToolRL's rlla: `instruction` with numbered tools, `input` with the dialogue so far in tags, `output` with the answer in tags.

Its API-Bank file names them `system`, `user` and `answer`, the last a list of calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toolcalls.answers import Json
from toolcalls.conversations import Conversation, Said
from toolcalls.errors import InputError
from toolcalls.formats.assistant_turns import joined, structured, written
from toolcalls.formats.nested_json import calls_of, list_of, tools_of, value_at
from toolcalls.wire import Fields

TOOLS = "**Available Tools**"
_HEADING = re.compile(r"^\*\*[^*\n]+\*\*[ \t]*$", re.MULTILINE)
_TOOL = re.compile(r"^\d+\. Name: ?", re.MULTILINE)
_TAG = re.compile(r"<(user|think|tool_call|response|obs)>")
_MARKS = {"description": "\nDescription:", "parameters": "\nParameters:"}


def from_toolrl(row: dict[str, Any]) -> Conversation:
    """Read a row; of the dialogue so far nothing is learnt, and thinking is left out but for the truth's own text."""
    fields = Fields(row, "row")
    names = ("instruction", "input", "output") if "instruction" in row else ("system", "user", "answer")
    before = list(_dialogue(fields.get(names[1], str), trained=False))
    tools = _tools(fields.get(names[0], str), names[0])
    if names[2] == "answer":
        answers = list_of(row.get("answer"), "answer")
        return Conversation(tools, joined([*before, structured(calls_of(answers, "answer"))]))
    return Conversation(tools, joined([*before, _answer(fields.get("output", str))]))


def _answer(output: str) -> Said:
    """The row's truth: as it is written where it calls tools, else what is told to the user."""
    told = [said for said in _dialogue(output) if said.role == "assistant"]
    if not told or any(said.calls is not None or (said.problem and said.content) for said in told):
        return written(output)
    return joined(told)[0]


def _dialogue(text: str, *, trained: bool = True) -> Iterator[Said]:
    """The turns of a text in tags; what stands between the tags, a heading or space, is left out."""
    position = 0
    while found := _TAG.search(text, position):
        tag = found[1]
        end = text.find(f"</{tag}>", found.end())
        if end < 0:
            raise InputError(f"row: <{tag}> at character {found.start()} is not closed; add </{tag}>")
        inner, position = text[found.end() : end].strip(), end + len(tag) + 3
        if tag == "tool_call":
            yield written(text[found.start() : position], trained)
        elif tag == "response":
            yield Said("assistant", inner, problem="" if inner else "is empty", trained=trained)
        elif tag != "think":
            yield Said("user" if tag == "user" else "tool", inner)


def _tools(text: str, where: str) -> tuple[dict[str, Json], ...]:
    """Tools as `1. Name: …`, `Description: …`, `Parameters: {…}`, the last in JSON or as a Python dict."""
    _, found, listed = text.partition(TOOLS)
    if not found:
        raise InputError(f"row: field {where!r} has no list of tools under {TOOLS}")
    heading = _HEADING.search(listed)
    listed = listed[: heading.start()] if heading else listed
    begun = list(_TOOL.finditer(listed))
    ends = [*(found.start() for found in begun[1:]), len(listed)]
    return tools_of([_tool(listed[found.end() : end], where) for found, end in zip(begun, ends, strict=False)], where)


def _tool(text: str, where: str) -> dict[str, Json]:
    name, _, rest = text.partition(_MARKS["description"])
    description, mark, parameters = rest.rpartition(_MARKS["parameters"])
    if not mark:
        raise InputError(f"row: field {where!r}: the tool {name.strip()[:80]!r} needs a line Description: and a line Parameters:")
    begin = len(parameters) - len(parameters.lstrip())
    return {
        "name": name.strip(),
        "description": description.strip(),
        "parameters": value_at(parameters, begin, f"the parameters of {name.strip()[:80]!r}")[0],
    }
