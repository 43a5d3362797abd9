"""Where calls plainly fit, the whole check finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.plain_fitting import plainly_fit
from toolcalls.schema import all_problems

NAMES = st.sampled_from(["a", "b", "é", "e\u0301", "\u212a", "K", "required"])
TYPES = st.sampled_from(
    [
        "string",
        "str",
        "integer",
        "int",
        "float",
        "number",
        "bool",
        "boolean",
        "array",
        "list",
        "dict",
        "object",
        "null",
        "any",
        "List[int]",
    ]
)
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.lists(TYPES, max_size=2),
    "description": st.just("said"),
    "default": st.sampled_from([None, 1, "x", [1]]),
    "enum": st.sampled_from([[], [1], ["x", "y"]]),
    "minimum": st.just(2),
    "maxLength": st.just(1),
    "nullable": st.booleans(),
    "required": st.sampled_from([True, False, ["a"]]),
    "properties": st.just({"c": {"type": "string"}}),
    "anyOf": st.just([{"type": "integer"}]),
}
SCHEMAS = st.recursive(
    st.fixed_dictionaries({}, optional=KEYWORDS),
    lambda inner: st.fixed_dictionaries({"type": st.sampled_from(["array", "list", "string"]), "items": inner}),
    max_leaves=3,
)
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 2.0, 2.5, "", "x", "xy"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
NEEDED = st.none() | st.lists(NAMES | st.just(1), max_size=2)
PARAMETERS = st.fixed_dictionaries(
    {"type": st.sampled_from(["object", "dict"]), "properties": st.dictionaries(NAMES, SCHEMAS | st.none(), max_size=3)},
    optional={"required": NEEDED, "additionalProperties": st.booleans() | SCHEMAS},
)
TOOLS = st.fixed_dictionaries(
    {"name": NAMES | st.none(), "parameters": PARAMETERS | st.none()}, optional={"required": NEEDED, "function": PARAMETERS}
)
NO_MORE: st.SearchStrategy[dict[str, Any]] = st.just({})
OFTEN: dict[str, list[Any]] = {
    "string": ["x"],
    "int": [1],
    "number": [1, 2.5],
    "boolean": [True],
    "array": [[], ["x"]],
    "dict": [{}],
}


@st.composite
def calls_of_tools(draw: st.DrawFn) -> tuple[list[Call], list[dict[str, Any]]]:
    """Tools, and calls that mostly fit them."""
    plain = {
        name: draw(st.sampled_from(sorted(OFTEN))) for name in draw(st.lists(st.sampled_from("abK"), max_size=3, unique=True))
    }
    listed: dict[str, Any] = {name: {"type": kind, "description": "said"} for name, kind in plain.items()}
    listed |= draw(NO_MORE | st.dictionaries(NAMES, SCHEMAS | st.none(), max_size=1))
    tool: dict[str, Any] = draw(st.just({"name": "f", "parameters": {"type": "dict", "properties": listed}}) | TOOLS)
    given = {name: draw(st.sampled_from(OFTEN[kind])) for name, kind in plain.items()}
    given |= draw(NO_MORE | st.dictionaries(NAMES, VALUES, max_size=1))
    call = Call(draw(st.just(str(tool["name"])) | NAMES), given)
    return [call], [*draw(st.just([]) | st.lists(TOOLS, max_size=1)), tool]


@given(calls_of_tools())
@example(([Call("K", {})], [{"name": "\u212a", "required": ["a"]}, {"name": "K", "parameters": {"properties": {}}}]))
@settings(max_examples=500)
def test_calls_that_plainly_fit_have_no_problem(made: tuple[list[Call], list[dict[str, Any]]]) -> None:
    if plainly_fit(*made):
        assert all_problems(*made) == ()


def _tool(schema: Any, **more: Any) -> dict[str, Any]:
    return {"name": "f", "parameters": {"type": "dict", "properties": {"a": schema}, **more}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "description": "a city"}, "Rome"),
        ({"type": "int", "default": 3}, 4),
        ({"type": "float"}, 4),
        ({"type": "array", "items": {"type": "string"}}, ["x", "y"]),
        ({"type": "dict"}, {"any": "thing"}),
        ({"type": "boolean"}, True),
    ],
)
def test_plain_values_are_seen_to_fit(schema: dict[str, Any], value: Any) -> None:
    assert plainly_fit([Call("f", {"a": value})], [_tool(schema, required=["a"])])


@pytest.mark.parametrize(
    "tool",
    [
        _tool({"type": "string", "enum": ["x"]}),
        _tool({"type": "string"}, required=["b"]),
        {**_tool({"type": "string"}), "required": ["b"]},
        {"type": "function", "function": _tool({"type": "string"})},
        {"name": "f", "parameters": {"a": {"type": "string"}}},
        _tool({"type": ["string", "null"]}),
        _tool("string"),
    ],
)
def test_everything_else_is_left_to_the_whole_check(tool: dict[str, Any]) -> None:
    assert not plainly_fit([Call("f", {"a": "y"})], [tool])
