from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.lone_pairs import lone_difference
from toolcalls.partners import partners

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


def lone(comparator: Comparator, truth: list[Call], output: list[Call]) -> int | None:
    return lone_difference(truth, output, comparator.measure, lambda names: comparator.defaults_of(TOOLS, names))


@given(calls, calls, comparators)
def test_calls_with_one_possible_partner_have_the_differences_of_a_pairing(
    truth: list[Call], output: list[Call], comparator: Comparator
) -> None:
    found = lone(comparator, truth, output)
    if found is None:
        return
    one, other = comparator.sides(truth, output, TOOLS)
    for name, rows in one.positions.items():
        assert partners(
            [one.calls[row] for row in rows], [other.calls[at] for at in other.positions[name]], comparator.measure
        ) == [0]
    pairs = [(call, next(beside for beside in other.calls if beside.name == call.name)) for call in one.calls]
    assert found == max((comparator.measure(*pair) for pair in pairs), default=0)


@pytest.mark.parametrize(
    ("truth", "output"),
    [
        ([Call("f")], []),
        ([Call("f")], [Call("g")]),
        ([Call("f"), Call("f")], [Call("f"), Call("g")]),
        ([Call("f"), Call("g")], [Call("f"), Call("f")]),
        ([Call("é")], [Call("é")]),
        ([Call("f", {"é": 1})], [Call("f", {"e\u0301": 1})]),
    ],
)
def test_other_calls_are_left_to_a_closer_look(truth: list[Call], output: list[Call]) -> None:
    assert lone(Comparator(), truth, output) is None


def test_an_omitted_parameter_equals_its_default() -> None:
    assert lone(Comparator(), [Call("f", {"a": "Rome", "b": 1})], [Call("f", {"b": 1.0})]) == 0
    assert lone(Comparator(schema_defaults=False), [Call("f", {"a": "Rome", "b": 1})], [Call("f", {"b": 1.0})]) == 1
