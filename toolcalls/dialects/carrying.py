"""What any dialect can carry: calls that `parse` can read back, within its limits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from toolcalls.answers import Call, Json
from toolcalls.limits import LIMITS
from toolcalls.storing import is_storable


def uncarried(what: str, form: str) -> ValueError:
    return ValueError(f"{what}, which the form {form!r} cannot carry")


def check(calls: Sequence[Call], form: str) -> None:
    """Raise ValueError, which names it, for the first name or value that no form can carry."""
    if not calls:
        raise uncarried("a list of no calls", form)
    if len(calls) > LIMITS.calls:
        raise uncarried(f"more than {LIMITS.calls} calls", form)
    for call in calls:
        _check_name(call.name, form)
        if not call.name.strip():
            raise uncarried(f"the name {call.name!r}", form)
        for name, value in call.arguments.items():
            _check_name(name, form)
            _check_value(value, form, f"{call.name}.{name}")


def _check_name(name: Json, form: str) -> None:
    if not isinstance(name, str) or not is_storable(name) or len(name) > LIMITS.name:
        raise uncarried(f"the name {name!r}", form)


def _check_value(value: Json, form: str, where: str) -> None:
    """Look at every value within, without recursion."""
    left = [(value, LIMITS.depth)]
    while left:
        inner, depth = left.pop()
        if isinstance(inner, (dict, list, tuple)):
            if depth == 0:
                raise uncarried(f"a value nested more than {LIMITS.depth} deep in {where}", form)
            if isinstance(inner, dict):
                left += [(_text(key, form, where), depth) for key in inner]
                inner = list(inner.values())
            left += [(item, depth - 1) for item in inner]
        elif problem := _problem(inner):
            raise uncarried(f"{problem} in {where}", form)


def _text(key: Json, form: str, where: str) -> str:
    if not isinstance(key, str):
        raise uncarried(f"the key {key!r} in {where}", form)
    return key


def _problem(value: Json) -> str:
    """Why this value, which holds no others, cannot be written; empty of one that can."""
    if isinstance(value, str):
        return "" if is_storable(value) else "a text with a NUL character or half of a surrogate pair"
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"the number {value}"
    if value is None or isinstance(value, int):
        return "" if value is None or abs(value) < 10**LIMITS.digits else f"a number of more than {LIMITS.digits} digits"
    return f"a value of type {type(value).__name__}"
