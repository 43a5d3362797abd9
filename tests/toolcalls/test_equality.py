"""When two values are the same, by the design's rules and by the options that loosen them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.canonical import canonical_value
from toolcalls.equality import Equality, by_name

PLAIN, CASE, SPACE = Equality(), Equality("case"), Equality("case_space")
PERCENT = Equality(numeric_tolerance=0.01)


@pytest.mark.parametrize(
    ("one", "other", "same_under"),
    [
        ("Rome", "Rome", (PLAIN, CASE, SPACE)),
        ("Rome", "ROME", (CASE, SPACE)),
        ("Straße", "STRASSE", (CASE, SPACE)),
        ("Rome ", "rome", (SPACE,)),
        ("New  York", "new york", (SPACE,)),
        ("New\u00a0York", "New York", (SPACE,)),
        ("NewYork", "New York", ()),
        ("É", "e\u0301", (CASE, SPACE)),
        ("Rome", "Roma", ()),
        (["Rome"], ["rome"], (CASE, SPACE)),
        ({"city": "Rome"}, {"city": "rome"}, (CASE, SPACE)),
        ({"City": "Rome"}, {"city": "Rome"}, ()),
        ("True", True, ()),
    ],
)
def test_strings_are_folded_as_the_option_says(one: Any, other: Any, same_under: tuple[Equality, ...]) -> None:
    for equality in (PLAIN, CASE, SPACE):
        assert equality.same(one, other) is (equality in same_under)
        assert (equality.canonical(one) == equality.canonical(other)) is (equality in same_under)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (100, 101, True),
        (100, 99.0, True),
        (100, 102, False),
        (-100, 100, False),
        (0, 1e-9, False),
        (0, 0.0, True),
        (10**400, 10**400 + 1, True),
        (10**400, 2 * 10**400, False),
        (10**400, 1e308, False),
        (float("inf"), float("inf"), True),
        (float("inf"), 1e308, False),
        (float("nan"), float("nan"), True),
        (1, True, False),
        (1, "1", False),
        (1, [1], False),
        ([1, {"a": 200}], [1.001, {"a": 201}], True),
        ([100], [100, 100], False),
    ],
)
def test_numbers_within_the_tolerance_are_the_same(one: Any, other: Any, same: bool) -> None:
    assert PERCENT.same(one, other) is PERCENT.same(other, one) is same


def test_names_that_are_the_same_in_nfc_are_kept_apart() -> None:
    twice = {"e\u0301": 1, "\u00e9": 2}
    assert len(by_name(twice)) == 2
    assert by_name(twice) == by_name(dict(reversed(twice.items())))
    assert not PLAIN.same(twice, {"\u00e9": 2})
    assert canonical_value(twice) != canonical_value({"\u00e9": 2})


def test_values_nested_beyond_python_s_own_recursion_are_compared() -> None:
    def nested(depth: int, inner: Any) -> Any:
        for _ in range(depth):
            inner = [{"a": inner}]
        return inner

    assert PLAIN.same(nested(5000, 1), nested(5000, 1.0))
    assert not PLAIN.same(nested(5000, 1), nested(5000, 2))
    assert canonical_value(nested(5000, 1)) == canonical_value(nested(5000, 1.0))


def test_a_number_too_long_for_decimals_has_a_canonical_text() -> None:
    assert canonical_value(10**5000) == canonical_value([10**5000])[1:-1] != canonical_value(10**5000 + 1)


scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 0.5, "", "a", "A", " a"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abé"), inner, max_size=3)
)


@given(values, values)
def test_canonical_texts_are_the_same_exactly_where_values_are(one: Any, other: Any) -> None:
    for equality in (PLAIN, CASE, SPACE):
        assert equality.same(one, other) is (equality.canonical(one) == equality.canonical(other))
        assert equality.same(one, one)
