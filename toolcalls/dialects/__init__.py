"""The ways of writing calls that Whetstone reads and writes, one file each."""

from __future__ import annotations

from toolcalls.dialects import paper
from toolcalls.dialects.dialect import Dialect

DIALECTS: tuple[Dialect, ...] = (paper.DIALECT,)  # in the order in which those that begin at one place are tried


def named(form: str) -> Dialect:
    """The dialect of that name; raises ValueError for an unknown one."""
    try:
        return _BY_NAME[form]
    except KeyError:
        raise ValueError(f"unknown call form {form!r}; known: {', '.join(map(repr, _BY_NAME))}") from None


_BY_NAME = {dialect.name: dialect for dialect in DIALECTS}
