"""Calls as text, in the form that the paper's prompt asks for (ToolACE-R Fig. 5 and 7)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from toolcalls.answers import Call, Json


def render(calls: Sequence[Call], form: str = "paper") -> str:
    """Write calls as one line, e.g. `[bookFlight(origin="New York", n=1), now()]`; `parse` reads it back unchanged.

    Raises ValueError for an unknown form.
    """
    if form != "paper":
        raise ValueError(f"unknown call form {form!r}; known: 'paper'")
    return "[" + ", ".join(_call(call) for call in calls) + "]"


def _call(call: Call) -> str:
    arguments = ", ".join(f"{name}={_value(value)}" for name, value in call.arguments.items())
    return f"{call.name}({arguments})"


def _value(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_value(key)}: {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)
