"""Read JSON objects, each with its line, from a JSON array or from JSON lines; JSON lines are never held as a whole."""

from __future__ import annotations

import io
import itertools
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

from toolcalls.errors import InputError
from toolcalls.storing import is_storable

Source = str | bytes | Iterable[str] | Iterable[bytes]
DEEPEST = 64  # nested lists and objects in one row


class Row(NamedTuple):
    """One element of the file: the line it begins on (from 1) and its JSON value, or why it could not be read."""

    line: int
    value: Any
    problem: str = ""


def read_rows(source: Source) -> Iterator[Row]:
    """Yield the elements of a JSON array, or the objects of JSON lines, in order; blank lines are passed over.

    A line that cannot be read is yielded with its problem and the reading goes on; an array ends at the first error.
    """
    numbered = enumerate(_lines(source), 1)
    for number, raw in numbered:
        if not raw.strip():
            continue
        rest = itertools.chain([(number, raw)], numbered)
        if raw.lstrip(b" \t\r\n\xef\xbb\xbf").startswith(b"["):
            yield from _array_rows(number, b"".join(line for _, line in rest))
        else:
            yield from (_line_row(at, line) for at, line in rest if line.strip())
        return


def _lines(source: Source) -> Iterator[bytes]:
    lines: Iterable[str] | Iterable[bytes]
    if isinstance(source, bytes):
        lines = io.BytesIO(source)
    else:
        lines = io.StringIO(source, newline="\n") if isinstance(source, str) else source
    for line in lines:
        yield line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line


def decoded(text: str) -> Any:
    """Read one JSON text. Raises InputError, also for what no database can store."""
    try:
        return _vetted(_DECODER.decode(text), text, sound=is_storable(text))
    except (ValueError, RecursionError) as error:
        raise InputError(_problem(error)) from error


def decoded_at(text: str, position: int) -> tuple[Any, int]:
    """Read the JSON value that begins here, and where it ends. Raises ValueError: InputError for what cannot be stored."""
    value, end = _DECODER.raw_decode(text, position)
    return _vetted(value, text, position, end, sound=is_storable(text)), end


def _line_row(number: int, raw: bytes) -> Row:
    try:
        text = _text(raw)
        return Row(number, _vetted(_DECODER.decode(text), text))
    except (ValueError, RecursionError) as error:
        return Row(number, None, _problem(error))


def _array_rows(number: int, raw: bytes) -> Iterator[Row]:
    """Read the array element by element, so that an error names the line of its element."""
    line, end = number, 0
    try:
        text = _text(raw)
        position = text.index("[") + 1
        while not text.startswith("]", position := _skip(text, position)):
            line += text.count("\n", end, position)
            value, end = _DECODER.raw_decode(text, position)
            yield Row(line, _vetted(value, text, position, end))
            line += text.count("\n", position, end)
            position = _skip(text, end)
            if text.startswith("]", position):
                break
            if not text.startswith(",", position):
                raise InputError("',' or ']' expected after this element of the array")
            position += 1
        if text[position + 1 :].strip():
            line += text.count("\n", end, position)
            raise InputError("text after the end of the array; for JSON lines, no line may begin with '['")
    except (ValueError, RecursionError) as error:
        yield Row(line, None, _problem(error))


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _text(raw: bytes) -> str:
    return raw.decode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8")


def _problem(error: Exception) -> str:
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}; save the file as UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg} at character {error.colno}; write one complete JSON object on each line"
    if isinstance(error, RecursionError):
        return f"not readable: lists and objects nested more than {DEEPEST} deep"
    return f"not valid JSON: {error}"


def _no_constant(name: str) -> NoReturn:
    raise InputError(f"not valid JSON: {name} is no JSON number; write a number or null")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise InputError("not usable: a number is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _vetted(value: Any, text: str, start: int = 0, end: int | None = None, *, sound: bool = True) -> Any:
    """The value of a piece of JSON. Refuses what no database can store: NUL characters, halves of surrogate pairs, bottomless
    nesting; a glance at the text (`sound`: itself without such characters) tells of most values that they are free of it."""
    if not sound or text.find("\\u", start, end) >= 0:
        _check_texts(value)
    if text.count("[", start, end) + text.count("{", start, end) > DEEPEST:
        _check_depth(value, 0)
    return value


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if not is_storable(value):
            raise InputError("not usable: a text holds a NUL character or half of a surrogate pair; remove it")
    elif isinstance(value, (list, dict)):
        for item in itertools.chain(value, value.values()) if isinstance(value, dict) else value:
            _check_texts(item)


def _check_depth(value: list[Any] | dict[str, Any], depth: int) -> None:
    if depth == DEEPEST:
        raise InputError(f"not readable: lists and objects nested more than {DEEPEST} deep")
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (list, dict)):
            _check_depth(item, depth + 1)
