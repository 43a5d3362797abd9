"""The fast road mark by mark: `plain_patterns.stride` without patterns, which is the quicker of the two where this is compiled.

Both move over what is plain, up to where the thorough road must look closer; which of them moves how far makes no difference.
"""

from __future__ import annotations

from typing import Final

from toolcalls.answers import Call, Json
from toolcalls.limits import LIMITS
from toolcalls.plain_values import NESTED, TO_THE_END, WORDS, Stop, unescaped

_NOT_PLAIN: Final = object()
_LONGEST: Final = LIMITS.name
_WORD: Final = 128  # letters of one word of a name
_MOST_WORDS: Final = 8


def stride(
    text: str, start: int, calls: list[Call], arguments: dict[str, Json] | None, most: int, *, alone: bool = False
) -> Stop:
    """Do what `plain_patterns.stride` does."""
    marks = Marks(text, start)
    opened = -1  # where the name begins of a call that has no arguments yet
    while True:
        if arguments is None:
            begin, end = marks.position, marks.name_end()
            if end < 0 or marks.mark(end) != 40 or end - begin > _LONGEST or len(calls) == most:
                return Stop(begin, None, False, False)
            arguments = {}
            calls.append(Call(text[begin:end], arguments))
            opened = begin
            marks.position = end + 1
            marks.skip_space()
        begin = marks.position
        if marks.mark(begin) != 41:
            if marks.argument(arguments):
                opened = -1
                continue
            if opened >= 0 and not marks.named:
                calls.pop()  # what opens the call may be a part of its name
                return Stop(opened, None, False, False)
            return Stop(begin, arguments, False, False)
        marks.position += 1
        if alone:
            return Stop(marks.position, None, False, True)
        mark = marks.mark(marks.position)
        if mark == 93:
            marks.position += 1
            return TO_THE_END if marks.position == len(text) else Stop(marks.position, None, False, True)
        if mark != 44 or not marks.comma("]"):
            if opened >= 0:
                calls.pop()
                return Stop(opened, None, False, False)
            return Stop(begin + 1, None, True, False)
        arguments, opened = None, -1


def plain_value(text: str, start: int) -> tuple[Json, int] | None:
    """Do what `plain_patterns.plain_value` does."""
    marks = Marks(text, start)
    value = marks.value(NESTED)
    end = marks.position
    if value is _NOT_PLAIN:
        return None
    marks.skip_space()
    return (value, end) if marks.mark(marks.position) in (41, 44, 93, 125) else None


class Marks:
    """A position in a text, and what is plain there. A method that meets what is not leaves the position anywhere."""

    __slots__ = ("end", "named", "position", "text")

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position
        self.end = len(text)
        self.named = False  # whether the last argument has a name and an equals sign

    def mark(self, position: int) -> int:
        """The code of the character there, 0 outside of the text."""
        return ord(self.text[position]) if 0 <= position < self.end else 0

    def skip_space(self) -> None:
        text, position, end = self.text, self.position, self.end
        while position < end and ord(text[position]) in (32, 10, 13, 9):
            position += 1
        self.position = position

    def name_end(self) -> int:
        """Where the name ends that begins here, words of letters and digits with a space between; -1 where there is none."""
        text, position, end, words = self.text, self.position, self.end, 0
        while True:
            begin = position
            mark = ord(text[position]) if position < end else 0
            if not (97 <= mark <= 122 or 65 <= mark <= 90 or mark == 95):
                return position - 1 if words else -1
            while 97 <= mark <= 122 or 65 <= mark <= 90 or mark == 95 or 48 <= mark <= 57 or mark == 46 or mark == 45:
                position += 1
                mark = ord(text[position]) if position < end else 0
            words += 1
            if position - begin > _WORD or words > _MOST_WORDS:
                return -1
            if mark != 32:
                return position
            position += 1

    def comma(self, end: str) -> bool:
        """Move over a comma and the space behind it; whether what follows is neither a comment nor one of these marks."""
        self.position += 1
        self.skip_space()
        if self.position >= self.end:
            return False
        mark = self.text[self.position]
        return mark != end and mark != "#" and " " < mark <= "~"

    def argument(self, arguments: dict[str, Json]) -> bool:
        """Read an argument and the comma behind it; whether both are plain."""
        begin, end = self.position, self.name_end()
        after = end + (self.mark(end) == 32)
        self.named = end >= 0 and self.mark(after) == 61 and self.mark(after + 1) != 61
        if not self.named:
            return False
        name = self.text[begin:end]
        if name in arguments or end - begin > _LONGEST:
            return False
        self.position = after + 1
        self.skip_space()
        value = self.value(NESTED)
        if value is _NOT_PLAIN:
            return False
        self.skip_space()
        mark = self.mark(self.position)
        if mark != 41 and (mark != 44 or not self.comma(")")):
            return False
        arguments[name] = value
        return True

    def value(self, depth: int) -> Json:
        """Read a value of so many lists and dicts in each other at most."""
        mark = self.mark(self.position)
        if mark in (34, 39):
            text = self._string(mark)
            return _NOT_PLAIN if text is None else text
        if mark == 45 or 48 <= mark <= 57:
            return self._number()
        if mark == 91:
            return self._list(depth) if depth else _NOT_PLAIN
        if mark == 123:
            return self._dict(depth) if depth else _NOT_PLAIN
        for length in (4, 5):
            word = self.text[self.position : self.position + length]
            if word in WORDS:
                self.position += length
                return WORDS[word]
        return _NOT_PLAIN

    def _string(self, quote: int) -> str | None:
        """Read a string in these quotes; None of one that is not plain."""
        text, start = self.text, self.position
        end = text.find('"' if quote == 34 else "'", start + 1)
        if end < 0:
            return None
        escape = text.find("\\", start + 1, end)
        if escape < 0:
            self.position = end + 1
            return text[start + 1 : end]
        while (mark := self.mark(escape)) != quote:
            if not mark:
                return None
            escape += 2 if mark == 92 else 1
        self.position = escape + 1
        try:
            return unescaped(text[start : escape + 1])
        except ValueError:
            return None

    def _digits(self, most: int) -> bool:
        """Move over digits; whether there are any, and no more than so many."""
        start = self.position
        while 48 <= self.mark(self.position) <= 57 and self.position - start <= most:
            self.position += 1
        return 0 < self.position - start <= most

    def _number(self) -> Json:
        start = self.position
        if self.mark(start) == 45:
            self.position += 1
        zero = self.mark(self.position) == 48
        begin = self.position
        if not self._digits(18) or (zero and self.position - begin > 1):
            return _NOT_PLAIN
        whole = True
        if self.mark(self.position) == 46:
            self.position += 1
            whole = False
            if not self._digits(17):
                return _NOT_PLAIN
        if self.mark(self.position) in (69, 101):
            self.position += 1
            whole = False
            if self.mark(self.position) in (43, 45):
                self.position += 1
            if not self._digits(2):
                return _NOT_PLAIN
        source = self.text[start : self.position]
        return int(source) if whole else float(source)

    def _list(self, depth: int) -> Json:
        values: list[Json] = []
        self.position += 1
        self.skip_space()
        if self.mark(self.position) == 93:
            self.position += 1
            return values
        while True:
            value = self.value(depth - 1)
            if value is _NOT_PLAIN:
                return _NOT_PLAIN
            values.append(value)
            self.skip_space()
            mark = self.mark(self.position)
            self.position += 1
            if mark == 93:
                return values
            if mark != 44:
                return _NOT_PLAIN
            self.skip_space()

    def _dict(self, depth: int) -> Json:
        values: dict[str, Json] = {}
        self.position += 1
        self.skip_space()
        if self.mark(self.position) == 125:
            self.position += 1
            return values
        while True:
            quote = self.mark(self.position)
            key = self._string(quote) if quote in (34, 39) else None
            if key is None or key in values:
                return _NOT_PLAIN
            self.skip_space()
            if self.mark(self.position) != 58:
                return _NOT_PLAIN
            self.position += 1
            self.skip_space()
            value = self.value(depth - 1)
            if value is _NOT_PLAIN:
                return _NOT_PLAIN
            values[key] = value
            self.skip_space()
            mark = self.mark(self.position)
            self.position += 1
            if mark == 125:
                return values
            if mark != 44:
                return _NOT_PLAIN
            self.skip_space()
