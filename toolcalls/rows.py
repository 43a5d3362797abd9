"""Read JSON objects, each with its line, from a JSON array or from JSON lines; JSON lines are never held as a whole."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

from toolcalls.errors import InputError

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
        return _checked(_DECODER.decode(text))
    except (ValueError, RecursionError) as error:
        raise InputError(_problem(error)) from error


def _line_row(number: int, raw: bytes) -> Row:
    try:
        return Row(number, _checked(_DECODER.decode(_text(raw))))
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
            yield Row(line, _checked(value))
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
    return raw.decode("utf-8-sig")


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


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _checked(value: Any, depth: int = 0) -> Any:
    """Refuse what no database can store: NUL characters, halves of surrogate pairs, bottomless nesting."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= mark <= "\udfff" for mark in value):
            raise InputError("not usable: a text holds a NUL character or half of a surrogate pair; remove it")
    elif isinstance(value, (list, dict)):
        if depth == DEEPEST:
            raise InputError(f"not readable: lists and objects nested more than {DEEPEST} deep")
        for item in itertools.chain(value, value.values()) if isinstance(value, dict) else value:
            _checked(item, depth + 1)
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise InputError("not usable: a number is too large")
    return value
