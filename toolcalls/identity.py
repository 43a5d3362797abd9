"""Whether calls are the same as they stand: quick to tell, and enough for every comparator to say that they are equal."""

from __future__ import annotations

from collections.abc import Sequence

from toolcalls.answers import Call, Json
from toolcalls.limits import LIMITS

_SCALARS = frozenset((str, int, float, bool, type(None)))  # not tuples, where Python takes True for 1


def identical(one: Json, other: Json, depth: int = LIMITS.depth) -> bool:
    """Whether two values are the same with all types, `1` and `1.0` apart. False of what is nested deeper says nothing."""
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is not dict and kind is not list:
        return kind in _SCALARS and bool(one == other)
    if not depth or len(one) != len(other):
        return False
    if kind is list:
        for item, beside in zip(one, other, strict=True):  # noqa: SIM110  # a generator takes twice as long
            if not identical(item, beside, depth - 1):
                return False
        return True
    for name, value in one.items():  # noqa: SIM110
        if name not in other or not identical(value, other[name], depth - 1):
            return False
    return True


def identical_calls(one: Sequence[Call], other: Sequence[Call]) -> bool:
    """Whether two lists hold the same calls in the same order; the order of their parameters makes no difference."""
    if len(one) != len(other):
        return False
    for call, beside in zip(one, other, strict=True):
        if call.name != beside.name or not identical(call.arguments, beside.arguments, LIMITS.depth + 1):
            return False
    return True
