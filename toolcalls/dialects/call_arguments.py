"""The arguments of `name(parameter=value, …)`."""

from __future__ import annotations

import re
from typing import Final

from toolcalls.answers import Json
from toolcalls.dialects.call_names import INVISIBLE, PARAMETER
from toolcalls.limits import LIMITS
from toolcalls.literals import Reader, Unreadable
from toolcalls.plain_lists import COMPILED

_NAME: Final = re.compile(rf"({PARAMETER})=(?!=)")
_NAME_BEFORE_COLON: Final = re.compile(r"([A-Za-z_][\w.-]{0,127}) ?:(?=\s*+[^\s:])")
_INVISIBLE: Final = re.compile(f"[{INVISIBLE}]+")
_DOUBLE = r'"[^"\\\0\ud800-\udfff]*"'  # a text that stands as it is
_SINGLE = r"'[^'\\\0\ud800-\udfff]*'"
_TEXT: Final = re.compile(f"{_DOUBLE}|{_SINGLE}")
_PLAIN: Final = re.compile(
    r"([^\W\d][\w.-]{0,127}) ?= ?"
    rf"(?:({_TEXT.pattern})|(-?(?:0|[1-9][0-9]{{0,17}})\.[0-9]{{1,17}})|(-?(?:0|[1-9][0-9]{{0,17}}))|(True|False)"
    rf"|\[((?:{_TEXT.pattern})(?:,\s*(?:{_TEXT.pattern}))*)\])"
    r"(?:\s*,\s*+(?!\))|\s*(?=\)))"
)


def read_arguments(reader: Reader) -> dict[str, Json]:
    """Read `(parameter=value, …)`."""
    arguments: dict[str, Json] = {}
    open_arguments(reader)
    while read_argument(reader, arguments):
        pass
    return arguments


def open_arguments(reader: Reader) -> None:
    """Move over the parenthesis before a call's arguments."""
    reader.expect("(")
    reader.skip_space()


def read_argument(reader: Reader, arguments: dict[str, Json]) -> bool:
    """Read one argument and its comma, or the end of the arguments; whether that was not the end."""
    if reader.accept(")"):
        return False
    if (not COMPILED or reader.strict) and reader.limits is LIMITS and _read_plain(reader, arguments):
        return True
    reader.skip_space()
    _read_argument(reader, arguments)
    reader.skip_space()
    if not reader.accept(","):
        reader.expect(")")
        return False
    reader.skip_space()
    if reader.text.startswith(")", reader.position):
        reader.tolerate("trailing comma")
    return True


def _read_plain(reader: Reader, arguments: dict[str, Json]) -> bool:
    """Read one argument of a frequent shape at once, up to the next one or to `)`; of any other nothing is read."""
    found = _PLAIN.match(reader.text, reader.position)
    if found is None or found[1] in arguments:
        return False
    name, text, fraction, whole, word, texts = found.groups()
    if text is not None:
        arguments[name] = text[1:-1]
    elif whole is not None:
        arguments[name] = int(whole)
    elif fraction is not None:
        arguments[name] = float(fraction)
    else:
        arguments[name] = [text[1:-1] for text in _TEXT.findall(texts)] if texts is not None else word == "True"
    reader.position = found.end()
    return True


def _read_argument(reader: Reader, arguments: dict[str, Json]) -> None:
    mark = reader.text[reader.position : reader.position + 1]
    if mark > "~" and not reader.strict and (invisible := _INVISIBLE.match(reader.text, reader.position)):
        reader.tolerate("stray mark")
        reader.position = invisible.end()
    found = _NAME.match(reader.text, reader.position)
    if found is None and not reader.strict and (found := _NAME_BEFORE_COLON.match(reader.text, reader.position)):
        reader.tolerate("colon")
    if found is None:
        _read_positional(reader, arguments)
        return
    name = found[1].strip()
    if len(name) > reader.limits.name:
        raise reader.limited(f"a parameter's name of more than {reader.limits.name} characters")
    if reader.strict and name in arguments:
        raise reader.unreadable(f"parameter {name!r} given twice")
    start, reader.position = reader.position, found.end()
    reader.skip_space()
    _give(reader, arguments, name, reader.value(), start)


def _give(reader: Reader, arguments: dict[str, Json], name: str, value: Json, start: int) -> None:
    """Set a parameter, which stands at `start`; the same value given to it again is looked past, another is Unreadable."""
    if name in arguments:
        if repr(arguments[name]) != repr(value):
            raise Unreadable(f"parameter {name!r} given twice", start, final=True)
        reader.tolerate("parameter given twice")
    arguments[name] = value


def _read_positional(reader: Reader, arguments: dict[str, Json]) -> None:
    """Keep a value without a name under its position, "0" for the first argument; `**{…}` gives its keys as parameters."""
    if reader.strict:
        raise reader.unreadable("a positional argument")
    start = reader.position
    if reader.text.startswith("**{", reader.position):
        reader.position += 2
        reader.tolerate("unpacked object")
        values = reader.value()
        if not isinstance(values, dict):
            raise reader.unreadable("an unpacked object that cannot be read")
        for name, value in values.items():
            _give(reader, arguments, name, value, start)
        return
    reader.tolerate("positional argument")
    _give(reader, arguments, str(len(arguments)), reader.value(), start)
