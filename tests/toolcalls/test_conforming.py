from __future__ import annotations

from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.conforming import MOST_PROBLEMS, problems, type_options
from toolcalls.schema import check_calls

CITY = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}, "required": ["name"]}


def said_of(value: Any, schema: Any) -> list[str]:
    return [problem.text for problem in problems(value, schema, ("p",))]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("x", {"type": "string"}),
        (5, {"type": "integer"}),
        (5.0, {"type": "integer"}),
        (5, {"type": "number"}),
        (0.5, {"type": "float"}),
        (True, {"type": "boolean"}),
        (None, {"type": "null"}),
        (None, {"type": "string", "nullable": True}),
        (None, {"type": "string", "default": None}),
        (None, {"type": ["string", "null"]}),
        ([1, 2], {"type": "tuple", "items": {"type": "int"}}),
        (["x"], {"type": "list(str)"}),
        ([], {"type": "ArrayList"}),
        ({"a": 1}, {"type": "dict"}),
        ({"a": 1}, {"type": "HashMap"}),
        ("x", {"type": "str, optional"}),
        ("x", {"type": "any"}),
        (7, {"type": "Any"}),
        ({}, {"type": "Point3D"}),
        (3, {"type": ["string", "Point3D"]}),
        (3, {}),
        (3, None),
        (3, {"type": 7}),
        ("x", {"enum": ["x", "y"]}),
        (1.0, {"enum": [1, 2]}),
        (["x", "y"], {"type": "array", "enum": ["x", "y", "z"]}),
        ("", {"type": "string", "enum": ["x"], "default": ""}),
        ("x", {"enum": "xyz"}),
        ("x", {"enum": []}),
        (5, {"minimum": 5, "maximum": 5}),
        (5, {"minimum": "9"}),
        (5, {"minimum": True}),
        (True, {"type": "boolean", "maximum": 0}),
        ("abc", {"minLength": 3, "maxLength": 3, "pattern": "^z", "format": "date"}),
        ([1], {"minItems": 1, "maxItems": 1}),
        ({"name": "Rome", "size": 3, "mayor": 7}, CITY),
        ([{"name": "Rome"}], {"type": "array", "items": CITY}),
        ({"a": 1}, {"type": "object", "additionalProperties": {"type": "number"}}),
        ({"a": 1}, {"type": "object", "properties": "none", "required": "a"}),
        ([1, 2], {"type": "List[int]"}),
        ([[1], [2.0]], {"type": "int[][]"}),
        (["x", None], {"type": "List[Optional[str]]"}),
        ({"a": [1]}, {"type": "Dict[str, List[int]]"}),
        ({"a": object}, {"type": "HashMap<String, Object>"}),
        (None, {"type": "str, optional"}),
        (5, {"type": "Union[str, int]"}),
        ("x", {"type": ["List[int]", "str"]}),
        (5, {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 5}]}),
        (5, {"oneOf": [{"type": "string"}, {"$ref": "#/definitions/number"}]}),
        (5, {"anyOf": []}),
        (5, {"anyOf": "many"}),
        (5, {"allOf": [{"type": "integer"}, {"minimum": 5}]}),
        ({"required": "x"}, {"type": "object", "properties": {"required": {"type": "string"}}}),
        ({}, {"type": "object", "properties": {"a": {"type": "string", "required": False}}}),
    ],
)
def test_a_value_that_its_schema_allows_has_no_problem(value: Any, schema: Any) -> None:
    assert said_of(value, schema) == []


@pytest.mark.parametrize(
    ("value", "schema", "said"),
    [
        (5, {"type": "string"}, "p: a text is needed, not 5"),
        ("5", {"type": "integer"}, "p: a whole number is needed, not '5'"),
        (5.5, {"type": "long"}, "p: a whole number is needed, not 5.5"),
        (True, {"type": "integer"}, "p: a whole number is needed, not true"),
        (True, {"type": "number"}, "p: a number is needed, not true"),
        (1, {"type": "bool"}, "p: true or false is needed, not 1"),
        (None, {"type": "string"}, "p: a text is needed, not null"),
        ("x", {"type": "array"}, "p: a list is needed, not 'x'"),
        ([], {"type": "dict"}, "p: an object is needed, not []"),
        ([1], {"type": ["string", "integer"]}, "p: a text or a whole number is needed, not [1]"),
        (["x", 2], {"type": "tuple", "items": {"type": "str"}}, "p[1]: a text is needed, not 2"),
        ("z", {"enum": ["x", "y"]}, "p: 'z' is not one of 'x', 'y'"),
        ("1", {"enum": [1, 2]}, "p: '1' is not one of 1, 2"),
        (["x", "q"], {"type": "array", "enum": ["x"]}, 'p: ["x","q"] is not one of \'x\''),
        (2, {"const": 1}, "p: 2 is not one of 1"),
        (4, {"minimum": 5}, "p: 4 is less than minimum 5"),
        (6, {"maximum": 5.5}, "p: 6 is more than maximum 5.5"),
        (5, {"exclusiveMinimum": 5}, "p: 5 must be more than 5"),
        (5, {"maximum": 5, "exclusiveMaximum": True}, "p: 5 must be less than 5"),
        ("", {"minLength": 1}, "p: a text of 0 characters is less than minLength 1"),
        ([1, 2], {"maxItems": 1}, "p: a list of 2 is more than maxItems 1"),
        ({"size": 3}, CITY, "p: 'name' is missing"),
        ({"name": "Rome", "size": "big"}, CITY, "p.size: a whole number is needed, not 'big'"),
        ({"name": "Rome", "x": 1}, CITY | {"additionalProperties": False}, "p: 'x' is not known there"),
        ({"a": "x"}, {"type": "object", "additionalProperties": {"type": "number"}}, "p.a: a number is needed, not 'x'"),
        ([{"name": 1}], {"type": "array", "items": CITY}, "p[0].name: a text is needed, not 1"),
        ([1, "x"], {"type": "List[int]"}, "p[1]: a whole number is needed, not 'x'"),
        ("x", {"type": "List[int]"}, "p: a list is needed, not 'x'"),
        ([["x"]], {"type": "ArrayList<Integer[]>"}, "p[0][0]: a whole number is needed, not 'x'"),
        ({"a": "x"}, {"type": "Dict[str, float]"}, "p.a: a number is needed, not 'x'"),
        (5, {"type": "str, optional"}, "p: a text or null is needed, not 5"),
        ([], {"type": "Union[str, int]"}, "p: a text or a whole number is needed, not []"),
        (["x"], {"type": "Optional[List[int]]"}, "p[0]: a whole number is needed, not 'x'"),
        (4, {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 5}]}, "p: 4 is less than minimum 5"),
        ([], {"oneOf": [{"type": "string"}, {"type": "integer"}]}, "p: a text or a whole number is needed, not []"),
        (4, {"allOf": [{"type": "integer"}, {"minimum": 5}]}, "p: 4 is less than minimum 5"),
        ({}, {"type": "dict", "properties": {"a": {}, "required": ["a"]}}, "p: 'a' is missing"),
        ({}, {"type": "dict", "properties": {"a": {"type": "string", "required": True}}}, "p: 'a' is missing"),
        (
            {"a.b": {"c": 1}},
            {"additionalProperties": {"additionalProperties": {"type": "str"}}},
            'p["a.b"].c: a text is needed, not 1',
        ),
    ],
)
def test_a_value_that_breaks_its_schema_is_said_with_its_place(value: Any, schema: Any, said: str) -> None:
    assert said_of(value, schema) == [said]


def test_every_problem_is_said() -> None:
    value = {"size": "big", "tags": ["x", 1, 2]}
    schema = CITY | {"properties": {**CITY["properties"], "tags": {"type": "list", "items": {"type": "string"}}}}  # type: ignore[dict-item]
    assert said_of(value, schema) == [
        "p: 'name' is missing",
        "p.size: a whole number is needed, not 'big'",
        "p.tags[1]: a text is needed, not 1",
        "p.tags[2]: a text is needed, not 2",
    ]


def test_long_values_are_shown_by_their_beginning() -> None:
    (said,) = said_of("x" * 500, {"type": "integer"})
    assert len(said) < 120
    assert said.endswith("…")


def test_types_are_named_as_json_schema_names_them() -> None:
    assert type_options({"type": ["Dict", "str", "string"]}) == ({"type": "object"}, {"type": "string"})
    assert type_options({"type": "String", "nullable": True}) == ({"type": "string"}, {"type": "null"})
    assert type_options({"type": ["string", "Thing"]}) == type_options({}) == ()


KINDS = [
    (5, {"type": "string"}, ("p",), "wrong_type"),
    ([5], {"type": "List[str]"}, ("p", 0), "wrong_type"),
    ("z", {"enum": ["x"]}, ("p",), "not_in_enum"),
    (4, {"minimum": 5}, ("p",), "out_of_bounds"),
    ({}, CITY, ("p", "name"), "missing_parameter"),
    ({"name": "Rome", "x": 1}, CITY | {"additionalProperties": False}, ("p", "x"), "unknown_parameter"),
]


@pytest.mark.parametrize(("value", "schema", "steps", "kind"), KINDS)
def test_a_problem_has_its_place_and_its_kind(value: Any, schema: Any, steps: tuple[str | int, ...], kind: str) -> None:
    assert [(found.steps, found.kind) for found in problems(value, schema, ("p",))] == [(steps, kind)]


def test_schemas_inside_schemas_are_looked_into_as_far_as_is_sensible() -> None:
    schema: dict[str, Any] = {"type": "integer"}
    value: Any = "x"
    for _ in range(500):
        schema, value = {"anyOf": [{"type": "array", "items": schema}]}, [value]
    assert said_of(value, schema) == []


def test_no_more_problems_are_looked_for_than_people_read() -> None:
    assert len(said_of(["x"] * 1000, {"type": "List[int]"})) == MOST_PROBLEMS
    assert len(check_calls([Call("f")] * 1000, [])) == MOST_PROBLEMS


def test_a_call_is_checked_by_the_values_of_its_arguments() -> None:
    tool = {"name": "f", "parameters": {"type": "dict", "properties": {"city": CITY, "days": {"type": "integer"}}}}
    assert check_calls([Call("f", {"city": {"size": 1}, "days": 2})], [tool]) == ["city: 'name' is missing"]
    flat = {"name": "f", "parameters": {"days": {"type": "int", "maximum": 7}}}
    assert check_calls([Call("f", {"days": 9})], [flat]) == ["days: 9 is more than maximum 7"]
