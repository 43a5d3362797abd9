"""The bottleneck assignment: pair two equally long lists so that the largest cost of a pair is as small as can be."""

from __future__ import annotations

from collections.abc import Sequence


def bottleneck_pairing(costs: Sequence[Sequence[int]]) -> list[int]:
    """Return for each row the column it is paired with, for a square matrix of costs ≥ 0.

    The least threshold that lets every row have a column is found by bisection; each try is a bipartite matching by
    augmenting paths (Kuhn) over bit sets, O(n²) steps for n rows. Pairs of cost 0 are kept where they do no harm. Pairing
    them first for good would be wrong: (a=1,b=1), (a=2,b=1) against (a=1,b=1), (a=1,b=2) needs none of them.
    """
    levels = sorted({cost for row in costs for cost in row})
    low, high = 0, len(levels) - 1
    best: list[int] = []
    while low <= high:
        middle = (low + high) // 2
        found = _matching(costs, levels[middle])
        if found is None:
            low = middle + 1
        else:
            best, high = found, middle - 1
    return best


def _matching(costs: Sequence[Sequence[int]], threshold: int) -> list[int] | None:
    """Pair every row with a column of cost ≤ threshold, or None."""
    open_columns = [sum(1 << column for column, cost in enumerate(row) if cost <= threshold) for row in costs]
    row_of: dict[int, int] = {}
    unmatched = []
    for row, line in enumerate(costs):
        column = next((at for at, cost in enumerate(line) if cost == 0 and at not in row_of), None)
        if column is None:
            unmatched.append(row)
        else:
            row_of[column] = row
    for row in unmatched:
        if not _augment(row, open_columns, row_of):
            return None
    columns = {row: column for column, row in row_of.items()}
    return [columns[row] for row in range(len(costs))]


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
