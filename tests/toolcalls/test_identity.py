from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.canonical import canonical_value
from toolcalls.comparing import Comparator
from toolcalls.identity import deceptive, identical

scalars = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, -0.0, 1.0, float("nan"), "", "1", "é", "e\u0301"])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner), max_leaves=6
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (0, False),
        (1, 1.0),
        ("1", 1),
        ([1, 2], [2, 1]),
        ([True], [1]),
        ((True,), (1,)),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"b": 1}),
        ([1], [1, 1]),
    ],
)
def test_values_of_other_types_order_or_names_are_not_identical(one: Any, other: Any) -> None:
    assert not identical(one, other)


def test_the_order_of_keys_makes_no_difference() -> None:
    assert identical({"a": [1, {"b": "x", "c": None}]}, {"a": [1, {"c": None, "b": "x"}]})


def test_what_is_nested_too_deep_is_left_to_a_closer_look() -> None:
    deep: Any = 1
    for _ in range(10_000):
        deep = [deep]
    assert not identical(deep, deep)
    assert Comparator().compare([Call("f", {"a": deep})], [Call("f", {"a": deep})]).max_param_diff == 0


@given(values, values)
def test_identical_values_are_equal(one: Any, other: Any) -> None:
    if identical(one, other):
        assert canonical_value(one) == canonical_value(other)


@given(values)
def test_a_value_without_nan_is_identical_to_itself(value: Any) -> None:
    assert identical(value, value) or "NaN" in canonical_value(value)


@given(values, values)
def test_a_value_that_does_not_deceive_equals_what_python_says_it_equals(one: Any, other: Any) -> None:
    if one == other and not deceptive(one):
        assert canonical_value(one) == canonical_value(other)


@pytest.mark.parametrize("value", [True, 0, 1, -0.0, 1.0, [[1]], {"a": {"b": False}}, (2,), b""])
def test_values_that_python_equals_with_others_deceive(value: Any) -> None:
    assert deceptive(value)


@pytest.mark.parametrize("value", [None, "", "1", 2, -1, 0.5, float("nan"), [None, "x"], {"a": {"b": [2.0]}}])
def test_other_values_do_not_deceive(value: Any) -> None:
    assert not deceptive(value)
