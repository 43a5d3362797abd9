"""Values as models write them in code: names, calls, sums and tuples stay text as written; nothing is ever evaluated."""

from __future__ import annotations

import math
import re
import sys
from typing import Final

from toolcalls.answers import Json
from toolcalls.limits import LIMITS, Limits
from toolcalls.literals import CUT, LITERAL_WORD, Reader, Unreadable, digits_in
from toolcalls.plain_lists import NESTED, Ahead, plain_value
from toolcalls.storing import is_storable

_ENDS: Final = frozenset(",)]}")
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_INERT: Final = re.compile(r"(?:lambda\b[\w ,*=]{0,256}+:|[^\s\"'()\[\]{},=:;]++|[=!<>]=|=>|[ \t]++|\s++(?=[,)\]}]))++")
_STRING: Final = {'"': re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL), "'": re.compile(r"'(?:[^'\\]|\\.)*+'", re.DOTALL)}
_SIMPLE_STRING: Final = re.compile(r"(?!\"\"\")\"[^\"\\]*+\"|(?!''')'[^'\\]*+'(?!\w)")
_LONG_STRING: Final = {mark * 3: re.compile(rf"{mark * 3}(.*?){mark * 3}", re.DOTALL) for mark in "\"'"}
_PREFIX: Final = re.compile(r"[rRuU](?=[\"'])")
_PYTHON_INTEGER: Final = re.compile(
    r"[-+]?(?:0[xX](?:_?[0-9a-fA-F])++|0[oO](?:_?[0-7])++|0[bB](?:_?[01])++|[1-9][0-9]*+(?:_[0-9]+)+)(?!\w|\.)"
)
_NO_SOURCE: Final = re.compile(rf"{LITERAL_WORD.pattern}|{_PREFIX.pattern}|{CUT.pattern}")  # a word, but none of an expression
_PREFIXES, _CURLY_QUOTES, _SIGNS_AND_DIGITS = frozenset("rRuU"), frozenset("“‘"), frozenset("-+0123456789")
_NUMBERS: Final = frozenset("-+.0123456789")
_NUMBER_LIKE: Final = re.compile(r"[-+\s]*+(?:[0-9][0-9_]*+\.?[0-9_]*+|\.[0-9][0-9_]*+)(?:[eE][-+]?[0-9_]*+)?[jJ]?")
_SPACED_NUMBER: Final = re.compile(
    r"([-+]?)\s*+((?:0|[1-9](?:_?[0-9])*+)(?:\.(?:[0-9](?:_?[0-9])*+)?)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)"
)
_CURLY: Final = re.compile(r"“[^“”\n]*+”|‘[^‘’\n]*+’(?=\s*[,)\]}])")
_COMMENTS: Final = re.compile(r"(?:\s*#[^\n]*)+\s*")
_PLACEHOLDERS: Final = frozenset("?<")
_PLACEHOLDER: Final = re.compile(r"\?+|<[^<>]*>")
_STRAY: Final = re.compile(r"[\0\ud800-\udfff]")


def _is_word(mark: str) -> bool:
    return "a" <= mark <= "z" or "A" <= mark <= "Z"


class LooseReader(Reader):
    """A reader that keeps as text what is no literal, and looks past what Python's own reader does. Not in charge of JSON."""

    __slots__ = ("_closed", "_is_plain", "_to_stride", "ahead")

    def __init__(self, text: str, limits: Limits = LIMITS, *, strict: bool = False) -> None:
        super().__init__(text, limits, strict=strict)
        self.ahead: Ahead | None = None  # a stride that was made before
        self._is_plain = limits is LIMITS and is_storable(text)  # whether the fast road may be taken
        self._to_stride = 2_048 + 8 * len(text) if self._is_plain else 0  # characters
        self._closed: dict[int, int] = {}  # where the bracket that opens at a position was seen to close

    def may_stride(self) -> bool:
        """Whether the fast road may be tried from here on; not without end, for it looks at more text than it moves over."""
        if self.depth != LIMITS.depth or self._to_stride <= 0:
            return False
        self._to_stride -= len(self.text) - self.position
        return True

    def skip_space(self) -> None:
        if "#" < self.text[self.position : self.position + 1] <= "~":
            return  # the usual case
        super().skip_space()
        if self.text[self.position : self.position + 1] == "#" and (found := _COMMENTS.match(self.text, self.position)):
            self.tolerate("comment")
            self.position = found.end()

    def value(self) -> Json:
        """Read one value; of what is no literal, its source up to the next comma or closing bracket."""
        if self.json:
            return super().value()
        start, depth = self.position, self.depth
        if self._is_plain and depth >= NESTED and (plain := plain_value(self.text, start)):
            self.position = plain[1]
            self.skip_space()
            return plain[0]
        mark = self.text[start : start + 1]
        if _is_word(mark) and not _NO_SOURCE.match(self.text, start):
            return self._source(start)
        try:
            value = self._loosely(mark)
        except Unreadable as failure:
            if failure.final:
                raise
            self.depth = depth
            return self._source(start)
        self.skip_space()
        return value if self.at_end() or self.text[self.position] in _ENDS else self._source(start)

    def _loosely(self, mark: str) -> Json:
        if mark in ("'", '"'):
            return self._strings()
        if mark == "(":
            return self._parentheses()
        if mark in _PREFIXES and (prefix := _PREFIX.match(self.text, self.position)):
            return self._prefixed(prefix[0])
        if mark in _CURLY_QUOTES and (curly := _CURLY.match(self.text, self.position)):
            self.tolerate("curly quotes")
            self.position = curly.end()
            return self.checked(curly[0][1:-1])
        if mark in _SIGNS_AND_DIGITS and (number := _PYTHON_INTEGER.match(self.text, self.position)):
            return self._python_integer(number)
        return super().value()

    def string(self) -> str:
        """Read a string; a single quote between letters does not close one in single quotes."""
        quote = self.text[self.position : self.position + 1]
        parts = [super().string()]
        while (
            quote == "'" and not self.json and parts[-1][-1:].isalnum() and self.text[self.position : self.position + 1].isalpha()
        ):
            self.tolerate("unescaped quote")
            self.position -= 1
            parts += ["'", super().string()]
        return "".join(parts)

    def _strings(self) -> str:
        """Read a string, one in triple quotes, or several that Python joins."""
        parts: list[str] = []
        while self.text.startswith(("'", '"'), self.position):
            if simple := _SIMPLE_STRING.match(self.text, self.position):
                self.position = simple.end()
                parts.append(self.checked(simple[0][1:-1]))
            else:
                mark = self.text[self.position : self.position + 3]
                parts.append(self._long_string(mark) if mark in _LONG_STRING else self.string())
            end = self.position
            self.skip_space()
        self.position = end
        if len(parts) > 1:
            self.tolerate("joined strings")
        return "".join(parts)

    def _long_string(self, mark: str) -> str:
        found = _LONG_STRING[mark].match(self.text, self.position)
        if found is None:
            self.position = len(self.text)
            raise self.unreadable("a string without its closing quotes")
        self.tolerate("triple quotes")
        self.position = found.end()
        return self.checked(found[1])

    def _prefixed(self, prefix: str) -> str:
        """Read `r"…"`, whose escapes stand as written, or `u"…"`."""
        self.tolerate("string prefix")
        self.position += 1
        if prefix in "uU":
            return self.string()
        found = _STRING[self.text[self.position]].match(self.text, self.position)
        if found is None:
            self.position = len(self.text)
            raise self.unreadable("a string without its closing quote")
        self.position = found.end()
        return self.checked(found[0][1:-1])

    def _python_integer(self, found: re.Match[str]) -> int:
        if len(found[0]) > self.limits.digits:
            raise Unreadable(f"a number of more than {self.limits.digits} digits", self.position, final=True)
        self.tolerate("python number")
        self.position = found.end()
        return int(found[0], 0)

    def _open(self) -> None:
        if self.depth == 0 and not self.json:
            self.tolerate("nested too deep")
        super()._open()

    def _parentheses(self) -> Json:
        """Read `(value)`, or a tuple as a list."""
        self._open()
        values: list[Json] = []
        comma = False
        while not self.accept(")"):
            values.append(self.value())
            comma = self._more(")")
        self.depth += 1
        plain = len(values) == 1 and not comma
        self.tolerate("parentheses" if plain else "tuple")
        return values[0] if plain else values

    def checked(self, text: str) -> str:
        """Put the replacement character where no database could store what is written."""
        try:
            return super().checked(text)
        except Unreadable:
            self.tolerate("replaced character")
            return _STRAY.sub("\N{REPLACEMENT CHARACTER}", text)

    def _odd_number(self, source: str, start: int) -> Json:
        """Read a number as Python has it, apart from its sign or too large for it; anything else like a number is no text."""
        found = _SPACED_NUMBER.fullmatch(source)
        if found is None:
            raise Unreadable("a malformed number", start, final=True)
        if digits_in(source) > self.limits.digits:
            raise Unreadable(f"a number of more than {self.limits.digits} digits", start, final=True)
        digits = found[2].replace("_", "")
        number = int(digits) if digits.isdigit() else float(digits)
        self.tolerate("python number" if math.isfinite(number) else "number too large")
        number = min(number, sys.float_info.max) if isinstance(number, float) else number
        return -number if found[1] == "-" else number

    def _source(self, start: int) -> Json:
        """Take the text from `start` up to the comma or the bracket that ends it."""
        self.position = _PIECES.match(self.text, start).end()  # type: ignore[union-attr]  # matches everywhere
        while not self.at_end() and self.text[self.position] not in _ENDS:
            self._piece()
        source = self.text[start : self.position].strip()
        if not source:
            raise self.unreadable("a value that is no literal")
        if self.at_end():
            raise self.unreadable("a value without its end")
        if source[0] in _PLACEHOLDERS and _PLACEHOLDER.fullmatch(source):
            raise Unreadable("a placeholder for a value", start, final=True)
        if source[0] in _NUMBERS and _NUMBER_LIKE.fullmatch(source):
            return self._odd_number(source, start)
        self.tolerate("unquoted text" if source.isidentifier() else "expression")
        return self.checked(source)

    def _piece(self) -> None:
        """Move over one run of plain marks, one string or one pair of brackets."""
        mark = self.text[self.position]
        if mark in _STRING:
            self._skip_string(mark)
        elif flat := _FLAT_BRACKETS.match(self.text, self.position):
            self.position = flat.end()
        elif mark in _CLOSING:
            self._skip_brackets()
        elif found := _INERT.match(self.text, self.position):
            self.position = found.end()
        else:
            raise self.unreadable("a value that is no literal")

    def _skip_string(self, mark: str) -> None:
        found = _STRING[mark].match(self.text, self.position)
        if found is None:
            self.position = len(self.text)
            raise self.unreadable("a string without its closing quote")
        self.position = found.end()

    def _skip_brackets(self) -> None:
        """Move over a bracket and all that it holds, whatever that is."""
        opened: list[int] = []
        while True:
            if self.at_end():
                raise self.unreadable("a bracket without its end")
            mark = self.text[self.position]
            if mark in _CLOSING and self.position in self._closed:
                self.position = self._closed[self.position] + 1
            elif mark in _CLOSING:
                opened.append(self.position)
                self.position += 1
            elif mark in ")]}":
                if _CLOSING[self.text[opened[-1]]] != mark:
                    raise Unreadable(f"{_CLOSING[self.text[opened[-1]]]!r} expected, found {mark!r}", self.position, final=True)
                self._closed[opened.pop()] = self.position
                self.position += 1
            elif mark in _STRING:
                self._skip_string(mark)
            else:
                self.position = _OTHERS.match(self.text, self.position).end()  # type: ignore[union-attr]  # not at a mark
            if not opened:
                return


_FLAT_BRACKETS: Final = re.compile(r"\([^\"'()\[\]{}]*+\)|\[[^\"'()\[\]{}]*+\]|\{[^\"'()\[\]{}]*+\}")
_PIECES: Final = re.compile(
    rf"(?:{_STRING[chr(34)].pattern}|{_STRING[chr(39)].pattern}|{_FLAT_BRACKETS.pattern}|{_INERT.pattern})*+", re.DOTALL
)
_OTHERS: Final = re.compile(r"[^\"'()\[\]{}]+")
