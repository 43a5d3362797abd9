"""Texts that Python certainly cannot read as an expression, told without its parser, which takes long to say so.

Prose, tags, brackets that do not pair, marks of other scripts: most outputs that are no calls. To say no of what cannot be told
is always right: the parser is asked then.
"""

from __future__ import annotations

import keyword
import re

_STRING = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_HOLE = "\x01"  # where a string was; no character of Python
_FORMATTED = re.compile("[fFtT][rR]?\x01")  # in whose braces Python reads on, quotes too, from 3.12 on
_TWO_WORDS = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s+(?=([A-Za-z_]\w*))", re.ASCII)
_NEVER = re.compile(r";|,\s*,|[\[({,=]\s*<|\(\s*(?!lambda\b)[A-Za-z_]\w*\s*:(?!=)", re.ASCII)  # a tag, a name and a colon
_RUN = re.compile(r"[A-Za-z0-9_\x80-\U0010ffff]+")
_PAIRS = (("[", "]"), ("(", ")"), ("{", "}"))
_KEYWORDS = frozenset(keyword.kwlist)


def unreadable(source: str) -> bool:
    """Whether `ast.parse(source, mode="eval")` is sure to raise an error."""
    if "\0" in source:
        return True
    if "\\" in source or "'''" in source or '"""' in source:
        return False
    bare = _STRING.sub(_HOLE, source)
    if "#" in bare or _FORMATTED.search(bare):
        return False
    return (
        "'" in bare
        or '"' in bare
        or any(bare.count(opening) != bare.count(closing) for opening, closing in _PAIRS)
        or _NEVER.search(bare) is not None
        or any(_KEYWORDS.isdisjoint(names) for names in _TWO_WORDS.findall(bare))
        or (not bare.isascii() and any(map(_is_odd, _RUN.findall(bare))))
    )


def _is_odd(run: str) -> bool:
    """Whether letters, digits and what is not ASCII make no name together."""
    return not run.isascii() and not run.isidentifier()
