from __future__ import annotations

from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.conforming import problems, schema_types
from toolcalls.schema import check_calls

CITY = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}, "required": ["name"]}


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
        ([1], {"type": "list(str)"}),
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
    ],
)
def test_a_value_that_its_schema_allows_has_no_problem(value: Any, schema: Any) -> None:
    assert list(problems(value, schema, "p")) == []


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
    ],
)
def test_a_value_that_breaks_its_schema_is_said_with_its_place(value: Any, schema: Any, said: str) -> None:
    assert list(problems(value, schema, "p")) == [said]


def test_every_problem_is_said() -> None:
    value = {"size": "big", "tags": ["x", 1, 2]}
    schema = CITY | {"properties": {**CITY["properties"], "tags": {"type": "list", "items": {"type": "string"}}}}  # type: ignore[dict-item]
    assert list(problems(value, schema, "p")) == [
        "p: 'name' is missing",
        "p.size: a whole number is needed, not 'big'",
        "p.tags[1]: a text is needed, not 1",
        "p.tags[2]: a text is needed, not 2",
    ]


def test_long_values_are_shown_by_their_beginning() -> None:
    (said,) = problems("x" * 500, {"type": "integer"}, "p")
    assert len(said) < 120
    assert said.endswith("…")


def test_types_are_named_as_json_schema_names_them() -> None:
    assert schema_types({"type": ["Dict", "str", "string"]}) == ("object", "string")
    assert schema_types({"type": "String", "nullable": True}) == ("string", "null")
    assert schema_types({"type": ["string", "Thing"]}) == ()


def test_a_call_is_checked_by_the_values_of_its_arguments() -> None:
    tool = {"name": "f", "parameters": {"type": "dict", "properties": {"city": CITY, "days": {"type": "integer"}}}}
    assert check_calls([Call("f", {"city": {"size": 1}, "days": 2})], [tool]) == ["city: 'name' is missing"]
    flat = {"name": "f", "parameters": {"days": {"type": "int", "maximum": 7}}}
    assert check_calls([Call("f", {"days": 9})], [flat]) == ["days: 9 is more than maximum 7"]
