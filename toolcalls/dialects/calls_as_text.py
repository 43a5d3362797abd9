"""Calls of the paper's form, or strings of them, between the marks of a dialect that has JSON there."""

from __future__ import annotations

import re
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects import paper, strings
from toolcalls.literals import Reader

_TEXT: Final = re.compile(r"\[?\s*[^\W\d][^\n<>{}\"'=]*\(")


def written_as_text(reader: Reader) -> list[Call]:
    """Read them, which is tolerated; nothing where something else stands."""
    if _TEXT.match(reader.text, reader.position):
        dialect = paper.DIALECT
    elif strings.DIALECT.begins.match(reader.text, reader.position):
        dialect = strings.DIALECT
    else:
        return []
    reader.tolerate("calls as text")
    reader.json = False
    return dialect.read(reader)
