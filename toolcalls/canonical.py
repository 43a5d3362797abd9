"""One text per value, call and answer, the same exactly when DESIGN's value rules say that two of them are equal.

`1 == 1.0`; `True != 1`; `"5" != 5`; strings after Unicode NFC; lists ordered; dicts and the calls of an answer unordered.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable

from toolcalls.answers import Answer, Call, Calls, Json, ParseFailure


def normal_text(text: str) -> str:
    """A string as it is compared: Unicode NFC."""
    return unicodedata.normalize("NFC", text)


def canonical_value(value: Json) -> str:
    """The canonical text of one JSON value; equal texts mean equal values."""
    return json.dumps(_normal(value), sort_keys=True, separators=(",", ":"))


def _normal(value: Json) -> Json:
    if isinstance(value, str):
        return normal_text(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_normal(item) for item in value]
    if isinstance(value, dict):
        return {normal_text(key): _normal(item) for key, item in value.items()}
    return value


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
