from __future__ import annotations

from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.schema import SchemaProblem, check, check_calls, defaults, properties, required, tool_name

A: dict[str, dict[str, Any]] = {"a": {"type": "string"}, "b": {"type": "integer", "default": 3}}
DIALECTS: list[dict[str, Any]] = [
    {"name": "f", "parameters": {"type": "object", "properties": A, "required": ["a"]}},
    {"name": "f", "parameters": {"type": "dict", "properties": A}, "required": ["a"]},
    {"name": "f", "parameters": {"type": "dict", "properties": A, "required": ["a"]}, "required": None},
    {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": A, "required": ["a"]}}},
    {"name": "f", "parameters": A, "required": ["a"]},
    {"name": "f", "parameters": {"type": "dict", "properties": {**A, "required": ["a"]}}},
    {"name": "f", "parameters": {"type": "dict", "properties": {**A, "a": {**A["a"], "required": True}}}},
    {"name": "f", "parameters": {**A, "a": {**A["a"], "required": True}}},
    {"name": "f", "parameters": [{"name": name, **schema} for name, schema in A.items()], "required": ["a"]},
    {"name": "f", "input_schema": {"type": "object", "properties": A, "required": ["a"]}},
    {"name": "f", "inputSchema": {"type": "object", "properties": A, "required": ["a"]}},
]


@pytest.mark.parametrize("tool", DIALECTS)
def test_dialects_of_tool_descriptions_say_the_same(tool: dict[str, Any]) -> None:
    assert tool_name(tool) == "f"
    assert list(properties(tool)) == ["a", "b"] and properties(tool)["b"]["default"] == 3
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


@pytest.mark.parametrize("tool", DIALECTS)
def test_calls_are_checked_by_every_dialect_of_tool_descriptions(tool: dict[str, Any]) -> None:
    calls = [Call("f", {"a": "x"}), Call("g", {"a": 1}), Call("f", {"b": [1], "c": 2})]
    assert check(calls, [tool]) == (
        SchemaProblem(1, "g", "unknown_tool", "unknown tool 'g'"),
        SchemaProblem(2, "f.c", "unknown_parameter", "'f' has no parameter 'c'"),
        SchemaProblem(2, "f.a", "missing_parameter", "'f' needs parameter 'a'"),
        SchemaProblem(2, "f.b", "wrong_type", "b: a whole number is needed, not [1]"),
    )


def test_a_required_parameter_that_is_not_described_is_known() -> None:
    tool = {"name": "f", "parameters": {"type": "object", "properties": {}, "required": ["a"]}}
    assert check_calls([Call("f", {"a": 1}), Call("f")], [tool]) == ["'f' needs parameter 'a'"]


@pytest.mark.parametrize(
    ("others", "said"), [(True, []), ({"type": "str"}, ["c: a text is needed, not 1"]), (False, ["'f' has no parameter 'c'"])]
)
def test_parameters_that_are_not_described_may_be_allowed(others: Any, said: list[str]) -> None:
    tool = {"name": "f", "parameters": {"type": "object", "properties": {}, "additionalProperties": others}}
    assert check_calls([Call("f", {"c": 1})], [tool]) == said


def test_names_are_the_same_after_nfc() -> None:
    tool = {"name": "caf\u00e9", "parameters": {"\u00e9": {"type": "str"}}, "required": ["\u00e9"]}
    assert check_calls([Call("cafe\u0301", {"e\u0301": "x"})], [tool]) == []


def test_the_first_of_two_tools_of_one_name_counts() -> None:
    tools: list[dict[str, Any]] = [
        {"name": "f", "parameters": {"a": {"type": "str"}}},
        {"name": "f", "parameters": {"b": {"type": "str"}}},
    ]
    assert check_calls([Call("f", {"a": "x"})], tools) == []
