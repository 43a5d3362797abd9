"""Diffs for people: paired as the comparator pairs, and saying as many differences as it counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.differing import CallDiff, align, changes, summary

TOOL = {"name": "f", "parameters": {"type": "object", "properties": {"a": {}, "b": {"default": "x"}}, "required": ["a"]}}


def call(name: str = "f", **arguments: Any) -> Call:
    return Call(name, arguments)


def told(diffs: tuple[CallDiff, ...]) -> list[Any]:
    """Each call as (kind, truth's position, answer's position, {parameter: kind})."""
    return [(diff.kind, diff.truth, diff.output, {one.name: one.kind for one in diff.parameters}) for diff in diffs]


CASES = [
    ("equal numbers", [call(a=1)], [call(a=1.0)], [("same", 0, 0, {"a": "same"})]),
    ("another value", [call(a=1)], [call(a=2)], [("changed", 0, 0, {"a": "changed"})]),
    ("a missing parameter", [call(a=1, b=2)], [call(a=1)], [("changed", 0, 0, {"a": "same", "b": "missing"})]),
    ("an extra parameter", [call(a=1)], [call(a=1, c=3)], [("changed", 0, 0, {"a": "same", "c": "extra"})]),
    ("a renamed parameter", [call(a=1)], [call(c=1)], [("changed", 0, 0, {"a": "missing", "c": "extra"})]),
    ("null is a value", [call(a=None)], [call()], [("changed", 0, 0, {"a": "missing"})]),
    ("calls in another order", [call(), call("g")], [call("g"), call()], [("same", 0, 1, {}), ("same", 1, 0, {})]),
    (
        "the pairing whose largest difference is least",
        [call(a=1, b=1), call(a=2, b=2)],
        [call(a=2, b=1), call(a=1, b=2)],
        [("changed", 0, 0, {"a": "changed", "b": "same"}), ("changed", 1, 1, {"a": "changed", "b": "same"})],
    ),
    ("another tool", [call(a=1)], [call("g", a=1)], [("missing", 0, None, {"a": "missing"}), ("extra", None, 0, {"a": "extra"})]),
    ("one call too many", [call()], [call(a=2), call()], [("same", 0, 1, {}), ("extra", None, 0, {"a": "extra"})]),
    ("one call too few", [call(a=1), call()], [call()], [("missing", 0, None, {"a": "missing"}), ("same", 1, 0, {})]),
    ("no call at all", [call(a=1)], [], [("missing", 0, None, {"a": "missing"})]),
]  # fmt: skip


@pytest.mark.parametrize(("truth", "output", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_calls_are_aligned(truth: list[Call], output: list[Call], expected: list[Any]) -> None:
    assert told(align(truth, output)) == expected


def test_a_parameter_left_to_its_default_is_the_same_and_says_so() -> None:
    (diff,) = align([call(a=1, b="x")], [call(a=1)], [TOOL])
    assert [(one.name, one.kind, one.given, one.omitted) for one in diff.parameters] == [
        ("a", "same", 1, False),
        ("b", "same", "x", True),
    ]


def test_a_parameter_left_to_another_default_differs_from_what_was_expected() -> None:
    (diff,) = align([call(a=1, b="y")], [call(a=1)], [TOOL])
    assert [(one.kind, one.expected, one.given, one.omitted) for one in diff.parameters[1:]] == [("changed", "y", "x", True)]


def test_a_default_counts_as_nothing_where_the_comparator_says_so() -> None:
    (diff,) = align([call(a=1, b="x")], [call(a=1)], [TOOL], Comparator(schema_defaults=False))
    assert diff.parameters[1].kind == "missing"


@pytest.mark.parametrize(
    ("truth", "output", "line"),
    [
        ([call(a="Rome")], [call(a="Rome")], ""),
        ([call("hotel", city="Rome")], [call("hotel", city="Roma")], 'hotel(city: "Rome" → "Roma")'),
        ([call(a=1, b=2)], [call(a=1, c=[3])], "f(b: 2 → nothing, c: nothing → [3])"),
        ([call(a=1)], [call("g")], "missing f, extra g"),
        ([call(a="Roma" * 20)], [call(a=1)], 'f(a: "RomaRomaRomaRomaRomaRomaRomaRom… → 1)'),
        ([call(str(n)) for n in range(5)], [], "missing 0, missing 1, missing 2, and 2 more"),
        (
            [call("hotel", address={"city": "Rome", "zip": 1}, beds=[1, 2])],
            [call("hotel", address={"city": "Roma", "zip": 1}, beds=[2])],
            'hotel(address.city: "Rome" → "Roma", beds[0]: 1 → nothing)',
        ),
        ([call(**{"start date": 1})], [call(**{"start date": 2})], 'f(["start date"]: 1 → 2)'),
    ],
)
def test_differences_are_told_on_one_line(truth: list[Call], output: list[Call], line: str) -> None:
    assert summary(align(truth, output)) == line


def test_a_changed_parameter_tells_its_places() -> None:
    (diff,) = align([call(a={"b": [1, 2], "c": 3}, d=1)], [call(a={"b": [1, 5], "e": 4}, d=1)])
    a, d = diff.parameters
    assert [(place.steps, place.expected, place.given, place.kind) for place in a.places] == [
        (("b", 1), 2, 5, "value"), (("c",), 3, None, "missing"), (("e",), None, 4, "extra"),
    ]  # fmt: skip
    assert d.places == ()
    assert changes(a) == ["a.b[1]: 2 → 5", "a.c: 3 → nothing", "a.e: nothing → 4"]


def test_differences_are_counted_as_the_comparator_does() -> None:
    truth, output = [call(a={"b": 1, "c": 2}, s="Rome")], [call(a={"b": 3, "c": 4}, s="rome")]
    assert [each.differences for each in align(truth, output)] == [2]
    loose = Comparator(nested=True, string_folding="case")
    (diff,) = align(truth, output, comparator=loose)
    assert (diff.differences, [one.kind for one in diff.parameters]) == (2, ["changed", "same"])


_calls = st.lists(
    st.builds(Call, st.sampled_from("fg"), st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3)), max_size=4
)


@given(_calls, _calls)
def test_the_largest_difference_is_what_the_comparator_says(truth: list[Call], output: list[Call]) -> None:
    compared, shown = Comparator().compare(truth, output, [TOOL]), align(truth, output, [TOOL])
    if compared.max_param_diff is None:
        assert {diff.kind for diff in shown} & {"missing", "extra"}
    else:
        assert max((diff.differences for diff in shown), default=0) == compared.max_param_diff
    assert sorted(diff.truth for diff in shown if diff.truth is not None) == list(range(len(truth)))
    assert sorted(diff.output for diff in shown if diff.output is not None) == list(range(len(output)))
