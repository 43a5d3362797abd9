"""JSON lines from one stream to another: an answer for every line that can be used, an error for every other."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from toolcalls.errors import InputError

LONGEST = 16 * 1024 * 1024  # bytes of a line

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Doubled(dict[str, Any]):
    """An object in which a key stands twice; the last value counts, as in Python, for those who do not ask."""


def answer_lines(answer: Answer) -> int:
    """Answer standard input line by line and return the exit code: 0, or 2 when a line could not be used.

    Answers go to standard output in the order of the lines, each at once. A line that cannot be used is told on standard
    error as {"error", "line"}, and the next one follows.
    """
    code = 0
    for number, line in _lines(sys.stdin.buffer):
        try:
            write(answer(_object(line)))
        except InputError as error:
            code = failed(str(error), line=number)
        except RecursionError:
            code = failed("values nested too deep", line=number)
    return code


def write(value: dict[str, Any]) -> None:
    """One line on standard output, at once."""
    sys.stdout.buffer.write(_encoded(value))
    sys.stdout.buffer.flush()


def failed(message: str, **where: int) -> int:
    """Tell an error as one line of JSON on standard error; gives the exit code."""
    print(json.dumps({"error": message, **where}), file=sys.stderr, flush=True)
    return 2


def _encoded(value: dict[str, Any]) -> bytes:
    """Raises InputError for an answer with NaN or Infinity in it, which Python reads in JSON and JSON does not have."""
    try:
        return (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which a JSON text may hold and UTF-8 may not
        return (json.dumps(value, allow_nan=False) + "\n").encode()
    except ValueError as error:
        raise InputError(f"no JSON for the answer: {error}") from error


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Lines with their numbers, blank ones left out; None for one that is too long, of which no more than that is kept."""
    number = 0
    while line := source.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            while line and not line.endswith(b"\n"):
                line = source.readline(LONGEST)
            yield number, None
        elif line.strip():
            yield number, line


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    return values if len(values) == len(pairs) else Doubled(pairs)


def _object(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise InputError(f"longer than {LONGEST} bytes")
    try:
        value = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_once)
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are such
        raise InputError(f"not a line of JSON in UTF-8: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"an object expected, not {type(value).__name__}")
    return value
