"""Read Python and JSON literals out of a text by hand: never `eval`, never a number too long to convert."""

from __future__ import annotations

import math
import re

from toolcalls.answers import Json

_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(\.[0-9]*)?|(\.[0-9]+))([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"\w+")
_PLAIN = {'"': re.compile(r'[^"\\]*'), "'": re.compile(r"[^'\\]*")}
_ESCAPES = dict(zip("ntrbfva", "\n\t\r\b\f\v\a", strict=True)) | {mark: mark for mark in "\\/\"'"} | {"\n": ""}
_CODE_LENGTHS = {"x": 2, "u": 4, "U": 8}
_HEX = re.compile(r"[0-9a-fA-F]+")
_WORDS: dict[str, Json] = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}


class Unreadable(Exception):
    """The text is not what the form asks for at this position; `parse` turns it into a ParseFailure."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.position = position


class Reader:
    """A position in a text that only moves forward. Every method raises Unreadable where the text is something else."""

    __slots__ = ("depth", "digits", "position", "text")

    def __init__(self, text: str, depth: int, digits: int) -> None:
        self.text = text
        self.position = 0
        self.depth = depth  # how many more lists and dicts may be opened
        self.digits = digits  # of one number

    def unreadable(self, reason: str) -> Unreadable:
        return Unreadable(reason, self.position)

    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def skip_space(self) -> None:
        self.position = _SPACE.match(self.text, self.position).end()  # type: ignore[union-attr]  # matches everywhere

    def accept(self, mark: str) -> bool:
        """Move over `mark` if it stands here."""
        if not self.text.startswith(mark, self.position):
            return False
        self.position += len(mark)
        return True

    def expect(self, mark: str) -> None:
        if not self.accept(mark):
            found = repr(self.text[self.position]) if not self.at_end() else "the end"
            raise self.unreadable(f"{mark!r} expected, found {found}")

    def parameter(self, pattern: re.Pattern[str], longest: int) -> str:
        """Read `name=` and return the name."""
        found = pattern.match(self.text, self.position)
        if found is None:
            raise self.unreadable("a positional argument")
        name = found[1].strip()
        if len(name) > longest:
            raise self.unreadable(f"a parameter's name of more than {longest} characters")
        self.position = found.end()
        return name

    def value(self) -> Json:
        """Read one literal: string, number, True/true, None/null, list or dict with string keys."""
        mark = self.text[self.position : self.position + 1]
        if mark in ("'", '"'):
            return self.string()
        if mark == "[":
            return self._list()
        if mark == "{":
            return self._dict()
        if (word := _WORD.match(self.text, self.position)) and word[0] in _WORDS:
            self.position = word.end()
            return _WORDS[word[0]]
        return self._number()

    def string(self) -> str:
        """Read a string in single or double quotes with Python's and JSON's escapes; an unknown escape stays as written."""
        quote = self.text[self.position : self.position + 1]
        if quote not in _PLAIN:
            raise self.unreadable("a string expected")
        self.position += 1
        parts: list[str] = []
        while True:
            plain = _PLAIN[quote].match(self.text, self.position)
            assert plain is not None  # the pattern matches everywhere
            parts.append(plain[0])
            self.position = plain.end()
            if self.accept(quote):
                break
            if self.at_end():
                raise self.unreadable("a string without its closing quote")
            parts.append(self._escape())
        return self._checked("".join(parts))

    def _checked(self, text: str) -> str:
        """Join surrogate pairs; refuse what no database can store."""
        if not text.isascii() and any("\ud800" <= mark <= "\udfff" for mark in text):
            try:
                text = text.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                raise self.unreadable("half of a surrogate pair") from None
        if "\0" in text:
            raise self.unreadable("a NUL character")
        return text

    def _escape(self) -> str:
        kind = self.text[self.position + 1 : self.position + 2]
        if kind not in _CODE_LENGTHS:
            self.position += 1 + len(kind)
            return _ESCAPES.get(kind, "\\" + kind)
        digits = self.text[self.position + 2 : self.position + 2 + _CODE_LENGTHS[kind]]
        if len(digits) < _CODE_LENGTHS[kind] or not _HEX.fullmatch(digits) or int(digits, 16) > 0x10FFFF:
            raise self.unreadable("a broken character escape")
        self.position += 2 + len(digits)
        return chr(int(digits, 16))

    def _number(self) -> int | float:
        found = _NUMBER.match(self.text, self.position)
        if found is None or _WORD.match(self.text, found.end()):
            raise self.unreadable("a value that is no literal")
        if sum(map(str.isdigit, found[0])) > self.digits:
            raise self.unreadable(f"a number of more than {self.digits} digits")
        whole = not (found[1] or found[2] or found[3])
        number = int(found[0]) if whole else float(found[0])
        if not math.isfinite(number):
            raise self.unreadable("a number too large")
        self.position = found.end()
        return number

    def _open(self) -> None:
        if self.depth == 0:
            raise self.unreadable("lists and dicts nested too deep")
        self.depth -= 1
        self.position += 1
        self.skip_space()

    def _more(self, end: str) -> bool:
        """After an element: move over `,` (true unless only the end follows) or stand before the end (false)."""
        self.skip_space()
        comma = self.accept(",")
        self.skip_space()
        if not comma and not self.text.startswith(end, self.position):
            raise self.unreadable(f"',' or {end!r} expected")
        return comma

    def _list(self) -> list[Json]:
        self._open()
        values: list[Json] = []
        while not self.accept("]"):
            values.append(self.value())
            self._more("]")
        self.depth += 1
        return values

    def _dict(self) -> dict[str, Json]:
        self._open()
        values: dict[str, Json] = {}
        while not self.accept("}"):
            key = self.string()
            if key in values:
                raise self.unreadable(f"key {key!r} given twice")
            self.skip_space()
            self.expect(":")
            self.skip_space()
            values[key] = self.value()
            self._more("}")
        self.depth += 1
        return values
