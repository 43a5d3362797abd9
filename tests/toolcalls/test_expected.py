from __future__ import annotations

import dataclasses
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.expected import FEW, Expected, Omitted

scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 1.001, "", "Rome", "rome", "é", "e\u0301"])
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from("ab"), scalars, max_size=2)
arguments = st.dictionaries(st.sampled_from("abcéK"), values, max_size=3)
calls = st.lists(st.builds(Call, st.sampled_from("fgé"), arguments), max_size=3)
comparators = st.builds(
    Comparator,
    schema_defaults=st.booleans(),
    string_folding=st.sampled_from(["none", "case"]),
    numeric_tolerance=st.sampled_from([0.0, 0.01]),
    nested=st.booleans(),
)
TOOLS: list[dict[str, Any]] = [
    {"name": "f", "parameters": {"properties": {"a": {"type": "string", "default": "Rome"}, "b": {}}}},
    {"name": "g", "parameters": {"properties": {"a": {"default": 1}, "e\u0301": {"default": True}, "\u212a": {"default": None}}}},
    {"name": "g", "parameters": {"properties": {"a": {"default": 2}}}},
]


def quick(comparator: Comparator, truth: list[Call], output: list[Call]) -> int | None:
    return Expected(truth, comparator.measure, Omitted(TOOLS if comparator.schema_defaults else ())).least(output)


def thorough(comparator: Comparator, truth: list[Call], output: list[Call]) -> int | None:
    """The least of all pairings, by canonical texts."""
    one, other = (side.calls for side in comparator.sides(truth, output, TOOLS))
    pairings = [list(zip(one, order, strict=True)) for order in permutations(other)] if len(one) == len(other) else []
    allowed = [pairs for pairs in pairings if all(call.name == beside.name for call, beside in pairs)]
    return min((max((comparator.measure(*pair) for pair in pairs), default=0) for pairs in allowed), default=None)


@given(calls, calls, comparators)
def test_the_quick_road_leads_where_the_thorough_one_does(truth: list[Call], output: list[Call], comparator: Comparator) -> None:
    for given_calls in (output, (output + truth)[: len(truth)], truth[::-1]):
        if (found := quick(comparator, truth, given_calls)) is not None:
            assert found == thorough(comparator, truth, given_calls)


@given(calls, st.lists(calls, max_size=4), comparators)
def test_a_prepared_truth_compares_each_answer_as_if_it_were_the_only_one(
    truth: list[Call], outputs: list[list[Call]], comparator: Comparator
) -> None:
    prepared = comparator.against(truth, TOOLS)
    for output in [*outputs, truth, *outputs[::-1]]:
        told, untold = (comparator.compare(truth, output, TOOLS, told=told) for told in (True, False))
        assert repr(prepared.compare(output)) == repr(told)
        assert prepared.compare(output, told=False) == untold == dataclasses.replace(told, differences=())
        assert told.max_param_diff == thorough(comparator, truth, output)


@pytest.mark.parametrize(
    ("truth", "output"),
    [
        ([Call("f")], []),
        ([Call("f")], [Call("g")]),
        ([Call("f"), Call("f")], [Call("f"), Call("g")]),
        ([Call("f"), Call("g")], [Call("f"), Call("f")]),
        ([Call("f", {"é": 1})], [Call("f", {"e\u0301": 1})]),
        ([Call("é", {"a": 1}), Call("e\u0301", {"a": 2})], [Call("é", {"a": 2}), Call("e\u0301", {"a": 1})]),
        ([Call("f", {"a": number}) for number in range(FEW + 1)], [Call("f", {"a": number}) for number in range(FEW, -1, -1)]),
    ],
)
def test_what_cannot_be_told_quickly_is_left_to_a_closer_look(truth: list[Call], output: list[Call]) -> None:
    assert quick(Comparator(), truth, output) is None


@pytest.mark.parametrize(
    ("truth", "output", "least"),
    [
        ([Call("é", {"ü": True})], [Call("é", {"ü": True})], 0),
        ([Call("f", {"a": 1, "b": [0]})], [Call("f", {"a": True, "b": [False]})], 2),
        ([Call("f", {"a": "1", "b": 2})], [Call("f", {"a": 1, "b": 2.0})], 1),
        ([Call("f", {"a": 1}), Call("f", {"a": 2})], [Call("f", {"a": 2}), Call("f", {"a": 1})], 0),
        ([Call("f"), Call("g", {"a": 2})], [Call("g", {"a": 3}), Call("f")], 1),
        (
            [Call("f", {"a": 1, "b": 1}), Call("f", {"a": 2, "b": 1})],
            [Call("f", {"a": 1, "b": 1}), Call("f", {"a": 1, "b": 2})],
            1,
        ),
    ],
)
def test_what_is_told_quickly(truth: list[Call], output: list[Call], least: int) -> None:
    assert quick(Comparator(), truth, output) == least


def test_an_omitted_parameter_equals_its_default() -> None:
    assert quick(Comparator(), [Call("f", {"a": "Rome", "b": 1})], [Call("f", {"b": 1.0})]) == 0
    assert quick(Comparator(schema_defaults=False), [Call("f", {"a": "Rome", "b": 1})], [Call("f", {"b": 1.0})]) == 1


def test_a_truth_nested_beyond_python_s_own_recursion_is_compared() -> None:
    def nested(depth: int, inner: Any) -> Any:
        for _ in range(depth):
            inner = [inner]
        return inner

    prepared = Comparator().against([Call("f", {"a": nested(10_000, 2), "b": 1})])
    assert prepared.compare([Call("f", {"a": nested(10_000, 2.0), "b": 1})], told=False).max_param_diff == 0
    assert prepared.compare([Call("f", {"a": nested(10_000, 3), "b": 1})], told=False).max_param_diff == 1
