"""Who is compared with whom: the optimum, found by hash where that proves it, and what is said of very many calls."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call
from toolcalls.comparing import MAX_CALLS, Comparator
from toolcalls.equality import Equality
from toolcalls.nearing import near_pairing
from toolcalls.partners import equal_pairs, loose_partners, partners
from toolcalls.sides import Measure, PreparedCall

PLAIN = Measure(Equality(), nested=False)


def call(**arguments: Any) -> PreparedCall:
    return PreparedCall(Call("f", arguments), {}, PLAIN.equality)


def worst(one: Sequence[PreparedCall], other: Sequence[PreparedCall], chosen: Sequence[int], measure: Measure = PLAIN) -> int:
    assert sorted(chosen) == list(range(len(one)))
    return max((measure(one[row], other[column]) for row, column in enumerate(chosen)), default=0)


def least(one: Sequence[PreparedCall], other: Sequence[PreparedCall], measure: Measure = PLAIN) -> int:
    return min(worst(one, other, order, measure) for order in itertools.permutations(range(len(one))))


calls = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3)
two_sides = st.integers(0, 5).flatmap(lambda size: st.tuples(*[st.lists(calls, min_size=size, max_size=size)] * 2))


@given(two_sides)
def test_a_pairing_of_one_difference_at_most_is_found_exactly_where_there_is_one(sides: tuple[list[Any], list[Any]]) -> None:
    one, other = ([call(**arguments) for arguments in side] for side in sides)
    found = near_pairing(one, other, equal_pairs(one, other), PLAIN)
    assert (found is not None) is (least(one, other) <= 1)
    assert found is None or worst(one, other, [found[row] for row in range(len(one))]) <= 1


values = st.integers(0, 2) | st.sampled_from([1.05, "a", "A ", [1, 2], [2, 1.04], {"a": 1, "b": 2}, {"a": 2, "b": 1}])
various = st.dictionaries(st.sampled_from("abc"), values, max_size=3)
two_various = st.integers(0, 4).flatmap(lambda size: st.tuples(*[st.lists(various, min_size=size, max_size=size)] * 2))
MEASURES = [
    PLAIN,
    Measure(PLAIN.equality, nested=True),
    Measure(Equality("case_space"), nested=False),
    Measure(Equality("none", 0.05), nested=False),
    Measure(Equality("case_space", 0.05), nested=True),
]


@given(two_various, st.sampled_from(MEASURES))
def test_partners_are_those_whose_largest_difference_is_least(sides: tuple[list[Any], list[Any]], measure: Measure) -> None:
    one, other = ([PreparedCall(Call("f", arguments), {}, measure.equality) for arguments in side] for side in sides)
    chosen = partners(one, other, measure)
    assert chosen is not None and worst(one, other, chosen, measure) == least(one, other, measure)


def test_equal_calls_are_paired_in_order() -> None:
    assert equal_pairs([call(a=1), call(a=2), call(a=1.0)], [call(a=1), call(a=3), call(a=1)]) == {0: 0, 2: 2}


MANY = 3 * MAX_CALLS


def test_many_calls_of_which_few_have_no_equal_are_paired() -> None:
    one = [call(a=number, b=number) for number in range(MANY)]
    other = [call(a=number, b=number + (number % 100 == 7)) for number in reversed(range(MANY))]
    assert worst(one, other, partners(one, other, PLAIN) or []) == 1


@pytest.mark.parametrize("first", range(20))
def test_many_equal_calls_are_parted_where_that_gives_one_difference_at_most(first: int) -> None:
    """With twenty values, as hashes that are too alike would part them for most and not for some."""
    a, b, c = first, first + 1, first + 2
    chain = [call(a=number, b=number % 2) for number in range(-MANY, 0)]
    one = [*chain, call(a=a, b=b), call(a=c, b=b), *([call(a=a, b=b)] * MANY)]
    other = [*chain, call(a=a, b=c), *([call(a=a, b=b)] * (MANY + 1))]
    assert worst(one, other, partners(one, other, PLAIN) or []) == 1


def test_more_differences_among_many_calls_are_an_upper_bound() -> None:
    """The same lists are 2 apart where few calls let every pairing be tried, by parting the equal pair."""
    one, other = [call(a=1, b=1, c=1), call(a=2, b=2, c=1)], [call(a=1, b=1, c=1), call(a=1, b=3, c=2)]
    assert worst(one, other, partners(one, other, PLAIN) or []) == 2
    equal = [call(z=number, y=number, x=number, w=number, v=number) for number in range(MANY)]
    one, other = [*one, *equal], [*other, *equal]
    assert worst(one, other, partners(one, other, PLAIN) or []) == 3


def test_more_calls_without_an_equal_than_can_be_paired_have_no_partners() -> None:
    one = [call(a=number) for number in range(MAX_CALLS + 1)]
    assert partners(one, [call(b=number) for number in range(MAX_CALLS + 1)], PLAIN) is None
    assert partners(one[1:], [call(b=number) for number in range(MAX_CALLS)], PLAIN) is not None


def test_the_comparator_says_when_calls_are_too_many() -> None:
    def many(shift: int, count: int) -> list[Call]:
        return [Call("f", {"a": number, "b": (number + shift) % 7}) for number in range(count)]

    assert Comparator().compare(many(0, MAX_CALLS), many(1, MAX_CALLS)).max_param_diff == 1
    too_many = Comparator().compare(many(0, MAX_CALLS + 1), many(1, MAX_CALLS + 1))
    assert (too_many.max_param_diff, too_many.reason) == (None, "too_many_calls")
    assert Comparator().compare(many(0, 400), many(0, 400)[::-1]).max_param_diff == 0
    nearly = [*many(0, 399), Call("f", {"a": "x"})]
    assert Comparator().compare(many(0, 400), nearly[::-1]).max_param_diff == 2


def test_calls_whose_hashes_clash_are_not_taken_for_near() -> None:
    class Clashing(str):
        """A text that is written into others as nothing."""

        def __format__(self, _: str) -> str:
            return ""

    one, other = [call(a=1, b=1), call(a=1, b=2)], [call(a=2, b=3), call(a=2, b=4)]
    for each in (*one, *other):
        each.texts.update({name: Clashing(text) for name, text in each.texts.items()})
    assert near_pairing(one, other, {}, PLAIN) is None
    assert worst(one, other, partners(one, other, PLAIN) or []) == 2


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([call(a=1), call(a=2)], [call(a=2)], {1: 0}),
        ([call(a=1, b=1)], [call(a=2, b=2), call(a=1, b=2)], {0: 1}),
        ([call(a=1), call(b=1)], [], {}),
    ],
)
def test_calls_that_are_not_equally_many_are_paired_nearest_first(
    one: list[PreparedCall], other: list[PreparedCall], expected: dict[int, int]
) -> None:
    assert loose_partners(one, other, PLAIN) == expected


def test_very_many_calls_that_are_not_equally_many_are_paired_in_order() -> None:
    one = [call(a=number) for number in range(MAX_CALLS + 2)]
    assert loose_partners(one, [call(b=1), call(a=1), call(b=2)], PLAIN) == {1: 1, 0: 0, 2: 2}


class Counting(Measure):
    """Counts how often two calls are compared."""

    def __init__(self) -> None:
        super().__init__(Equality(), nested=False)
        self.asked = 0

    def __call__(self, one: PreparedCall, other: PreparedCall) -> int:
        self.asked += 1
        return super().__call__(one, other)


@pytest.mark.parametrize("size", [10, 100, 1000])
def test_work_grows_with_the_calls_where_hashes_decide(size: int) -> None:
    """Near calls, of which few have no equal where they are many: each pair is compared once, to be sure."""
    one = [call(a=number, b=number) for number in range(size)]
    other = [call(a=number, b=-number if number <= MAX_CALLS else number) for number in range(size)]
    measure = Counting()
    assert worst(one, other, partners(one, other, measure) or []) == 1
    assert measure.asked <= size
