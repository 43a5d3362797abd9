"""Calls as JSON and nothing else: `{"name": "f", "arguments": {"a": 1}}`, or a list of such objects.

So xLAM, Hammer and LLaMA-Factory write, and Llama 3.1 (with "parameters") where it leaves out its tag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import ARGUMENTS, NAMES, Spelling, read_list, read_row, write_call
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import NoCall, Reader

_SPELLING: Final = Spelling(keys=("arguments", "parameters"), definitions=True)
_TEXT = r"""(?:"(?:[^"\\\n]|\\.){0,1024}+"|'(?:[^'\\\n]|\\.){0,1024}+')"""
_NAMES, _ARGUMENTS = (rf"""["'](?:{"|".join(keys)})["']\s*:""" for keys in (NAMES, ARGUMENTS))
# Keys beside them with short values; one of "description" is that of a tool, not of a call.
_OTHER = rf"""["'](?!description["'])[\w$ -]{{1,64}}["']\s*:\s*(?:{_TEXT}|null|None|\d+)\s*,\s*"""
_BEFORE, _BETWEEN = (rf"(?:(?!{keys}){_OTHER}){{0,3}}+" for keys in (_NAMES, _ARGUMENTS))


_KEY: Final = re.compile(r"""["']([\w -]{1,64})["']\s*:\s*\Z""")  # of the value that stands here
_OF_CALLS: Final = re.compile(r"call|tool|function|action|api", re.IGNORECASE)


def read(reader: Reader) -> list[Call]:
    """Read an object or a list; raises NoCall of what is data: the value of a key that tells of no calls."""
    start = reader.position
    key = _KEY.search(reader.text, max(0, start - 80), start)
    if key and not _OF_CALLS.search(key[1]) and '"arguments"' not in _BEGINS.match(reader.text, start)[0]:  # type: ignore[index]
        raise NoCall
    if reader.text.startswith("[", reader.position):
        return read_list(reader, _SPELLING)
    return read_row(reader, _SPELLING)


def render(calls: Sequence[Call]) -> str:
    """Write one call as an object, several as a list of them."""
    if len(calls) == 1:
        return write_call(calls[0])
    return f"[{', '.join(map(write_call, calls))}]"


# Also a text that ends in the name or after it, for it was cut off, and a comment after it, which no JSON has.
_BEGINS: Final = re.compile(
    rf"(?:\[\s*)?\{{\s*(?:{_BEFORE}{_NAMES}\s*{_TEXT}\s*(?:,\s*(?:{_BETWEEN}{_ARGUMENTS}|/[/*]|\#|[\"']?\w*\s*\Z)|\Z)"
    rf"|[\"']name[\"']\s*:\s*(?:[\"'][^\"'\\\n]{{0,256}})?\Z"
    rf"|[\"'](?:arguments|parameters)[\"']\s*:\s*[{{\"'])"
)
DIALECT: Dialect = Dialect("json", _BEGINS, read, render, needs="{", opens="{[")
