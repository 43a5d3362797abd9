"""Tell calls that a text makes from those that it only mentions, where they have no marks of their own."""

from __future__ import annotations

import re
from typing import Final

from toolcalls.wrapping import line_before, spoken

_LABEL = r"(?!(?i:[\w ,/-]{0,39}\b(?:not|never|no|cannot|unable|error|example)\b))[^\W\d][\w ,/-]{0,39}:[^\w\n]*+"
_BEFORE: Final = re.compile(  # what may stand before a call on its line: a list's mark, a label, `x =`, `await`
    rf"(?:[^\w\n]*+[0-9]{{1,3}}[.)])?[^\w\n]*+(?:{_LABEL})?(?:(?:await|return|const|let|var)\s+)*"
    r"(?:[^\W\d][\w.]{0,127}\s*=\s*(?:await\s+)?)?[^\w\n=]*+"
)
_AFTER: Final = re.compile(r"[^\w\n<#]*+(?:\Z|\n|#|<[|/a-zA-Z｜])")
_FENCE_BEFORE: Final = re.compile(r"```\w{0,20}\s*\Z")
_MENTION: Final = re.compile(r"(?<![\w.])[^\W\d][\w.]*+(?:\(\s*[)\"'\d\[{]| ?\(\s*[\w.-]{1,128}\s*=(?!=))")
_CODE: Final = re.compile(
    r"^[ \t]*(?:`{3}\w*[ \t]+)?(?:import [\w.]+|from [\w.]+ import\b|(?:async )?def \w+\s*\(|class \w+\s*[:(]"
    r"|for \w[\w, ]{0,64} in [^\n:]{1,256}+:|while\b[^\n]*:|if [^\n]*:[ \t]*$|[^\W\d]\w*\s*=\s*[\w.]+\()",
    re.MULTILINE,
)


def is_alone(text: str, before: int, start: int, end: int) -> bool:
    """Whether calls at `start`–`end` stand in brackets, in a fence or without words on their lines; from `before` on."""
    if text.startswith("```", end) and _FENCE_BEFORE.search(text, max(before, start - 32), start):
        return True
    if text[start] != "[" and not _BEFORE.fullmatch(line_before(text, before, start)):
        return False
    return text[end - 1] == "]" or bool(_AFTER.match(text, end))


def find_mention(text: str, start: int, end: int) -> int | None:
    """Where words name another call, e.g. `g()`."""
    return _find(_MENTION, text, start, end)


def find_code(text: str, start: int, end: int) -> int | None:
    """Where a line is a statement of a program that is no call."""
    return _find(_CODE, text, start, end)


def _find(what: re.Pattern[str], text: str, start: int, end: int) -> int | None:
    stretches = spoken(text, start, end) if text.find("<", start, end) >= 0 else ((start, end),)
    for stretch in stretches:
        if found := what.search(text, *stretch):
            return found.start()
    return None
