"""One text per value, call and answer, the same exactly when DESIGN's value rules say that two of them are equal.

`1 == 1.0`; `True != 1`; `"5" != 5`; strings after Unicode NFC; lists ordered; dicts and the calls of an answer unordered.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring_ascii as _quoted
from operator import itemgetter
from typing import Final

from toolcalls.answers import Answer, Call, Calls, Json, ParseFailure

_NOTHING: Final = object()
_key = itemgetter(0, 1)


def normal_text(text: str) -> str:
    """A string as it is compared: Unicode NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def canonical_value(value: Json, fold: Callable[[str], str] = normal_text) -> str:
    """The canonical text of one JSON value; equal texts mean equal values, strings as `fold` makes them. Any depth."""
    if isinstance(value, str):
        return _quoted(fold(value))
    if not isinstance(value, (dict, list, tuple)):
        return _scalar(value)
    parts: list[str] = []
    waiting: list[tuple[str, Json]] = [("", value)]  # a text, then the value that follows it
    while waiting:
        before, item = waiting.pop()
        parts.append(before)
        if isinstance(item, str):
            parts.append(_quoted(fold(item)))
        elif isinstance(item, dict):
            named = sorted(((normal_text(name), name, inner) for name, inner in item.items()), key=_key)
            _wait(waiting, "{", [(f"{_quoted(name)}:", inner) for name, _, inner in named], "}")
        elif isinstance(item, (list, tuple)):
            _wait(waiting, "[", [("", inner) for inner in item], "]")
        elif item is not _NOTHING:
            parts.append(_scalar(item))
    return "".join(parts)


def _wait(waiting: list[tuple[str, Json]], opening: str, entries: list[tuple[str, Json]], closing: str) -> None:
    """Put a container's entries, each with the text before it, on the stack."""
    waiting.append((closing if entries else opening + closing, _NOTHING))
    for place in range(len(entries) - 1, -1, -1):
        name, inner = entries[place]
        waiting.append((("," if place else opening) + name, inner))


def _scalar(value: Json) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is int:
        return str(value) if value.bit_length() < 4096 else hex(value)  # Python refuses to write long decimals
    return json.dumps(value)


def canonical_calls(calls: Iterable[Call]) -> str:
    """The canonical text of a list of calls, whatever their order; duplicates count."""
    return json.dumps(sorted(canonical_value([call.name, call.arguments]) for call in calls))


def text_equal(one: str, other: str) -> bool:
    """The first of the three equalities: the same characters after stripping outer space."""
    return one.strip() == other.strip()


def answer_key(answer: Answer, text: str = "") -> str:
    """32 hex digits that two answers share when they say the same: call order, 1 or 1.0 and NFC make no difference.

    Text counts by its stripped characters. A ParseFailure carries no text, so give the raw `text` for it.
    """
    if isinstance(answer, Calls):
        identity = "calls:" + canonical_calls(answer.calls)
    elif isinstance(answer, ParseFailure):
        identity = "unparsable:" + normal_text(text.strip())
    else:
        identity = "text:" + normal_text(answer.text.strip())
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]
