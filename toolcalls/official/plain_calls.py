"""Calls of plain values, `[f(a=1, b=['x'])]`, read without Python's parser, which takes four times as long: most outputs.

What is read is what `python_calls.Resolver` makes of it; `tests/toolcalls/official/test_plain_calls.py` holds the two together.
"""

from __future__ import annotations

import keyword
import re
from typing import Any

NamedCall = dict[str, dict[str | None, Any]]  # {name: {parameter: value}}, always one name

LONGEST = 2**18  # characters of an output; the originals have no limit
_DEPTH = 32  # lists and dicts in each other
_SPACE = r"[ \n\r\t]*"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_WHOLE = r"-?(?:0|[1-9][0-9]{0,17})"
_HEX = r"-?0[xX][0-9a-fA-F]{1,15}"
_POWER = r"[eE][-+]?[0-9]{1,3}"
_ESCAPE = r"\\(?:['\"\\nrt]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})"


def _text(quote: str) -> str:
    letters = rf"[^{quote}\\\n\r\0\ud800-\udfff]*"
    return f"{quote}({letters}(?:{_ESCAPE}{letters})*){quote}"


_NUMBER = rf"({_WHOLE}|{_HEX})|({_WHOLE}(?:\.[0-9]{{1,30}}(?:{_POWER})?|{_POWER}))"
_SCALAR = rf"""(?:{_text("'")}|{_text('"')}|{_NUMBER}|({_NAME}|\.\.\.))"""
_CALL = rf"{_NAME}(?:\.{_NAME})*\("
_VALUE = rf"{_SPACE}(?:{_SCALAR}{_SPACE}([,:)\]}}])|([\[{{(]|{_CALL}))"  # with the mark behind it, or what opens it
_ITEM = re.compile(_VALUE)
_ARGUMENT = re.compile(rf"{_SPACE}({_NAME}){_SPACE}={_VALUE}")
_OPENING = re.compile(rf"{_SPACE}({_CALL})")
_MARK = re.compile(rf"{_SPACE}([,:)\]}}])")
_REST = re.compile(r"[ \t]*(?:#[^\n\r\0\ud800-\udfff]*)?\Z")
_ESCAPED = re.compile(r"\\(?:x(..)|u(....)|(.))")
_MEANT = {"n": "\n", "r": "\r", "t": "\t"}
_RESERVED = frozenset((*keyword.kwlist, "__debug__"))
_CONSTANTS = {"True": True, "False": False, "None": None}


class NotPlain(Exception):
    """The text is not just calls of plain values: Python's parser is to say what it is."""


class NoCall(Exception):
    """The text is a list of which something is no call, or cannot be read."""


def plain_calls(source: str) -> list[NamedCall]:
    """The calls of a list, which begins with the first character. Raises NotPlain and NoCall."""
    if len(source) > LONGEST:
        raise NotPlain
    reader, calls = _Reader(source), []
    while opening := _OPENING.match(source, reader.at):
        reader.at = opening.end()
        calls.append(reader.call(opening[1][:-1], _DEPTH))
        mark = reader.mark()
        if mark == "]" and _REST.match(source, reader.at):
            return calls
        if mark != ",":
            raise NotPlain
    if (mark := reader.mark()) == "]" and _REST.match(source, reader.at):
        return calls  # of none, or after a last comma
    if mark or source[reader.at :].lstrip().startswith("("):  # which a call may stand in
        raise NotPlain
    if reader.value(_DEPTH)[1] in ("]", ",") and "#" not in source:
        raise NoCall  # whatever comes, its end is a bracket, and no comment: it cannot make a call of the list
    raise NotPlain


class _Reader:
    """Reads from the left; `at` is where it stands. All methods raise NotPlain."""

    __slots__ = ("at", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 1

    def mark(self) -> str:
        """The mark that comes next, "" where there is none."""
        found = _MARK.match(self.source, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[1]

    def call(self, name: str, depth: int) -> NamedCall:
        """`a=1, b=2)`; of a parameter given twice the last value stays, at the first one's place."""
        if not _RESERVED.isdisjoint(name.split(".")):
            raise NotPlain
        arguments: dict[str | None, Any] = {}
        mark: str | None = ","
        while mark == "," and (found := _ARGUMENT.match(self.source, self.at)):
            parameter, *written, mark, opening = found.groups()
            if parameter in _RESERVED:
                raise NotPlain
            self.at = found.end()
            arguments[parameter] = _scalar(*written) if mark else self.opened(opening, depth)
            mark = mark or self.mark()
        self._close(mark or "", ")")
        return {name: arguments}

    def value(self, depth: int) -> tuple[Any, str]:
        """A value and the mark behind it, "" where there is none."""
        found = _ITEM.match(self.source, self.at)
        if found is None:
            raise NotPlain
        return self._taken(found, depth)

    def _taken(self, found: re.Match[str], depth: int) -> tuple[Any, str]:
        *written, mark, opening = found.groups()
        self.at = found.end()
        if mark:
            return _scalar(*written), mark
        return self.opened(opening, depth), self.mark()

    def opened(self, opening: str, depth: int) -> Any:
        """A value of several, up to what closes it. A call without parameters is its text."""
        if not depth:
            raise NotPlain
        if opening == "{":
            return self._dict(depth - 1)
        if len(opening) == 1:
            return self._items(opening, depth - 1)
        call = self.call(opening[:-1], depth - 1)
        return call if call[opening[:-1]] else f"{opening})"

    def _items(self, opening: str, depth: int) -> Any:
        """A list or a tuple; in parentheses a value alone is that value."""
        items, mark = [], ","
        while mark == "," and (found := _ITEM.match(self.source, self.at)):
            item, mark = self._taken(found, depth)
            items.append(item)
        alone = mark != "," and len(items) == 1
        self._close(mark, "]" if opening == "[" else ")")
        if opening == "[":
            return items
        return items[0] if alone else tuple(items)

    def _dict(self, depth: int) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        mark = ","
        while mark == "," and (found := _ITEM.match(self.source, self.at)):
            key, colon = self._taken(found, depth)
            if colon != ":" or isinstance(key, list | dict | tuple):
                raise NotPlain
            values[key], mark = self.value(depth)
        self._close(mark, "}")
        return values

    def _close(self, mark: str, closing: str) -> None:
        """Read what closes a container where nothing, or a last comma, stands before it."""
        if (self.mark() if mark == "," else mark) != closing:
            raise NotPlain


def _scalar(single: str | None, double: str | None, whole: str | None, number: str | None, word: str | None) -> Any:
    """The value of the one that is written; a bare word is its own text."""
    if (text := double if single is None else single) is not None:
        return _ESCAPED.sub(_meant, text) if "\\" in text else text
    if whole is not None:
        return int(whole, 0)
    if number is not None:
        return float(number)
    if word not in _RESERVED:
        return word
    if word not in _CONSTANTS:
        raise NotPlain
    return _CONSTANTS[word]


def _meant(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    return chr(int(code, 16)) if code else _MEANT.get(escape[3], escape[3])
