"""Calls of the paper's form as strings: `["f(a=1)", "g()"]`; tolerantly also a whole answer within quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from toolcalls.answers import Call
from toolcalls.dialects import paper
from toolcalls.dialects.call_names import PARAMETER
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader, Unreadable

# The quote before a call: `f(`, or any name before arguments.
_CALL = rf"[\"'](?=\s*+(?:\[\s*+)?(?:[\w.-]{{1,256}}\(|[^\[\]{{}}\n=]{{1,512}}\(\s*(?:{PARAMETER}=(?!=)|\)\s*[\"'])))"
_BEGINS = re.compile(rf"\[\s*{_CALL}|\A{_CALL}(?=[^\n]*+(?<=[\"']))")


def read(reader: Reader) -> list[Call]:
    """Read `["call", …]`."""
    calls: list[Call] = []
    if not reader.accept("["):
        reader.tolerate("quoted answer")
        return _calls_in(reader, _quoted_answer(reader), 0, calls)
    reader.skip_space()
    while not reader.accept("]"):
        _calls(reader, calls)
        reader.skip_space()
        if not reader.accept(","):
            reader.expect("]")
            break
        reader.skip_space()
        if reader.text.startswith("]", reader.position):
            reader.tolerate("trailing comma")
    return calls


def _calls(reader: Reader, calls: list[Call]) -> list[Call]:
    """Read one string; it holds one call, tolerantly also a list of them."""
    start = reader.position
    return _calls_in(reader, reader.string().strip(), start, calls)


def _quoted_answer(reader: Reader) -> str:
    """Read the whole text as a string, or take what its quotes hold where these stand inside it too."""
    try:
        text = reader.string()
    except Unreadable:
        text = ""
    if not text or not reader.at_end():
        text, reader.position = reader.text[1:-1], len(reader.text)
    return text.strip()


def _calls_in(reader: Reader, text: str, start: int, calls: list[Call]) -> list[Call]:
    """Read the calls of a string that stood at `start`."""
    inner = reader.inside(text if text.startswith("[") and not reader.strict else f"[{text}]")
    try:
        read = paper.read(inner)
        inner.skip_space()
        if not inner.at_end() or (reader.strict and len(read) != 1):
            raise inner.unreadable("words beside a call in a string")
    except Unreadable as failure:
        raise Unreadable(str(failure).removeprefix("cut off: "), start, final=failure.final) from None
    calls += read
    reader.count = inner.count
    return calls


def render(calls: Sequence[Call]) -> str:
    """Write calls as a JSON list of strings, e.g. `["now()", "f(a=\\"x\\")"]`."""
    return json.dumps([paper.render([call])[1:-1] for call in calls], ensure_ascii=False)


DIALECT: Dialect = Dialect("strings", _BEGINS, read, render, needs="(", opens="[\"'")
