"""Calls whose look alone tells that they can be read back."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call, Calls
from toolcalls.parsing import parse
from toolcalls.rendering import render, surely_survives

names = st.text(string.ascii_letters + "é城 .-_0()[]=,\"'\n", max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab \"'\\\n\t\0\ud800城😀(){}=,", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)
calls = st.lists(st.builds(Call, names, st.dictionaries(names, values, max_size=3)), min_size=1, max_size=3)


@given(calls)
def test_calls_that_surely_survive_are_read_back_unchanged(written: list[Call]) -> None:
    if surely_survives(written):
        assert parse(render(written)) == Calls(tuple(written), "paper")


@pytest.mark.parametrize("value", ["x" * 4000, '"' * 3900, "\n" * 3900, "\x01" * 3900, ["\x7f" * 6] * 500, 10**18 - 1])
def test_the_room_keeps_calls_within_the_limits(value: object) -> None:
    """The largest that pass, in their worst spelling."""
    written = (Call("f", {"a": value}),)
    assert surely_survives(written)
    assert parse(render(written)) == Calls(written, "paper")
    many = tuple(Call("f", {}) for _ in range(440))
    assert surely_survives(many)
    assert parse(render(many)) == Calls(many, "paper")
    wide = (Call("f", {f"a{number}": -1.2345678901234567e-300 for number in range(500)}),)
    assert surely_survives(wide)
    assert parse(render(wide)) == Calls(wide, "paper")


@pytest.mark.parametrize(
    "call",
    [
        Call("", {}),
        Call("f(x)", {}),
        Call("f ", {}),
        Call("f" * 200, {}),
        Call("f", {"a=b": 1}),
        Call("f", {"": 1}),
        Call("f", {"a": 10**18}),
        Call("f", {"a": float("nan")}),
        Call("f", {"a": "\0"}),
        Call("f", {"a": ["\ud800"]}),
        Call("f", {"a": {"b": 1}}),
        Call("f", {"a": "x" * 5000}),
    ],
)
def test_what_needs_a_closer_look_gets_one(call: Call) -> None:
    assert not surely_survives((call,))


@pytest.mark.parametrize(
    "call", [Call("Get X v1.2-b", {"a": "1", "b.c-d": 2.5, "été": None}), Call("f", {"a": True, "b": ["x", "y"]}), Call("f")]
)
def test_the_usual_shapes_need_none(call: Call) -> None:
    assert surely_survives((call,))
