"""JSON that looks like calls and calls nothing: definitions of tools, data, empty lists."""

from __future__ import annotations

import json

import pytest

from toolcalls.answers import Call, Calls, ParseFailure, Text
from toolcalls.parsing import parse

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "f", "description": "Finds.", "parameters": SCHEMA}}


@pytest.mark.parametrize(
    "value",
    [
        TOOL,
        [TOOL, TOOL],
        {"name": "f", "parameters": SCHEMA},
        {"name": "f", "parameters": {"type": "dict", "properties": {}}},
        [{"name": "f", "parameters": SCHEMA}],
    ],
)
def test_a_tools_definition_calls_nothing(value: object) -> None:
    text = json.dumps(value)
    assert parse(text) == Text(text)
    assert parse(f"The tool is {text}.") == Text(f"The tool is {text}.")


DEFINED, CALLED = {"name": "f", "parameters": SCHEMA}, {"name": "g", "arguments": {}}


@pytest.mark.parametrize(
    ("value", "position"), [([DEFINED, CALLED], 1), ([CALLED, DEFINED], 33), ([DEFINED, DEFINED, CALLED], 1)]
)
def test_a_list_of_calls_and_definitions_is_a_failure(value: object, position: int) -> None:
    assert parse(json.dumps(value)) == ParseFailure("calls and definitions of tools in one list", position)


@pytest.mark.parametrize("cut", [0, 2, 20, 70])
def test_a_list_of_definitions_calls_nothing_even_if_cut_off(cut: int) -> None:
    text = json.dumps([DEFINED, {"name": "now", "description": "The time.", "parameters": {}}, DEFINED])
    text = text[: len(text) - cut]
    assert parse(text) == Text(text)


def test_arguments_that_look_like_a_schema_are_a_call() -> None:
    assert parse(json.dumps({"name": "f", "arguments": SCHEMA})) == Calls((Call("f", SCHEMA),), "json")


@pytest.mark.parametrize(
    "text",
    [
        '[{"address": {"city": "Rome"}}]',
        '[{"user": {"id": 1}}, {"user": {"id": 2}}]',
        '{"results": [{"name": "Rome", "parameters": {"zoom": 3}}]}',
        '{"place": {"name": "Rome", "parameters": {"zoom": 3}}}',
    ],
)
def test_data_calls_nothing(text: str) -> None:
    assert parse(text) == Text(text)


def test_a_key_that_tells_of_calls_holds_calls() -> None:
    answer = parse('{"calls": [{"name": "f", "parameters": {"a": 1}}]}')
    assert isinstance(answer, Calls)
    assert answer.calls == (Call("f", {"a": 1}),)


@pytest.mark.parametrize("text", ["[]", '{"tool_calls": []}', "<TOOLCALL>[]</TOOLCALL>", "[TOOL_CALLS] []"])
@pytest.mark.parametrize("strict", [False, True])
def test_an_empty_list_calls_nothing_in_either_reading(text: str, strict: bool) -> None:
    assert parse(text, strict=strict) == Text(text)
