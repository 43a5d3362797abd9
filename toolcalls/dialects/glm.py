"""GLM-4.5's form: `<tool_call>f`, then `<arg_key>a</arg_key>` and `<arg_value>1</arg_value>` in turn, strings as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call, Json
from toolcalls.dialects.carrying import uncarried
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.raw_values import read_raw, write_raw
from toolcalls.dialects.tags import NAME, unmarked
from toolcalls.literals import Reader

_BARE = r"[^\s<>(){}\[\]=,:;\"'\0\ud800-\udfff]{1,1024}+"  # a name that needs no key behind it to be told from words
_NAME: Final = re.compile(rf"<tool_call>\s*+(?:({_BARE})\s*+</tool_call>|(?![{{\[])({NAME})\s*+(?=<arg_key>))")
_KEY: Final = re.compile(rf"<arg_key>({NAME})</arg_key>\s*<arg_value>")
_VALUE_END: Final = re.compile(r"</arg_value>\s*(?=<arg_key>|</tool_call>)")
_MARKS: Final = re.compile(r"</?(?:tool_call|arg_key|arg_value)", re.IGNORECASE)


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while found := _NAME.match(reader.text, reader.position):
        reader.position = found.end()
        calls.append(reader.call(found[1], {}) if found[1] else reader.call(found[2].strip(), _arguments(reader)))
        end = reader.position
        reader.skip_space()
    reader.position = end
    return calls


def _arguments(reader: Reader) -> dict[str, Json]:
    arguments: dict[str, Json] = {}
    while not reader.accept("</tool_call>"):
        key = _KEY.match(reader.text, reader.position)
        if key is None:
            raise reader.unreadable("<arg_key> and <arg_value> expected")
        name = key[1].strip()
        if name in arguments:
            raise reader.limited(f"parameter {name!r} given twice")
        reader.position = key.end()
        arguments[name] = _value(reader)
    return arguments


def _value(reader: Reader) -> Json:
    start = reader.position
    end = _VALUE_END.search(reader.text, start)
    if end is None:
        reader.position = len(reader.text)
        raise reader.unreadable("a value without its closing tag")
    value = read_raw(reader, reader.text[start : end.start()], start)
    reader.position = end.end()
    return value


def render(calls: Sequence[Call]) -> str:
    return "\n".join(f"<tool_call>{_name(call)}\n{_pairs(call)}</tool_call>" for call in calls)


def _name(call: Call) -> str:
    if call.name.startswith(("{", "[")) or not (call.arguments or re.fullmatch(_BARE, call.name)):
        raise uncarried(f"the name {call.name!r}", "glm")
    return unmarked("glm", call.name)


def _pairs(call: Call) -> str:
    return "".join(
        f"<arg_key>{unmarked('glm', name)}</arg_key>\n<arg_value>{write_raw(value, _MARKS)}</arg_value>\n"
        for name, value in call.arguments.items()
    )


DIALECT: Dialect = Dialect("glm", _NAME, read, render, tagged=True, needs="<tool_call>", opens="<")
