"""Read JSON with the standard library's decoder where it agrees with our own reader: no doubled keys, nothing past a limit."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Final, NoReturn

from toolcalls.answers import Json
from toolcalls.limits import LIMITS

UNSTORABLE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|[\0\ud800-\udfff]")  # or what may be: half of a surrogate pair
_MARKS: Final = re.compile(r"\"(?:[^\"\\]|\\.)*+\"|[][{}]", re.DOTALL)
_STEPS: Final = {"[": 1, "{": 1, "]": -1, "}": -1}


def read_plain_json(text: str, start: int, depth: int) -> tuple[Json, int] | None:
    """Read the JSON value that begins at `start`, of at most so many nested lists and dicts: the value and where it ends.

    None for what is no JSON, what no database could store, and what passes a limit: a closer look will say what it is.
    """
    try:
        value, end = _SCAN(text, start)
    except (ValueError, StopIteration, RecursionError):
        return None
    if (text.find("\\u", start, end) >= 0 or not text.isascii()) and UNSTORABLE.search(text, start, end):
        return None
    if end - start <= 2 * depth:  # each opens and closes
        return value, end
    openings = text.count("[", start, end) + text.count("{", start, end)
    return (value, end) if openings <= depth or _depth(text, start, end) <= depth else None


def read_whole(text: str, depth: int) -> Json:
    """Read a text that is one JSON value and no more, as `read_plain_json` does; None of null, too."""
    found = read_plain_json(text, 0, depth)
    return found[0] if found and found[1] == len(text) else None


def _depth(text: str, start: int, end: int) -> int:
    most = now = 0
    for mark in _MARKS.findall(text, start, end):
        now += _STEPS.get(mark, 0)
        most = max(most, now)
    return most


def decode(text: str) -> Json:
    """Read a whole text as JSON. Raises ValueError for what is none, has a key twice or a number past a limit."""
    return _DECODER.decode(text)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key given twice")
    return values


def _whole(text: str) -> int:
    return int(text) if len(text) < LIMITS.digits else _refused(text)


def _fraction(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) and len(text) < LIMITS.digits else _refused(text)


def _refused(text: str) -> NoReturn:
    raise ValueError(text)


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction, parse_constant=_refused)
_SCAN: Final[Callable[[str, int], tuple[Json, int]]] = _DECODER.scan_once  # type: ignore[attr-defined]  # raw_decode does no more
