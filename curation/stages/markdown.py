"""Texts that people and data sets wrote, inside Markdown and YAML, as nothing but text."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence

_MARKS = re.compile(r"([\\`*_\[\]|~#!$])")
_SCHEME = re.compile(r":(?=//)")
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


def plain(text: object) -> str:
    """The text on one line, with no mark, element or address in it that Markdown or HTML would act on."""
    line = " ".join(_UNPRINTED.sub(" ", str(text)).split())
    return _MARKS.sub(r"\\\1", _SCHEME.sub("&#58;", html.escape(line, quote=False)).replace("www.", "www&#46;"))


def quoted(text: str) -> str:
    """The text as a YAML scalar: a JSON string, which YAML reads alike once no character needs YAML's own escapes."""
    return _UNPRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; its cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def fenced(text: str, language: str = "") -> str:
    """A block of code, behind a fence that the text does not hold."""
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
