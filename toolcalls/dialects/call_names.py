"""Where the name of a tool ends in `name(parameter=value)`, for names may hold spaces and parentheses themselves."""

from __future__ import annotations

import re
from typing import Final

from toolcalls.literals import Reader, Unreadable
from toolcalls.storing import is_storable

INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff"
PARAMETER = (
    rf"[^\s=(),\"'{{}}#{INVISIBLE}\0\ud800-\udfff][^=(),\"'{{}}\n\0\ud800-\udfff]*"  # a parameter's name up to its equals sign
)
ARGUMENTS = rf"\(\s*(?:{PARAMETER}=(?!=)|\)\s*(?:[,\]]|$))"
_ARGUMENTS: Final = re.compile(ARGUMENTS)
_PLAIN: Final = re.compile(rf"[^\W\d][\w .-]*+(?={ARGUMENTS})")
_STOP: Final = re.compile(r"[(),\[\]{}=\"\n]")
_QUOTED: Final = re.compile(r"[\"']([^\"'()\[\]{}\n]+)[\"'](?=[ \t]*\()")
_MARKED: Final = re.compile(rf"[`*{INVISIBLE}]*+([^\W\d][\w.-]*+(?: [\w.-]++){{0,11}})[`*{INVISIBLE}]*+(?=[ \t]*\()")
_UNFIT: Final = re.compile(rf"[\"'#`*]|.*(?:[{INVISIBLE}]|\(\s*\))", re.DOTALL)
_SHORT: Final = re.compile(r"([^\W\d][\w.-]*+)(?=[ \t]*\()")


# A name that ends at its first parenthesis, for what follows that can be no part of a name.
_SHORT_FOR_SURE: Final = re.compile(
    rf"([^\W\d][\w.-]*+)(?!{ARGUMENTS})(?=\([^()\[\]{{}}=\"\n]*+(?:[\[\]{{}}=\"\n]|\)\s*+(?:[,\]]|\Z)))"
)


def read_name(reader: Reader) -> str:
    """Read a tool's name up to the parenthesis that opens its arguments.

    A parenthesis belongs to the name unless `parameter=` follows, or `)` and the end of the call.
    """
    start, depth = reader.position, 0
    plain = _PLAIN.match(reader.text, start)
    if plain and len(plain[0]) <= reader.limits.name:
        reader.position = plain.end()
        return plain[0].rstrip()
    while stop := _STOP.search(reader.text, reader.position):
        reader.position = stop.start()
        if reader.position - start > reader.limits.name:
            raise reader.limited(f"a tool's name of more than {reader.limits.name} characters")
        mark = stop[0]
        if mark == "(" and _ARGUMENTS.match(reader.text, stop.start()):
            break
        if mark not in "()," or (mark == "," and depth == 0):
            raise reader.unreadable("a positional argument" if depth else f"{mark!r} before named arguments in parentheses")
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if depth < 0:
            raise reader.unreadable("a closing parenthesis without an opening one")
        reader.position += 1
    else:
        reader.position = len(reader.text)
        raise reader.unreadable("a call without arguments in parentheses")
    name = reader.text[start : reader.position].strip()
    if not name or depth or _UNFIT.match(name) or not is_storable(name):
        raise reader.unreadable("a call without a tool's name" if not name else "a tool's name that cannot be read")
    return name


def read_name_loosely(reader: Reader) -> str:
    """Read a name as `read_name` does; one in quotes, or before a positional argument, ends at its first parenthesis."""
    start = reader.position
    if (short := _SHORT_FOR_SURE.match(reader.text, start)) and len(short[1]) <= reader.limits.name:
        reader.position = short.end()
        return short[1]
    if (quoted := _QUOTED.match(reader.text, start)) and len(quoted[1]) <= reader.limits.name:
        return _ended(reader, quoted, "quoted name")
    try:
        return read_name(reader)
    except Unreadable:
        marked = _MARKED.match(reader.text, start)
        if marked and marked[0] != marked[1]:
            reader.tolerate("markdown")
        else:
            marked = None
        found = marked or _SHORT.match(reader.text, start)
        if found is None or len(found[1]) > reader.limits.name:
            raise
        return _ended(reader, found)


def _ended(reader: Reader, found: re.Match[str], tolerated: str = "") -> str:
    """Move behind a name."""
    if tolerated:
        reader.tolerate(tolerated)
    reader.position = found.end()
    reader.skip_space()
    return found[1]
