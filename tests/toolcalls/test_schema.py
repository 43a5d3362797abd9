from __future__ import annotations

from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.schema import check_calls, defaults, properties, required, tool_name

A = {"a": {"type": "string"}, "b": {"type": "integer", "default": 3}}
DIALECTS = [
    {"name": "f", "parameters": {"type": "object", "properties": A, "required": ["a"]}},
    {"name": "f", "parameters": {"type": "dict", "properties": A}, "required": ["a"]},
    {"name": "f", "parameters": {"type": "dict", "properties": A, "required": ["a"]}, "required": None},
    {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": A, "required": ["a"]}}},
    {"name": "f", "parameters": A, "required": ["a"]},
]


@pytest.mark.parametrize("tool", DIALECTS)
def test_dialects_of_tool_descriptions_say_the_same(tool: dict[str, Any]) -> None:
    assert tool_name(tool) == "f"
    assert properties(tool) == A
    assert required(tool) == {"a"}
    assert defaults(tool) == {"b": 3}


@pytest.mark.parametrize(
    "tool",
    [
        {},
        {"name": 3},
        {"parameters": None},
        {"parameters": []},
        {"parameters": {"type": "object"}},
        {"parameters": {"properties": []}, "required": "a"},
    ],
)
def test_broken_descriptions_describe_nothing(tool: dict[str, Any]) -> None:
    assert tool_name(tool) == ""
    assert properties(tool) == defaults(tool) == {}
    assert required(tool) == frozenset()


def test_problems_of_calls_are_said_in_words() -> None:
    calls = [Call("f", {"a": "x"}), Call("g"), Call("f", {"b": 1, "c": 2})]
    assert check_calls(calls, DIALECTS[:1]) == ["unknown tool 'g'", "'f' has no parameter 'c'", "'f' needs parameter 'a'"]
