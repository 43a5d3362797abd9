"""Calls as JSON and nothing else: `{"name": "f", "arguments": {"a": 1}}`, or a list of such objects.

So xLAM, Hammer and LLaMA-Factory write, and Llama 3.1 (with "parameters") where it leaves out its tag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from toolcalls.answers import Call
from toolcalls.dialects.call_objects import ARGUMENTS, NAMES, Spelling, read_list, read_row, write_call
from toolcalls.dialects.dialect import Dialect
from toolcalls.literals import Reader

_SPELLING = Spelling(keys=("arguments", "parameters"))
_ASIDE = r"""(?:["'](?:id|type|index|thought)["']\s*:\s*(?:"[^"\\\n]{0,1024}+"|'[^'\\\n]{0,1024}+'|null|None|\d+)\s*,\s*){0,3}"""
_NAME = rf"""["'](?:{"|".join(NAMES)})["']\s*:\s*(?:"(?:[^"\\\n]|\\.){{1,1024}}+"|'(?:[^'\\\n]|\\.){{1,1024}}+')"""
_ARGUMENTS = rf"""["'](?:{"|".join(ARGUMENTS)})["']\s*:"""


def read(reader: Reader) -> list[Call]:
    if reader.text.startswith("[", reader.position):
        return read_list(reader, _SPELLING)
    return read_row(reader, _SPELLING)


def render(calls: Sequence[Call]) -> str:
    """Write one call as an object, several as a list of them."""
    if len(calls) == 1:
        return write_call(calls[0])
    return f"[{', '.join(map(write_call, calls))}]"


# Also a text that ends in the name or after it: it was cut off.
DIALECT = Dialect(
    "json",
    re.compile(
        rf"(?:\[\s*)?\{{\s*{_ASIDE}(?:{_NAME}\s*(?:,\s*(?:{_ASIDE}{_ARGUMENTS}|[\"']?\w*\s*\Z)|\Z)"
        rf"|[\"']name[\"']\s*:\s*(?:[\"'][^\"'\\\n]{{0,256}})?\Z"
        rf"|[\"'](?:arguments|parameters)[\"']\s*:\s*[{{\"'])"
    ),
    read,
    render,
)
