"""Where two values differ, and how such a place is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.equality import Equality
from toolcalls.places import MOST_PLACES, change_text, path_text, places, told_places

PLAIN = Equality()


def found(expected: Any, given: Any, equality: Equality = PLAIN) -> list[str]:
    return [
        f"{path_text('', place.steps)}: {change_text(place.expected, place.given, place.kind)}"
        for place in places(expected, given, equality)
    ]


@pytest.mark.parametrize(
    ("expected", "given", "told"),
    [
        (1, 1.0, []),
        (1, 2, [": 1 → 2"]),
        (None, {}, [": null → {}"]),
        ({}, [], [": {} → []"]),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 3}, ["a: 1 → 3"]),
        ({"a": 1}, {"b": 1}, ["a: 1 → nothing", "b: nothing → 1"]),
        ({"a": {"b": [1, {"c": "x"}]}}, {"a": {"b": [1, {"c": "y"}]}}, ['a.b[1].c: "x" → "y"']),
        ({"a": None}, {}, ["a: null → nothing"]),
        ([1, 2], [2, 1], ["[0]: 1 → 2", "[1]: 2 → 1"]),
        ([1, 2, 3], [2, 3], ["[0]: 1 → nothing"]),
        ([1, 2, 3], [1, 3], ["[1]: 2 → nothing"]),
        ([1, 3], [1, 2, 3], ["[1]: nothing → 2"]),
        ([1, 1], [1], ["[1]: 1 → nothing"]),
        ([1, 2, 3], [9, 3], ["[0]: 1 → 9", "[1]: 2 → nothing"]),
        ([], [[]], ["[0]: nothing → []"]),
        ({"a b": 1, "c.d": 2, "": 3}, {"a b": 0, "c.d": 0, "": 0}, ['["a b"]: 1 → 0', '["c.d"]: 2 → 0', '[""]: 3 → 0']),
        ({"城市": "罗马"}, {"城市": "米兰"}, ['城市: "罗马" → "米兰"']),
        ({"\u00e9": 1}, {"e\u0301": 2}, ["\u00e9: 1 → 2"]),
    ],
)
def test_the_deepest_places_that_differ_are_named(expected: Any, given: Any, told: list[str]) -> None:
    assert found(expected, given) == told


def test_long_values_are_shown_from_where_they_differ() -> None:
    told = change_text(10**80, 10**80 + 7, "value")
    expected, given = told.split(" → ")
    assert expected != given
    assert (expected[0], expected[-1], given[-1]) == ("…", "0", "7")
    assert change_text("x" * 200 + "a", "x" * 200 + "b", "value") == f'…{"x" * 30}a" → …{"x" * 30}b"'


def test_places_follow_the_options() -> None:
    assert found({"a": "Rome", "b": 100}, {"a": "rome", "b": 101}, Equality("case", 0.01)) == []
    assert found({"a": "Rome", "b": 100}, {"a": "rome", "b": 103}, Equality("case", 0.01)) == ["b: 100 → 103"]


def test_a_value_that_differs_nearly_everywhere_is_one_place() -> None:
    few, many = list(range(MOST_PLACES)), list(range(MOST_PLACES + 1))
    assert len(told_places(few, [-1] * len(few), PLAIN)) == MOST_PLACES
    (whole,) = told_places(many, [-1] * len(many), PLAIN)
    assert (whole.steps, whole.expected) == ((), many)


def test_long_names_and_values_are_shown_by_their_beginning() -> None:
    assert len(path_text("f", ("x" * 500, 3, "y" * 500))) < 150
    assert len(change_text("x" * 500, ["y"] * 500, "value")) < 150


def test_values_that_json_cannot_write_are_shown() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert change_text(deep, 10**5000, "value").startswith("[[[[")


def test_a_comparison_tells_its_differences_with_their_paths() -> None:
    truth = [Call("hotel", {"address": {"city": "Rome", "zip": 1}, "nights": 2, "tags": ["a"], "sea": True})]
    output = [Call("hotel", {"address": {"city": "Roma", "zip": 1}, "nights": 2.0, "tags": ["a", "b"], "view": "x"})]
    compared = Comparator().compare(truth, output)
    assert compared.max_param_diff == 4
    assert [each.text for each in compared.differences] == [
        'hotel.address.city: "Rome" → "Roma"',
        "hotel.sea: true → nothing",
        'hotel.tags[1]: nothing → "b"',
        'hotel.view: nothing → "x"',
    ]
    assert [(each.parameter, each.kind) for each in compared.differences] == [
        ("address", "value"), ("sea", "missing"), ("tags", "extra"), ("view", "extra"),
    ]  # fmt: skip


def test_a_difference_of_the_design_s_example_reads_as_there() -> None:
    (difference,) = Comparator().compare([Call("hotel", {"city": "Rome"})], [Call("hotel", {"city": "Roma"})]).differences
    assert difference.text == 'hotel.city: "Rome" → "Roma"'


@pytest.mark.parametrize(
    ("expected", "given", "plain", "nested"),
    [
        ({"b": 1, "c": 2}, {"b": 3, "c": 4, "d": 5}, 1, 3),
        ([1, 2], [2, 1], 1, 2),
        ({"b": {"c": [1, 2]}}, {"b": {"c": [1, 3]}}, 1, 1),
        ({"b": 1}, "x", 1, 1),
        ({"b": 1}, {"b": 1.0}, 0, 0),
    ],
)
def test_under_nested_every_place_inside_a_parameter_counts(expected: Any, given: Any, plain: int, nested: int) -> None:
    truth, output = [Call("f", {"a": expected, "z": 1})], [Call("f", {"a": given, "z": 1})]
    assert Comparator().compare(truth, output).max_param_diff == plain
    assert Comparator(nested=True).compare(truth, output).max_param_diff == nested


scalars = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=3)
)


@given(values, values)
def test_values_differ_in_a_place_exactly_where_they_are_not_the_same(one: Any, other: Any) -> None:
    there, back = list(places(one, other, PLAIN)), list(places(other, one, PLAIN))
    assert bool(there) is not PLAIN.same(one, other)
    assert len(there) == len(back)


def at(value: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        value = value[step]
    return value


@given(values, values)
def test_a_place_leads_to_the_values_it_tells(one: Any, other: Any) -> None:
    for place in places(one, other, PLAIN):
        if place.kind != "extra":
            assert at(one, place.steps) == place.expected
        elif not any(isinstance(step, int) for step in place.steps[:-1]):
            assert at(other, place.steps) == place.given
