"""Searches of the original's regular expressions that backtrack for long, or for ever, in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPACE = re.compile(r"\s*")


def after_space(text: str, position: int) -> int:
    """Where the white space from `position` on ends."""
    return _SPACE.match(text, position).end()  # type: ignore[union-attr]  # matches everywhere


class Ahead:
    """Where a mark comes next, asked of positions that never go back."""

    def __init__(self, text: str, mark: str) -> None:
        self._text = text
        self._mark = mark
        self._never = len(text) + 1
        self._next = -1

    def of(self, position: int) -> int:
        """The first place of the mark from `position` on; beyond the text's end where there is none."""
        if self._next < position:
            found = self._text.find(self._mark, position)
            self._next = found if found >= 0 else self._never
        return self._next


def spans(text: str, opening: re.Pattern[str], closing: str, *, least: int = 0) -> Iterator[str]:
    """What stands between `opening` and the next `closing` on the same line: findall(opening + "(.*?)" + closing).

    least: how many characters must stand there, 1 for "(.+?)".
    """
    closings, newlines, position = Ahead(text, closing), Ahead(text, "\n"), 0
    while found := opening.search(text, position):
        start = found.end()
        end = closings.of(start + least)
        if end > len(text):
            return
        if newlines.of(start) < end:
            position = found.start() + 1
        else:
            yield text[start:end]
            position = end + len(closing)
