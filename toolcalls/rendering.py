"""Calls as text, in the form that the paper's prompt asks for (ToolACE-R Fig. 5 and 7) or in another dialect."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from toolcalls.answers import Answer, Call, Calls
from toolcalls.dialects import named
from toolcalls.dialects.carrying import check, uncarried
from toolcalls.dialects.dialect import Dialect
from toolcalls.limits import LIMITS
from toolcalls.parsing import parse
from toolcalls.storing import is_storable


def render(calls: Sequence[Call], form: str = "paper") -> str:
    """Write calls in a form, e.g. `[bookFlight(origin="New York", n=1), now()]`; `parse` reads them back unchanged.

    Raises ValueError for an unknown form, and, naming it, for what the form cannot carry.
    """
    dialect = named(form)
    if form == "paper" and surely_survives(calls):
        return dialect.render(calls)
    check(calls, form)
    text = dialect.render(calls)
    if len(text) > LIMITS.length:
        raise uncarried(f"calls of more than {LIMITS.length} characters", form)
    if form in _UNQUOTED and not all(map(_has_plain_names, calls)):
        _check_names(calls, text, dialect)
    return text


def _check_names(calls: Sequence[Call], text: str, dialect: Dialect) -> None:
    """Raise ValueError for a name that cannot be told from the marks around it."""
    if _names(parse(text, strict=True)) == list(map(_names_of, calls)):
        return
    for call in calls:
        if _names(parse(dialect.render([Call(call.name)]), strict=True)) != [(call.name,)]:
            raise uncarried(f"the name {call.name!r}", dialect.name)
        if _names(parse(dialect.render([call]), strict=True)) != [_names_of(call)]:
            raise uncarried(f"a parameter's name of {call.name!r}", dialect.name)
    raise uncarried("a name", dialect.name)


def _names(answer: Answer) -> list[tuple[str, ...]]:
    return list(map(_names_of, answer.calls)) if isinstance(answer, Calls) else []


def _names_of(call: Call) -> tuple[str, ...]:
    return (call.name, *call.arguments)


def _has_plain_names(call: Call) -> bool:
    return bool(_PLAIN_NAME.fullmatch(call.name)) and all(map(_PLAIN_PARAMETER.fullmatch, call.arguments))


def surely_survives(calls: Sequence[Call]) -> bool:
    """Whether one can tell without rendering that `parse` reads these calls back unchanged; false says nothing.

    True only of plain names and plain values, far within the limits of `parse`.
    """
    room = _ROOM
    for call in calls:
        room -= 8 + len(call.name) + 3 * len(call.arguments)
        if not _PLAIN_NAME.fullmatch(call.name):
            return False
        for name, value in call.arguments.items():
            if not _PLAIN_PARAMETER.fullmatch(name):
                return False
            room -= len(name)
            kind = type(value)
            if kind is str:
                room -= len(value)
                if not is_storable(value):
                    return False
            elif kind is int:
                if not -_MOST < value < _MOST:
                    return False
            elif kind is not bool and value is not None and not (kind is float and math.isfinite(value)):
                if kind is not list or not all(type(item) is str and is_storable(item) for item in value):
                    return False
                room -= sum(map(len, value)) + len(value)
    return room > 0


_UNQUOTED = ("paper", "strings")  # forms whose names stand among marks that a name may hold itself
_ROOM = 4096  # characters, 8 more for a call and 3 for a value: what each can become when it is written out, by 12
_MOST = 10**18
_PLAIN_NAME = re.compile(r"[^\W\d](?:[\w .-]{0,126}[\w.-])?")
_PLAIN_PARAMETER = re.compile(r"[^\W\d][\w.-]{0,127}")
