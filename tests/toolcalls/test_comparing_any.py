"""Whatever stands in calls and in tools' descriptions, comparing and checking them raise nothing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.conforming import problems
from toolcalls.differing import align, summary
from toolcalls.schema import SchemaProblem, check, defaults, properties, required

WORDS = [
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "const",
    "default",
    "nullable",
    "minimum",
    "maxLength",
    "anyOf",
    "oneOf",
]
WORDS += ["allOf", "additionalProperties", "exclusiveMinimum", "minItems", "a", "b"]
TYPES = ["string", "integer", "object", "dict", "array", "List[int]", "Dict[str, int]", "str, optional", "any", "Union[int, str]"]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(TYPES)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5), max_leaves=20
)
arguments = st.dictionaries(st.sampled_from("abcé") | st.text(max_size=3), values, max_size=4)
calls = st.lists(st.builds(Call, st.sampled_from("fg"), arguments), max_size=4)
schemas = st.dictionaries(st.sampled_from(WORDS), values, max_size=6)
tools = st.lists(
    st.builds(lambda name, described: {"name": name, "parameters": described}, st.sampled_from("fg"), schemas)
    | st.dictionaries(st.sampled_from(["name", "parameters", "function", "required"]), values, max_size=4),
    max_size=3,
)
comparators = st.builds(
    Comparator,
    schema_defaults=st.booleans(),
    string_folding=st.sampled_from(["none", "case", "case_space"]),
    numeric_tolerance=st.sampled_from([0.0, 0.01]),
    nested=st.booleans(),
)


@given(calls, calls, tools, comparators)
def test_any_calls_are_compared(truth: list[Call], output: list[Call], offered: list[Any], comparator: Comparator) -> None:
    found = comparator.compare(truth, output, offered)
    shown = align(truth, output, offered, comparator)
    assert (found.max_param_diff is None) is (found.reason in ("wrong_count", "wrong_tool"))
    assert bool(found.max_param_diff) is bool(found.differences)
    assert found.max_param_diff is None or found.max_param_diff == max((diff.differences for diff in shown), default=0)
    assert (summary(shown) == "") is (found.max_param_diff == 0)
    assert comparator.compare(truth, truth, offered).max_param_diff == 0


@given(tools)
def test_stated_defaults_count_where_a_parameter_may_be_omitted(offered: list[Any]) -> None:
    for tool in offered:
        stated = {name for name, schema in properties(tool).items() if "default" in schema}
        assert defaults(tool).keys() == stated - required(tool)


@given(calls, tools)
def test_any_calls_are_checked_against_any_tools(made: list[Call], offered: list[Any]) -> None:
    for problem in check(made, offered):
        assert isinstance(problem, SchemaProblem)
        assert 0 <= problem.call < len(made) and problem.text and problem.path.startswith(made[problem.call].name)


@given(values, schemas)
def test_any_value_is_checked_against_any_schema(value: Any, schema: Any) -> None:
    found = list(problems(value, schema, ("p",)))
    assert found == list(problems(json.loads(json.dumps(value)), schema, ("p",))) or "NaN" in json.dumps([value, schema])


@given(values)
def test_the_default_of_a_schema_always_fits(value: Any) -> None:
    assert list(problems(value, {"type": "integer", "enum": [1], "default": value}, ("p",))) == []
