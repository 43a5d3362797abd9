"""Values that stand as they are between tags, `<parameter=city>Rome</parameter>`, without a schema to say their types.

A text that is one literal as a whole is that literal, any other is the string itself. So the string "5" must be written in
double quotes, and so must each string that holds one of the dialect's own marks.
"""

from __future__ import annotations

import re
from typing import Final

from toolcalls.answers import Json
from toolcalls.dialects.call_objects import written
from toolcalls.literals import Reader, Unreadable

_MAY_BE_LITERAL: Final = re.compile(r"\s*[-+.\d\[{\"'tfnTFN]")


def read_raw(reader: Reader, text: str, position: int) -> Json:
    """The value of `text`, which stands at `position`. A list or dict with Python's literals is read, and said."""
    if not _MAY_BE_LITERAL.match(text):
        return _string(reader, text, position)
    inner = Reader(text.strip(), reader.limits)
    inner.json = text.lstrip().startswith(("[", "{"))  # a word or a number alone is the same in both, "True" included
    try:
        value = inner.value()
    except Unreadable:
        return _string(reader, text, position)
    if not inner.at_end() or text.lstrip().startswith("'"):
        return _string(reader, text, position)
    for what in inner.tolerated:
        reader.tolerate(what)
    return value


def _string(reader: Reader, text: str, position: int) -> str:
    reader.position = position
    return reader.checked(text)


def write_raw(value: Json, marks: re.Pattern[str]) -> str:
    """Write a value so that `read_raw` reads it back; `marks` matches what must not stand in a string as it is."""
    if not isinstance(value, str):
        return _without_marks(written(value), marks)
    if not marks.search(value) and read_raw(Reader(value), value, 0) == value:
        return value
    return _without_marks(written(value), marks)


def _without_marks(text: str, marks: re.Pattern[str]) -> str:
    """Write the first letter of each mark, which only strings can hold, as JSON's escape."""
    return marks.sub(lambda found: f"\\u{ord(found[0][0]):04x}{found[0][1:]}", text)
