"""Whether values are the same as they stand: quick to tell, and enough for every comparator to say that they are equal."""

from __future__ import annotations

from typing import Final

from toolcalls.answers import Json
from toolcalls.limits import LIMITS

_SCALARS: Final = frozenset((str, int, float, bool, type(None)))  # not tuples, where Python takes True for 1


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


def deceptive(value: Json, depth: int = LIMITS.depth) -> bool:
    """Whether Python's `==` may call another value its equal that is none: `True` and `1`. Too deep a value counts as such."""
    kind = type(value)
    if kind is str or value is None:
        return False
    if kind is int or kind is float:
        return value in (0, 1)
    if not depth or (kind is not dict and kind is not list):
        return True
    return any(deceptive(item, depth - 1) for item in (value if kind is list else value.values()))
