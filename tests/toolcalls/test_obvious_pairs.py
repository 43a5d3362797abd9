from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.obvious_pairs import obvious_difference

scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 1.001, "", "Rome", "rome", "é", "e\u0301"])
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from("ab"), scalars, max_size=2)
arguments = st.dictionaries(st.sampled_from("abcé"), values, max_size=3)
calls = st.lists(st.builds(Call, st.sampled_from("fgé"), arguments), max_size=3)
comparators = st.builds(
    Comparator,
    schema_defaults=st.booleans(),
    string_folding=st.sampled_from(["none", "case"]),
    numeric_tolerance=st.sampled_from([0.0, 0.01]),
    nested=st.booleans(),
)
TOOLS: list[dict[str, Any]] = [{"name": "f", "parameters": {"properties": {"a": {"type": "string", "default": "Rome"}, "b": {}}}}]


def obvious(comparator: Comparator, truth: list[Call], output: list[Call]) -> int | None:
    return obvious_difference(truth, output, comparator.measure, lambda names: comparator.defaults_of(TOOLS, names))


@given(calls, calls, comparators)
def test_an_obvious_difference_is_the_least_of_all_pairings(
    truth: list[Call], output: list[Call], comparator: Comparator
) -> None:
    found = obvious(comparator, truth, output)
    if found is None:
        return
    one, other = (side.calls for side in comparator.sides(truth, output, TOOLS))
    pairings = [list(zip(one, order, strict=True)) for order in permutations(other)]
    allowed = [pairs for pairs in pairings if all(call.name == beside.name for call, beside in pairs)]
    assert found == min(max((comparator.measure(*pair) for pair in pairs), default=0) for pairs in allowed)


@pytest.mark.parametrize(
    ("truth", "output"),
    [
        ([Call("f")], []),
        ([Call("f")], [Call("g")]),
        ([Call("f"), Call("f")], [Call("f"), Call("g")]),
        ([Call("f", {"a": 1}), Call("f", {"a": 2})], [Call("f", {"a": 2}), Call("f", {"a": 1})]),
        ([Call("f", {"a": 1, "b": 1}), Call("f")], [Call("f"), Call("f", {"a": 1})]),
        ([Call("f"), Call("g")], [Call("f"), Call("f")]),
        ([Call("é")], [Call("é")]),
        ([Call("f", {"é": 1})], [Call("f", {"e\u0301": 1})]),
    ],
)
def test_other_calls_are_left_to_a_closer_look(truth: list[Call], output: list[Call]) -> None:
    assert obvious(Comparator(), truth, output) is None


def test_one_difference_among_calls_of_one_tool_is_obvious() -> None:
    truth, output = ([Call("f", {"a": 1}), Call("f", {"a": last})] for last in (2, 3))
    assert obvious(Comparator(), truth, output) == 1
    assert obvious(Comparator(numeric_tolerance=0.1), truth, output) is None


def test_an_omitted_parameter_equals_its_default() -> None:
    assert obvious(Comparator(), [Call("f", {"a": "Rome", "b": 1})], [Call("f", {"b": 1.0})]) == 0
    assert obvious(Comparator(schema_defaults=False), [Call("f", {"a": "Rome", "b": 1})], [Call("f", {"b": 1.0})]) == 1
