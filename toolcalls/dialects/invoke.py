"""Claude's form, `<invoke name="f">` and a tag to a parameter; MiniMax's; with `｜DSML｜` in the tags DeepSeek V3.2's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call, Json
from toolcalls.dialects.carrying import uncarried
from toolcalls.dialects.dialect import Dialect
from toolcalls.dialects.raw_values import read_raw, write_raw
from toolcalls.literals import Reader

_LIKE = r"(?:antml:|｜DSML｜)?"
_AROUND: Final = re.compile(rf"<((?:{_LIKE}function_calls)|minimax:tool_call)>")
_NAME = r"\"([^\"<>\n\0\ud800-\udfff]{1,1024}+)\""
_INVOKE: Final = re.compile(rf"<{_LIKE}invoke name={_NAME}>")
_INVOKE_END: Final = re.compile(rf"</{_LIKE}invoke>")
_PARAMETER: Final = re.compile(rf"<{_LIKE}parameter name={_NAME}(?: string=\"(true|false)\")?>")
_VALUE_END: Final = re.compile(rf"</{_LIKE}parameter>\s*(?=<{_LIKE}parameter|</{_LIKE}invoke>)")
_MARKS: Final = re.compile(rf"</?{_LIKE}(?:invoke|parameter|function_calls)|</minimax:tool_call", re.IGNORECASE)
_UNFIT: Final = re.compile(r"[\"<>\n]")


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while True:
        calls += _block(reader)
        end = reader.position
        reader.skip_space()
        if not DIALECT.begins.match(reader.text, reader.position):
            reader.position = end
            return calls


def _block(reader: Reader) -> list[Call]:
    around = _AROUND.match(reader.text, reader.position)
    if around is None:
        reader.tolerate("missing tag")
        return [_call(reader)]
    reader.position = around.end()
    calls: list[Call] = []
    reader.skip_space()
    while not reader.accept(f"</{around[1]}>"):
        calls.append(_call(reader))
        reader.skip_space()
    return calls


def _call(reader: Reader) -> Call:
    invoke = _INVOKE.match(reader.text, reader.position)
    if invoke is None:
        reader.expect("<invoke name=")
        raise reader.unreadable("a call without a tool's name")
    reader.position = invoke.end()
    arguments: dict[str, Json] = {}
    while True:
        reader.skip_space()
        if end := _INVOKE_END.match(reader.text, reader.position):
            reader.position = end.end()
            return reader.call(invoke[1].strip(), arguments)
        _read_parameter(reader, arguments)


def _read_parameter(reader: Reader, arguments: dict[str, Json]) -> None:
    parameter = _PARAMETER.match(reader.text, reader.position)
    if parameter is None:
        reader.expect("<parameter name=")
        raise reader.unreadable("a parameter's tag that cannot be read")
    name = parameter[1].strip()
    if name in arguments:
        raise reader.limited(f"parameter {name!r} given twice")
    start = reader.position = parameter.end()
    end = _VALUE_END.search(reader.text, start)
    if end is None:
        reader.position = len(reader.text)
        raise reader.unreadable("a parameter without its closing tag")
    text = reader.text[start : end.start()]
    arguments[name] = reader.checked(text) if parameter[2] == "true" else read_raw(reader, text, start)
    reader.position = end.end()


def render(calls: Sequence[Call]) -> str:
    return "\n".join(["<function_calls>", *map(_written, calls), "</function_calls>"])


def _written(call: Call) -> str:
    parameters = [
        f'<parameter name="{_name(key)}">{write_raw(value, _MARKS)}</parameter>' for key, value in call.arguments.items()
    ]
    return "\n".join([f'<invoke name="{_name(call.name)}">', *parameters, "</invoke>"])


def _name(name: str) -> str:
    if not name or _UNFIT.search(name) or name != name.strip():
        raise uncarried(f"the name {name!r}", "invoke")
    return name


DIALECT: Dialect = Dialect(
    "invoke", re.compile(rf"{_AROUND.pattern}(?=\s*(?:<|\Z))|{_INVOKE.pattern}"), read, render, tagged=True, needs="<", opens="<"
)
