"""The bottleneck assignment: pair two equally long lists so that the largest cost of a pair is as small as can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def least_largest(costs: Sequence[Sequence[int]]) -> int:
    """The largest cost of a pair in the bottleneck assignment of a square matrix of costs ≥ 0."""
    if len(costs) == 1:
        return costs[0][0]
    if len(costs) == 2:
        (one, crossed), (back, other) = costs
        return min(max(one, other), max(crossed, back))
    return max(row[column] for row, column in zip(costs, bottleneck_pairing(costs), strict=True))


def bottleneck_pairing(costs: Sequence[Sequence[int]]) -> list[int]:
    """Return for each row the column it is paired with, for a square matrix of costs ≥ 0.

    The least threshold that lets every row have a column is found by bisection; each try is a bipartite matching by
    augmenting paths (Kuhn) over bit sets, O(n²) steps for n rows. Each try begins with the cheapest pairs, which stay where
    they do no harm. Pairing those of cost 0 first for good would be wrong: (a=1,b=1), (a=2,b=1) against (a=1,b=1),
    (a=1,b=2) needs none of them.
    """
    levels = sorted({cost for row in costs for cost in row})
    columns = [_columns_by_cost(row) for row in costs]
    low, high = 0, len(levels) - 1
    best: list[int] = []
    while low <= high:
        middle = (low + high) // 2
        found = _matching(columns, levels[: middle + 1])
        if found is None:
            low = middle + 1
        else:
            best, high = found, middle - 1
    return best


def _columns_by_cost(row: Sequence[int]) -> dict[int, int]:
    """Cost → the columns that cost so much, as a bit set."""
    sets: dict[int, int] = {}
    for column, cost in enumerate(row):
        sets[cost] = sets.get(cost, 0) | 1 << column
    return sets


def _matching(columns: Sequence[Mapping[int, int]], levels: Sequence[int]) -> list[int] | None:
    """Pair every row with a column at one of these costs (ascending), or None."""
    row_of: dict[int, int] = {}
    unmatched, free = list(range(len(columns))), (1 << len(columns)) - 1
    for level in levels:
        left = []
        for row in unmatched:
            if fitting := columns[row].get(level, 0) & free:
                lowest = fitting & -fitting
                free ^= lowest
                row_of[lowest.bit_length() - 1] = row
            else:
                left.append(row)
        unmatched = left
    open_columns = [sum(sets.get(level, 0) for level in levels) for sets in columns]
    for row in unmatched:
        if not _augment(row, open_columns, row_of):
            return None
    return [column for _, column in sorted((row, column) for column, row in row_of.items())]


def _augment(start: int, open_columns: Sequence[int], row_of: dict[int, int]) -> bool:
    """Match one more row along a shortest alternating path (breadth first); false when there is none."""
    taken = sum(1 << column for column in row_of)
    unseen = (1 << len(open_columns)) - 1
    came_from: dict[int, int] = {}  # column → the row that reached it
    queue = [start]
    for row in queue:
        reachable = open_columns[row] & unseen
        unseen &= ~reachable
        free = reachable & ~taken
        if free:
            column = (free & -free).bit_length() - 1
            came_from[column] = row
            _flip(column, start, came_from, row_of)
            return True
        while reachable:
            lowest = reachable & -reachable
            reachable ^= lowest
            column = lowest.bit_length() - 1
            came_from[column] = row
            queue.append(row_of[column])
    return False


def _flip(column: int, start: int, came_from: dict[int, int], row_of: dict[int, int]) -> None:
    """Re-pair along the path that ends in the free `column` and began in row `start`."""
    column_of = {row: at for at, row in row_of.items()}
    while True:
        row = came_from[column]
        row_of[column] = row
        if row == start:
            return
        column = column_of[row]
