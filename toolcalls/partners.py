"""Which call of one side is compared with which of the other, among calls of one tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from toolcalls.nearing import near_pairing
from toolcalls.pairing import bottleneck_pairing
from toolcalls.sides import Measure, PreparedCall

MAX_CALLS: Final = 128  # calls of one tool that are compared each with each


def partners(one: Sequence[PreparedCall], other: Sequence[PreparedCall], measure: Measure) -> list[int] | None:
    """Return for each call of `one` the position of its partner in `other`, equally many, or None: they are too many.

    The largest number of differences in a pair is the least that any pairing has. Equal calls are found by hash. With what
    is left the work is linear where some pairing needs no more than one difference in a pair, which is then the least.
    Else each is compared with each; of more than MAX_CALLS calls only those that equal none, while these are no more than
    MAX_CALLS. There the number is an upper bound: to part equal calls might be better yet, but a pairing of ≤ 1 is found.
    Under a measure that is not plain, that holds of no number.
    """
    if len(one) == 1:
        return [0]
    equal = equal_pairs(one, other)
    rows, columns = left_over(equal, len(one), len(other))
    if len(rows) > MAX_CALLS:
        return None
    if (paired := _least(one, other, equal, rows, columns, measure)) is None:
        return bottleneck_pairing([[measure(call, against) for against in other] for call in one])
    return [paired[row] for row in range(len(one))]


def _least(
    one: Sequence[PreparedCall],
    other: Sequence[PreparedCall],
    equal: dict[int, int],
    rows: Sequence[int],
    columns: Sequence[int],
    measure: Measure,
) -> dict[int, int] | None:
    """The pairing where it is known without comparing each with each; where that is too much, the upper bound."""
    if not rows:
        return equal
    left, against = [one[row] for row in rows], [other[column] for column in columns]
    if measure.plain:
        if (near := near_pairing(left, against, {}, measure)) is not None:
            return equal | {rows[at]: columns[column] for at, column in near.items()}
        if (near := near_pairing(one, other, equal, measure)) is not None:
            return near
    if len(one) <= MAX_CALLS:
        return None
    chosen = bottleneck_pairing([[measure(call, beside) for beside in against] for call in left])
    return equal | {row: columns[at] for row, at in zip(rows, chosen, strict=True)}


def loose_partners(one: Sequence[PreparedCall], other: Sequence[PreparedCall], measure: Measure) -> dict[int, int]:
    """Partners for calls that need not be equally many: equal ones, then the nearest first. Too many are taken in order."""
    paired = equal_pairs(one, other)
    rows, columns = left_over(paired, len(one), len(other))
    if max(len(rows), len(columns)) > MAX_CALLS:
        return paired | dict(zip(rows, columns, strict=False))
    nearest = sorted((measure(one[row], other[column]), row, column) for row in rows for column in columns)
    taken = set(paired.values())
    for _, row, column in nearest:
        if row not in paired and column not in taken:
            paired[row] = column
            taken.add(column)
    return paired


def equal_pairs(one: Sequence[PreparedCall], other: Sequence[PreparedCall]) -> dict[int, int]:
    """Pair calls of equal texts, as many as there are, in order."""
    first: dict[frozenset[str], int] = {}  # key → the first column that has it and no partner yet
    following = [-1] * len(other)  # column → the next one with its key, -1 behind the last
    for column in range(len(other) - 1, -1, -1):
        key = other[column].key
        following[column] = first.get(key, -1)
        first[key] = column
    pairs: dict[int, int] = {}
    for row, call in enumerate(one):
        if (column := first.get(call.key, -1)) >= 0:
            pairs[row] = column
            first[call.key] = following[column]
    return pairs


def left_over(paired: dict[int, int], rows: int, columns: int) -> tuple[list[int], list[int]]:
    """The rows and the columns that no pair has."""
    taken = set(paired.values())
    return [row for row in range(rows) if row not in paired], [column for column in range(columns) if column not in taken]
