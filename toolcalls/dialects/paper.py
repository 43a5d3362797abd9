"""The paper's form (ToolACE-R Fig. 5), BFCL's and ToolACE's: `[name(parameter=value, …), …]`.

Names may hold spaces, dots, hyphens and parentheses, as the ToolACE data set's do: `[User Feed (Video Posts) V2(user="x")]`.
Values are Python or JSON literals.
"""

from __future__ import annotations

from collections.abc import Sequence
from json.encoder import encode_basestring as quoted  # json.dumps(text, ensure_ascii=False) in a fifth of its time

from toolcalls.answers import Call, Json
from toolcalls.dialects.call_arguments import read_arguments
from toolcalls.dialects.call_names import read_name
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.loose_lists import BEGINS, read_loosely
from toolcalls.expressions import LooseReader
from toolcalls.literals import Reader


def read(reader: Reader) -> list[Call]:
    """Read `[call, call, …]`; tolerantly also calls without brackets, and the lists and calls that follow."""
    if isinstance(reader, LooseReader):
        return read_loosely(reader)
    if not reader.accept("["):
        raise reader.unreadable("calls outside of square brackets")
    calls: list[Call] = []
    reader.skip_space()
    while not reader.accept("]"):
        if reader.count == reader.limits.calls:
            raise reader.limited(f"more than {reader.limits.calls} calls")
        reader.count += 1
        calls.append(Call(read_name(reader), read_arguments(reader)))
        reader.skip_space()
        if not reader.accept(","):
            reader.expect("]")
            break
        reader.skip_space()
        if reader.text.startswith("]", reader.position):
            reader.tolerate("trailing comma")
    return calls


def render(calls: Sequence[Call]) -> str:
    """Write calls as one line, e.g. `[bookFlight(origin="New York", n=1), now()]`."""
    return "[" + ", ".join(map(_call, calls)) + "]"


def _call(call: Call) -> str:
    arguments = [f"{name}={quoted(value) if type(value) is str else _value(value)}" for name, value in call.arguments.items()]
    return f"{call.name}({', '.join(arguments)})"


def _value(value: Json) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_value(key)}: {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)


DIALECT: Dialect = Dialect("paper", BEGINS, read, render, needs="(")
