"""Whether calls can be paired so that no pair differs in more than one parameter, without comparing each with each.

Two calls differ in at most one parameter exactly when one of them less a parameter is the other, or both less the same
parameter are alike. So each call stands under what is left of it when one parameter is dropped, and calls that share such
a **node** are near. The nodes of a call are as many as its parameters: the graph stays small where a matrix of all pairs
would not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from toolcalls.sides import Measure, PreparedCall


def near_pairing(
    one: Sequence[PreparedCall], other: Sequence[PreparedCall], equal: Mapping[int, int], measure: Measure
) -> dict[int, int] | None:
    """Return for each call of `one` the position of a partner in `other` that differs in ≤ 1 parameter; None: there is no
    such pairing of all. `equal` are pairs of equal calls, which are parted only where another pair needs one of them.

    For a plain measure only. Each call of `one` that is not in `equal` costs at most one walk over all nodes.
    """
    columns: dict[Hashable, list[int]] = defaultdict(list)
    for column, call in enumerate(other):
        for node in _offered(call):
            columns[node].append(column)
    row_of = {column: row for row, column in equal.items()}
    nodes_of = cache(lambda row: tuple(_sought(one[row])))
    for row in range(len(one)):
        if row not in equal and not _augment(row, nodes_of, columns, row_of):
            return None
    chosen = {row: column for column, row in row_of.items()}
    if any(measure(one[row], other[column]) > 1 for row, column in chosen.items()):
        return None  # two different sums of hashes were the same, once in 2⁶⁴
    return chosen


def _rests(call: PreparedCall) -> tuple[int, list[tuple[str, int]]]:
    """A hash of the call, and each parameter's name with a hash of the call without it: sums of a hash for each parameter.

    One text is hashed for each, as the hashes of pairs are so alike that sums of different ones are often the same.
    """
    hashes = [(name, hash(f"{name}\0{text}")) for name, text in call.texts.items()]
    whole = sum(each for _, each in hashes)
    return whole, [(name, whole - each) for name, each in hashes]


def _offered(call: PreparedCall) -> Iterator[Hashable]:
    whole, rests = _rests(call)
    yield "whole", whole
    for name, rest in rests:
        yield name, "value", rest
        yield "rest", rest


def _sought(call: PreparedCall) -> Iterator[Hashable]:
    """The same nodes seen from the other side: what is whole here may be a rest there."""
    whole, rests = _rests(call)
    yield "whole", whole
    for name, rest in rests:
        yield name, "value", rest
        yield "whole", rest
    yield "rest", whole


def _augment(
    start: int, nodes_of: Callable[[int], Iterable[Hashable]], columns: Mapping[Hashable, Sequence[int]], row_of: dict[int, int]
) -> bool:
    """Pair one more row along a shortest alternating path (breadth first); false when there is none."""
    seen: set[Hashable] = set()
    came_from: dict[int, int] = {}  # column → the row that reached it
    queue = [start]
    for row in queue:
        for node in nodes_of(row):
            if node in seen:
                continue
            seen.add(node)
            for column in columns.get(node, ()):
                if column in came_from:
                    continue
                came_from[column] = row
                if column not in row_of:
                    _flip(column, start, came_from, row_of)
                    return True
                queue.append(row_of[column])
    return False


def _flip(column: int, start: int, came_from: Mapping[int, int], row_of: dict[int, int]) -> None:
    """Pair anew along the path that ends in the free `column` and began in row `start`."""
    column_of = {row: at for at, row in row_of.items()}
    while True:
        row = came_from[column]
        before = column_of.get(row, -1)
        row_of[column] = row
        if row == start:
            return
        column = before
