"""Read Python and JSON literals out of a text by hand: never `eval`, never a number too long to convert."""

from __future__ import annotations

import math
import re
from typing import Final, Self

from toolcalls.answers import Call, Json
from toolcalls.limits import LIMITS, Limits
from toolcalls.plain_json import read_plain_json

_SPACE: Final = re.compile(r"\s*")
_NUMBER: Final = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(\.[0-9]*)?|(\.[0-9]+))([eE][-+]?[0-9]+)?")
_WORD_MARKS: Final = frozenset("TtFfNn")
LITERAL_WORD: Final = re.compile(r"(?:[Tt]rue|[Ff]alse|None|null)(?!\w)")
_WORD: Final = re.compile(r"\w")
_PLAIN: Final = {'"': re.compile(r'[^"\\]*'), "'": re.compile(r"[^'\\]*")}
_ESCAPES: Final = dict(zip("ntrbfva", "\n\t\r\b\f\v\a", strict=True)) | {mark: mark for mark in "\\/\"'"} | {"\n": ""}
_CODE_LENGTHS: Final = {"x": 2, "u": 4, "U": 8}
CUT: Final = re.compile(r"[\w.+-]*\s*\Z")
_CONTROL: Final = re.compile(r"[\0-\x1f]")
_JSON_ESCAPES: Final = frozenset('"\\/bfnrtu')
_JSON_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_KEY: Final = re.compile(r"[^\W\d]\w*+(?=\s*:)")
_JSON_WORDS: Final = {"true", "false", "null"}
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_WORDS: Final[dict[str, Json]] = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}


def digits_in(number: str) -> int:
    return sum(map(number.count, "0123456789"))


class Unreadable(Exception):
    """The text is not what the form asks for at this position; `parse` turns it into a ParseFailure.

    `final`: no other reading can help, for the text was cut off or a limit passed.
    """

    def __init__(self, reason: str, position: int, *, final: bool = False) -> None:
        super().__init__(reason)
        self.position = position
        self.final = final


class NoCall(Exception):
    """What stands here looks like a call and is none: a tool's definition, or data."""


class Reader:
    """A position in a text that only moves forward. Every method raises Unreadable where the text is something else."""

    __slots__ = ("count", "depth", "json", "limits", "position", "strict", "text", "tolerated")

    def __init__(self, text: str, limits: Limits = LIMITS, *, strict: bool = False) -> None:
        self.text = text
        self.position = 0
        self.limits = limits
        self.strict = strict  # whether to refuse what a tolerant reading looks past
        self.tolerated: list[str] = []  # what was looked past, each word once, in the order of the text
        self.depth = limits.depth  # how many more lists and dicts may be opened
        self.count = 0  # of calls read
        self.json = False  # whether values must be JSON, or else are tolerated as "python dict" or "loose json"

    def begin(self, position: int, count: int) -> None:
        """Start again at a position, after so many calls that count for the limit."""
        self.position, self.count, self.depth = position, count, self.limits.depth
        self.tolerated, self.json = [], False

    def unreadable(self, reason: str) -> Unreadable:
        """What to raise here; of a text that ends within the word at this position it says that it was cut off."""
        if CUT.match(self.text, self.position):
            return Unreadable(f"cut off: {reason}", self.position, final=True)
        return Unreadable(reason, self.position)

    def limited(self, reason: str) -> Unreadable:
        """What to raise here for a limit passed, or what no other reading may look past."""
        return Unreadable(reason, self.position, final=True)

    def tolerate(self, what: str) -> None:
        """Look past `what`, a short fixed word such as "trailing comma"; Unreadable of a strict reader."""
        if self.strict:
            raise self.unreadable(f"{what}: not the form's own spelling")
        if what not in self.tolerated:
            self.tolerated.append(what)

    def call(self, name: Json, arguments: Json) -> Call:
        """Make a call of what was read just before this position, within the limits of names and of the number of calls."""
        if not isinstance(name, str) or not name.strip():
            raise self.unreadable("a call without a tool's name")
        if not isinstance(arguments, dict):
            raise self.unreadable("arguments that are no object")
        if len(name) > self.limits.name:
            raise self.limited(f"a tool's name of more than {self.limits.name} characters")
        if any(len(parameter) > self.limits.name for parameter in arguments):
            raise self.limited(f"a parameter's name of more than {self.limits.name} characters")
        if self.count == self.limits.calls:
            raise self.limited(f"more than {self.limits.calls} calls")
        self.count += 1
        return Call(name, arguments)

    def inside(self, text: str) -> Self:
        """A reader of a text that stood inside a string here. Its positions are its own; its calls are to be counted here."""
        inner = type(self)(text, self.limits, strict=self.strict)
        inner.depth, inner.tolerated, inner.count = self.depth, self.tolerated, self.count
        return inner

    def embedded(self, text: str, position: int) -> Json:
        """Read a JSON value that is the whole of `text`, a string read at `position`, where failures point to."""
        inner = self.inside(text)
        try:
            inner.skip_space()
            value = inner.json_value()
            inner.skip_space()
            if not inner.at_end():
                raise inner.unreadable("text after a value inside a string")
        except Unreadable as failure:
            raise Unreadable(str(failure).removeprefix("cut off: "), position, final=failure.final) from None
        return value

    def plain_json(self, depth: int = 0) -> Json:
        """Read a value in the quick way, which may be `depth` deeper than others; None of null, and where that way is barred."""
        found = read_plain_json(self.text, self.position, self.depth + depth) if self.limits is LIMITS else None
        if found is None or found[0] is None:
            return None
        self.position = found[1]
        return found[0]

    def json_value(self) -> Json:
        """Read one value as JSON; Python's literals in its place are tolerated as "python dict", its slips as "loose json"."""
        plain = self.plain_json()
        if plain is not None:
            return plain
        before, self.json = self.json, True
        value = self.value()
        self.json = before
        return value

    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def skip_space(self) -> None:
        text, position = self.text, self.position
        if " " < text[position : position + 1] <= "~":
            return  # the usual cases, without a pattern
        if text[position : position + 1] == " " and " " < text[position + 1 : position + 2] <= "~":
            self.position += 1
            return
        self.position = _SPACE.match(self.text, self.position).end()  # type: ignore[union-attr]  # matches everywhere

    def accept(self, mark: str) -> bool:
        """Move over `mark` if it stands here."""
        end = self.position + len(mark)
        if self.text[self.position : end] != mark:
            return False
        self.position = end
        return True

    def expect(self, mark: str) -> None:
        if not self.accept(mark):
            if mark.startswith(self.text[self.position : self.position + len(mark)]):
                self.position = len(self.text)  # the mark was cut off
            found = repr(self.text[self.position]) if not self.at_end() else "the end"
            raise self.unreadable(f"{mark!r} expected, found {found}")

    def value(self) -> Json:
        """Read one literal: string, number, True/true, None/null, list or dict with string keys."""
        mark = self.text[self.position : self.position + 1]
        if mark in ("'", '"'):
            return self.string()
        if mark == "[":
            return self._list()
        if mark == "{":
            return self._dict()
        if mark in _WORD_MARKS and (word := LITERAL_WORD.match(self.text, self.position)):
            if self.json and word[0] not in _JSON_WORDS:
                self.tolerate("python dict")
            self.position = word.end()
            return _WORDS[word[0]]
        return self._number()

    def string(self) -> str:
        """Read a string in single or double quotes with Python's and JSON's escapes; an unknown escape stays as written."""
        quote = self.text[self.position : self.position + 1]
        if quote not in _PLAIN:
            raise self.unreadable("a string expected")
        json = self.json and quote == '"'
        if self.json and not json:
            self.tolerate("python dict")
        self.position += 1
        parts: list[str] = []
        while True:
            plain = _PLAIN[quote].match(self.text, self.position)
            assert plain is not None  # the pattern matches everywhere
            parts.append(plain[0])
            if json and _CONTROL.search(plain[0]):
                self.tolerate("loose json")
            self.position = plain.end()
            if self.accept(quote):
                break
            if self.at_end():
                raise self.unreadable("a string without its closing quote")
            if json and self.text[self.position + 1 : self.position + 2] not in _JSON_ESCAPES:
                self.tolerate("loose json")
            parts.append(self._escape())
        return self.checked("".join(parts))

    def key(self) -> str:
        """Read the key of an object; a word without quotes is tolerated in JSON."""
        if self.json and (word := _KEY.match(self.text, self.position)):
            self.tolerate("unquoted key")
            self.position = word.end()
            return word[0]
        return self.string()

    def checked(self, text: str) -> str:
        """Join surrogate pairs; refuse what no database can store."""
        if not text.isascii() and _SURROGATE.search(text):
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
        if len(found[0]) > self.limits.digits and digits_in(found[0]) > self.limits.digits:
            raise self.limited(f"a number of more than {self.limits.digits} digits")
        whole = not (found[1] or found[2] or found[3])
        number = int(found[0]) if whole else float(found[0])
        if not math.isfinite(number):
            raise self.unreadable("a number too large")
        if self.json and not _JSON_NUMBER.fullmatch(found[0]):
            self.tolerate("loose json")
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
        if comma and self.json and self.text.startswith(end, self.position):
            self.tolerate("trailing comma")
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
            key = self.key()
            if key in values:
                raise self.limited(f"key {key!r} given twice")
            self.skip_space()
            self.expect(":")
            self.skip_space()
            values[key] = self.value()
            self._more("}")
        self.depth += 1
        return values
