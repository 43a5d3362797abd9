"""Gemma's form, `<start_function_call>call:f{a:<escape>x<escape>,n:1}<end_function_call>`; Gemma 4's has other marks.

Keys stand without quotes and strings between marks of their own, so neither is JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from toolcalls.answers import Call, Json
from toolcalls.dialects.call_objects import comma, written
from toolcalls.dialects.carrying import uncarried
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader


class _Marks(NamedTuple):
    opening: str
    closing: str
    quote: str


_FIRST: Final = _Marks("<start_function_call>", "<end_function_call>", "<escape>")
_FOURTH: Final = _Marks("<|tool_call>", "<tool_call|>", '<|"|>')
_CALL: Final = re.compile(
    rf"({_FIRST.opening}|{re.escape(_FOURTH.opening)})\s*+call:([^{{}}<>\n\0\ud800-\udfff]{{1,1024}}+)(?=\{{)"
)
_KEY: Final = re.compile(r"([^\s#:{}\[\],<\0\ud800-\udfff][^:{}\[\],<\n\0\ud800-\udfff]{0,1024}+):\s*+")
_UNFIT_NAME: Final = re.compile(r"[{}<>\n]")
_UNFIT_KEY: Final = re.compile(r"^#|[:{}\[\],<\n]")


def read(reader: Reader) -> list[Call]:
    calls: list[Call] = []
    while found := _CALL.match(reader.text, reader.position):
        marks = _FIRST if found[1] == _FIRST.opening else _FOURTH
        reader.position = found.end()
        reader.json = True
        reader.depth += 1  # the object of arguments is no value of an argument
        calls.append(reader.call(found[2].strip(), _object(reader, marks.quote)))
        reader.depth -= 1
        reader.skip_space()
        reader.expect(marks.closing)
        end = reader.position
        reader.skip_space()
    reader.position = end
    return calls


def _value(reader: Reader, quote: str) -> Json:
    """Read a value; recursion ends at the reader's depth."""
    if reader.accept(quote):
        start = reader.position
        end = reader.text.find(quote, start)
        reader.position = len(reader.text) if end < 0 else end
        if not reader.accept(quote):
            raise reader.unreadable("a string without its closing mark")
        return reader.checked(reader.text[start:end])
    if reader.text.startswith("{", reader.position):
        return _object(reader, quote)
    if reader.text.startswith("[", reader.position):
        return _list(reader, quote)
    return reader.value()


def _object(reader: Reader, quote: str) -> dict[str, Json]:
    values: dict[str, Json] = {}

    def member() -> None:
        key = _KEY.match(reader.text, reader.position)
        if key is None:
            raise reader.unreadable("a key expected")
        name = key[1].strip()
        if name in values:
            raise reader.limited(f"key {name!r} given twice")
        reader.position = key.end()
        values[name] = _value(reader, quote)

    _elements(reader, "{", "}", member)
    return values


def _list(reader: Reader, quote: str) -> list[Json]:
    values: list[Json] = []
    _elements(reader, "[", "]", lambda: values.append(_value(reader, quote)))
    return values


def _elements(reader: Reader, start: str, end: str, element: Callable[[], None]) -> None:
    if reader.depth == 0:
        raise reader.limited("lists and dicts nested too deep")
    reader.depth -= 1
    reader.expect(start)
    reader.skip_space()
    while not reader.accept(end):
        element()
        if not comma(reader, end):
            break
    reader.depth += 1


def render(calls: Sequence[Call]) -> str:
    return "\n".join(f"{_FIRST.opening}call:{_name(call.name)}{_written(call.arguments)}{_FIRST.closing}" for call in calls)


def _written(value: Json) -> str:
    if isinstance(value, str):
        if _FIRST.quote in value:
            raise uncarried(f"a text with {_FIRST.quote!r} in it", "gemma")
        return f"{_FIRST.quote}{value}{_FIRST.quote}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_key(key)}:{_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_written, value)) + "]"
    return written(value)


def _name(name: str) -> str:
    if _UNFIT_NAME.search(name) or name != name.strip():
        raise uncarried(f"the name {name!r}", "gemma")
    return name


def _key(name: str) -> str:
    if not name or _UNFIT_KEY.search(name) or name != name.strip():
        raise uncarried(f"the name {name!r}", "gemma")
    return name


DIALECT: Dialect = Dialect("gemma", _CALL, read, render, tagged=True, needs="call:", opens="<")
