"""Ten times the calls, or ten times the values, cost no more than twelve times the work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.schema import check_calls


def many_calls(count: int) -> tuple[list[Call], list[Call]]:
    """Calls of one tool, one parameter different in fifty of them, in the opposite order."""
    truth = [Call("f", {"city": f"city {number}", "days": number, "tags": ["a", "b", number]}) for number in range(count)]
    changed = {number * count // 50 for number in range(50)}
    output = [Call("f", call.arguments | {"days": -1}) if at in changed else call for at, call in enumerate(truth)]
    return truth, output[::-1]


def many_tools(count: int) -> tuple[list[Call], list[Call]]:
    truth = [Call(f"tool {number}", {"a": number, "b": [number]}) for number in range(count)]
    return truth, [Call(call.name, call.arguments | {"a": 0, "c": 0}) for call in reversed(truth)]


def one_long_list(count: int) -> tuple[list[Call], list[Call]]:
    items: list[Any] = [{"name": f"item {number}", "price": number} for number in range(count)]
    return [Call("f", {"items": items})], [Call("f", {"items": [*items[: count // 2], {"name": "new"}, *items[count // 2 :]]})]


def many_parameters(count: int) -> tuple[list[Call], list[Call]]:
    values = {f"p{number}": number for number in range(count)}
    return [Call("f", values)], [Call("f", {name: value for name, value in reversed(values.items()) if value != 7})]


def lines(work: Callable[[], object]) -> int:
    """How many lines of Python the work takes: as its time grows, without the noise of a busy machine."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


MADE = [many_calls, many_tools, one_long_list, many_parameters]
NESTED = Comparator(nested=True, string_folding="case_space", numeric_tolerance=0.01)


@pytest.mark.parametrize("comparator", [Comparator(), NESTED], ids=["plain", "every option"])
@pytest.mark.parametrize("made", MADE)
def test_comparing_ten_times_as_much_is_no_more_than_twelve_times_the_work(
    made: Callable[[int], tuple[list[Call], list[Call]]], comparator: Comparator
) -> None:
    few, more = made(100), made(1000)
    assert comparator.compare(*more).max_param_diff in (1, 2)
    assert lines(lambda: comparator.compare(*more)) <= 12 * lines(lambda: comparator.compare(*few))


def test_checking_ten_times_as_many_values_is_no_more_than_twelve_times_the_work() -> None:
    tool = {"name": "f", "parameters": {"type": "dict", "properties": {"n": {"type": "List[Dict[str, int]]"}}}}
    few, more = ([Call("f", {"n": [{"a": number} for number in range(count)]})] for count in (100, 1000))
    assert check_calls(more, [tool]) == []
    assert lines(lambda: check_calls(more, [tool])) <= 12 * lines(lambda: check_calls(few, [tool]))
