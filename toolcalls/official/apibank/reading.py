"""The call that API-Bank's evaluator reads in an output: every value is text, lists and nested quotes do not survive.

Source: `parse_api_call` in api-bank/api_call_extraction.py of AlibabaResearch/DAMO-ConvAI (Apache-2.0), whose two patterns are
walked through here in one pass: searched as they stand they take quadratic time.
"""

from __future__ import annotations

import re

_OPENING = re.compile(r"\[(\w++)\(")
_NAME = re.compile(r"(?<!\w)(\w++)\s*+=\s*+")
_WORD = re.compile(r"\w+")
_QUOTE = re.compile(r"['\"]")


def read_call(text: str) -> tuple[str, dict[str, str]] | None:
    """The first `[name(…)]` of a line and its parameters, or None. Of a parameter given twice the last stays."""
    for line in text.split("\n"):
        opening, closing = _OPENING.search(line), line.rfind(")]")
        if opening and opening.end() <= closing:
            return opening[1], _parameters(line[opening.end() : closing])
    return None


def _parameters(text: str) -> dict[str, str]:
    """`name='value'`, `name=[…]` and `name=word`, wherever they stand; all else is passed over."""
    found: dict[str, str] = {}
    position, last_bracket = 0, text.rfind("]")
    while name := _NAME.search(text, position):
        end = _value_end(text, name.end(), last_bracket)
        if end > name.end():
            quoted = text[name.end()] in "'\""
            found[name[1]] = text[name.end() + quoted : end - quoted]
        position = max(end, name.end())
    return found


def _value_end(text: str, start: int, last_bracket: int) -> int:
    """Where the value ends that begins at `start`; -1 when none does. Either quote ends what either began."""
    mark = text[start : start + 1]
    if mark and mark in "'\"":
        quote = _QUOTE.search(text, start + 2)  # at least one character, which may itself be a quote
        return quote.end() if quote else -1
    if mark == "[":
        return last_bracket + 1 if last_bracket > start else -1
    word = _WORD.match(text, start)
    return word.end() if word else -1
