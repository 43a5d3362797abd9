"""Qwen3-Coder's form: `<tool_call>`, `<function=f>`, and each parameter's value as it is between `<parameter=a>` and its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call, Json
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.raw_values import read_raw, write_raw
from toolcalls.dialects.tags import NAME, unmarked
from toolcalls.literals import Reader

_FUNCTION: Final = re.compile(rf"<function=({NAME})>\s*")
_PARAMETER: Final = re.compile(rf"<parameter=({NAME})>\n?")
# Where a value ends: at its tag, or where the model forgot it and the next parameter or the function's end follows.
_VALUE_END: Final = re.compile(
    r"\n?(?:(</parameter>)\s*(?=<parameter=|</function>)|(?=\n<parameter=[^<>\n]{1,1024}>)|(?=</function>))"
)
_MARKS: Final = re.compile(r"</?(?:tool_call|function|parameter)", re.IGNORECASE)


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while True:
        opened = reader.accept("<tool_call>")
        if not opened:
            reader.tolerate("missing tag")
        reader.skip_space()
        calls.append(_function(reader))
        end = _pass_over_closing(reader, opened)
        reader.skip_space()
        if not DIALECT.begins.match(reader.text, reader.position):
            reader.position = end
            return calls


def _pass_over_closing(reader: Reader, opened: bool) -> int:
    """Move over `</tool_call>`, which must stand where its opening tag stood; the position after the call."""
    end = reader.position
    reader.skip_space()
    if opened:
        reader.expect("</tool_call>")
    elif not reader.accept("</tool_call>"):
        reader.position = end
    return reader.position


def _function(reader: Reader) -> Call:
    found = _FUNCTION.match(reader.text, reader.position)
    if found is None:
        raise reader.unreadable("a function's tag that cannot be read")
    reader.position = found.end()
    arguments: dict[str, Json] = {}
    while not reader.accept("</function>"):
        name = _parameter(reader)
        if name in arguments:
            raise reader.limited(f"parameter {name!r} given twice")
        arguments[name] = _value(reader)
        reader.skip_space()
    return reader.call(found[1].strip(), arguments)


def _parameter(reader: Reader) -> str:
    found = _PARAMETER.match(reader.text, reader.position)
    if found is None:
        reader.expect("<parameter=")
        raise reader.unreadable("a parameter's tag that cannot be read")
    reader.position = found.end()
    return found[1].strip()


def _value(reader: Reader) -> Json:
    start = reader.position
    end = _VALUE_END.search(reader.text, start)
    if end is None:
        reader.position = len(reader.text)
        raise reader.unreadable("a parameter without its closing tag")
    value = read_raw(reader, reader.text[start : end.start()], start)
    reader.position = end.end()
    if end[1] is None:
        reader.tolerate("missing tag")
    return value


def render(calls: Sequence[Call]) -> str:
    return "\n".join(f"<tool_call>\n{_written(call)}\n</tool_call>" for call in calls)


def _written(call: Call) -> str:
    parameters = [
        f"<parameter={unmarked('qwen', name)}>\n{write_raw(value, _MARKS)}\n</parameter>\n"
        for name, value in call.arguments.items()
    ]
    return f"<function={unmarked('qwen', call.name)}>\n{''.join(parameters)}</function>"


DIALECT: Dialect = Dialect(
    "qwen",
    re.compile(r"<tool_call>\s*<function=|<function=[^<>\n]{1,1024}>\s*(?:<parameter=|</function>)"),
    read,
    render,
    tagged=True,
    needs="<function=",
    opens="<",
)
