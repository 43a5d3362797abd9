"""What any dialect can carry: calls that `parse` can read back, within its limits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from toolcalls.answers import Call, Json
from toolcalls.limits import LIMITS
from toolcalls.rows import is_storable


def check(calls: Sequence[Call], form: str) -> None:
    """Raise ValueError, which names it, for the first name or value that `form` cannot carry."""
    if not calls:
        raise ValueError(f"the form {form!r} cannot carry a list of no calls")
    if len(calls) > LIMITS.calls:
        raise ValueError(f"the form {form!r} cannot carry more than {LIMITS.calls} calls")
    for call in calls:
        _check_name(call.name, form)
        if not call.name.strip():
            raise ValueError(f"the form {form!r} cannot carry the name {call.name!r}")
        for name, value in call.arguments.items():
            _check_name(name, form)
            _check_value(value, form, f"{call.name}.{name}")


def _check_name(name: Json, form: str) -> None:
    if not isinstance(name, str) or not is_storable(name) or len(name) > LIMITS.name:
        raise ValueError(f"the form {form!r} cannot carry the name {name!r}")


def _check_value(value: Json, form: str, where: str) -> None:
    """Look at every value within, without recursion."""
    left = [(value, LIMITS.depth)]
    while left:
        inner, depth = left.pop()
        if isinstance(inner, (dict, list, tuple)):
            if depth == 0:
                raise ValueError(f"the form {form!r} cannot carry a value nested as deep as that of {where}")
            keys = list(inner) if isinstance(inner, dict) else []
            if not all(isinstance(key, str) for key in keys):
                raise ValueError(f"the form {form!r} cannot carry the keys in {where}: not all are strings")
            left += [(key, depth) for key in keys]
            left += [(item, depth - 1) for item in (inner.values() if isinstance(inner, dict) else inner)]
        elif not _is_plain(inner):
            raise ValueError(f"the form {form!r} cannot carry the value of {where}, or a part of it: {_said(inner)}")


def _is_plain(value: Json) -> bool:
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, bool) or value is None:
        return True
    return isinstance(value, int) and abs(value) < 10**LIMITS.digits


def _said(value: Json) -> str:
    if isinstance(value, int):
        return f"a number of more than {LIMITS.digits} digits"
    return repr(value)[:80] if isinstance(value, (str, float)) else f"no JSON value but {type(value).__name__}"
