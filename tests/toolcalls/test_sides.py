"""How much a parameter counts is told of most values without their canonical texts, and is what these say."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.equality import Equality, Folding
from toolcalls.limits import LIMITS
from toolcalls.sides import Measure

NUMBERS = [0, -0.0, 1, 1.0, -1, 0.5, 2**53, 2.0**53, 2**53 + 1, 10**400, 10**1400, 1e300, math.inf, -math.inf, math.nan]
scalars = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(["", "a", "A", "1", "é", "e\u0301", "😀"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.tuples(inner) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(values, values, st.sampled_from(["none", "case"]))
def test_a_parameter_counts_where_canonical_texts_differ(one: Any, other: Any, folding: Folding) -> None:
    equality = Equality(folding)
    differ = equality.canonical(one) != equality.canonical(other)
    assert Measure(equality, nested=False).values(one, other) == differ
    assert bool(Measure(equality, nested=True).values(one, other)) == differ


@pytest.mark.parametrize("depth", [1, LIMITS.depth - 1, LIMITS.depth, LIMITS.depth + 1, 2 * LIMITS.depth])
def test_a_parameter_counts_where_something_deep_in_it_differs(depth: int) -> None:
    one, same, other = (_nested(value, depth) for value in (1, 1.0, True))
    measure = Measure(Equality(), nested=False)
    assert (measure.values(one, same), measure.values(one, other)) == (0, 1)


def _nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value
