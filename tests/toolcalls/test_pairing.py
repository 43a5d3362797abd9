from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from toolcalls.pairing import bottleneck_pairing, least_largest

matrices = st.integers(0, 6).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, 4), min_size=size, max_size=size), min_size=size, max_size=size)
)


@given(matrices)
def test_the_largest_cost_of_a_pair_is_the_least_possible(costs: list[list[int]]) -> None:
    pairing = bottleneck_pairing(costs)
    rows = range(len(costs))
    assert sorted(pairing) == list(rows)
    reached = max((costs[row][pairing[row]] for row in rows), default=0)
    assert reached == min(max((costs[row][order[row]] for row in rows), default=0) for order in itertools.permutations(rows))
    assert not costs or least_largest(costs) == reached


def test_a_long_chain_of_re_pairings_is_found() -> None:
    size = 120
    costs = [[0 if column in (row, row + 1) else 9 for column in range(size)] for row in range(size)]
    costs[-1] = [0] + [9] * (size - 1)
    assert bottleneck_pairing(costs) == [*range(1, size), 0]
