"""Calls as JSON objects, `{"name": "f", "arguments": {"a": 1}}`, in the spellings that dialects share."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from toolcalls.answers import Call, Json
from toolcalls.literals import NoCall, Reader, Unreadable

NAMES: Final = ("name", "tool_name", "function_name", "function", "tool", "api", "api_name", "action", "Action")
ARGUMENTS: Final = (
    *("arguments", "parameters", "args", "params", "input", "tool_input", "action_input", "Action_Input", "param_dict"),
    *("tool_arguments", "tool_args", "kwargs"),
)
_QUOTED: Final = re.compile(r"'\s*\{\s*[\"}]")
ASIDE: Final = ("id", "type", "index", "call_id", "tool_call_id")  # keys that say nothing about what is called


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a dialect writes one call as an object; what is spelled otherwise is tolerated, and said."""

    keys: tuple[str, ...] = ("arguments",)  # for the arguments
    # What the arguments are: "object", "text" (a string that holds the object as JSON), or "quoted" (that JSON as it is in
    # single quotes, none of its marks escaped for the quotes' sake).
    arguments: tuple[str, ...] = ("object",)
    nested: bool = False  # name and arguments may stand in an object under "function"
    definitions: bool = False  # what has a schema under "parameters" is a tool's definition, no call


def read_call(reader: Reader, spelling: Spelling) -> Call:
    """Read one object that calls a tool."""
    start = reader.position
    plain = reader.plain_json(2)
    if isinstance(plain, dict) and len(plain) == 2 and "name" in plain and spelling.arguments[0] == "object":
        arguments = plain.get(spelling.keys[0])
        if isinstance(arguments, dict):
            return reader.call(plain["name"], arguments)
    reader.position = start
    if not reader.text.startswith("{{", start):
        return _read_object(reader, spelling)
    reader.tolerate("doubled braces")  # a template's escapes
    reader.expect("{")
    call = _read_object(reader, spelling)
    reader.skip_space()
    reader.expect("}")
    return call


def _read_object(reader: Reader, spelling: Spelling) -> Call:
    parts = _Parts(reader, spelling)
    for key in members(reader):
        if key == "function" and reader.text.startswith("{", reader.position):
            if not spelling.nested:
                reader.tolerate("a nested function")
            for inner in members(reader):
                parts.read(inner)
        else:
            parts.read(key)
    return parts.call()


class _Parts:
    """The name and the arguments of one call, each read once."""

    __slots__ = ("arguments", "name", "reader", "spelling")

    def __init__(self, reader: Reader, spelling: Spelling) -> None:
        self.reader = reader
        self.spelling = spelling
        self.name: Json = None
        self.arguments: dict[str, Json] | None = None

    def read(self, key: str) -> None:
        """Read the value of this key of the object."""
        reader = self.reader
        if key in ARGUMENTS:
            self._expect(key in self.spelling.keys, self.arguments)
            self.arguments = read_arguments(reader, self.spelling)
            if self.spelling.definitions and key == "parameters" and _is_schema(self.arguments):
                raise NoCall
        elif key in NAMES:
            self._expect(key == "name", self.name)
            self.name = reader.json_value()
        else:
            if key not in ASIDE:
                reader.tolerate("other keys")
            reader.json_value()

    def _expect(self, own: bool, before: Json) -> None:
        if not own:
            self.reader.tolerate("other key names")
        if before is not None:
            raise self.reader.limited("a second name or second arguments of one call")

    def call(self) -> Call:
        if self.arguments is None:
            self.reader.tolerate("no arguments")
        return self.reader.call(self.name, self.arguments or {})


def _is_schema(parameters: dict[str, Json]) -> bool:
    return parameters.get("type") in ("object", "dict") and isinstance(parameters.get("properties"), dict)


def read_arguments(reader: Reader, spelling: Spelling) -> dict[str, Json]:
    """Read an object of arguments, or a string that holds one. Values in it may nest as deep as anywhere else."""
    reader.depth += 1  # the object itself is no value of an argument
    if "quoted" in spelling.arguments and _QUOTED.match(reader.text, reader.position):
        reader.expect("'")
        reader.skip_space()
        arguments = reader.json_value()
        reader.skip_space()
        reader.expect("'")
    else:
        arguments = _plain_arguments(reader, spelling)
    reader.depth -= 1
    if not isinstance(arguments, dict):
        raise reader.unreadable("arguments that are no object")
    return arguments


def _plain_arguments(reader: Reader, spelling: Spelling) -> Json:
    start = reader.position
    arguments = reader.json_value()
    if isinstance(arguments, dict) and "object" not in spelling.arguments:
        reader.tolerate("arguments as an object")
    if isinstance(arguments, str):
        if "text" not in spelling.arguments:
            reader.tolerate("arguments as text")
        arguments = reader.embedded(arguments, start) if arguments.strip() else None
    if arguments is None:
        reader.tolerate("no arguments")
        return {}
    return arguments


def members(reader: Reader) -> Iterator[str]:
    """Read an object: yield each key with the reader before its value, which the caller must read. Keys stand once."""
    reader.expect("{")
    seen: set[str] = set()
    reader.skip_space()
    while not reader.accept("}"):
        reader.json = True
        key = reader.key()
        if key in seen:
            raise reader.limited(f"key {key!r} given twice")
        seen.add(key)
        reader.skip_space()
        reader.expect(":")
        reader.skip_space()
        yield key
        if not comma(reader, "}"):
            break


def comma(reader: Reader, end: str) -> bool:
    """Move over the comma after an element (true), or over the end (false), which may be forgotten before a closing tag."""
    reader.skip_space()
    if not reader.accept(","):
        if reader.text.startswith("</", reader.position):
            reader.tolerate("missing bracket")
        else:
            reader.expect(end)
        return False
    reader.skip_space()
    if reader.text.startswith(end, reader.position):
        reader.tolerate("trailing comma")
    return True


def read_list(reader: Reader, spelling: Spelling) -> list[Call]:
    """Read `[call, call, …]`; raises NoCall of a list of tools' definitions, also of one that was cut off."""
    reader.expect("[")
    calls: list[Call] = []
    reader.skip_space()
    first = reader.position
    while not reader.accept("]"):
        start = reader.position
        try:
            calls.append(read_call(reader, spelling))
        except NoCall:
            if _has_call(reader, first, spelling):
                reader.position = start
                raise reader.limited("calls and definitions of tools in one list") from None
            raise
        if not comma(reader, "]"):
            break
    return calls


def _has_call(reader: Reader, first: int, spelling: Spelling) -> bool:
    """Whether a list, whose elements begin at `first`, has a call besides tools' definitions, which most often are described."""
    reader.position = first
    try:
        while True:
            start = reader.position
            value = reader.json_value()
            end = reader.position
            if isinstance(value, dict) and "description" not in value:
                reader.position = start
                with suppress(NoCall):
                    read_call(reader, spelling)
                    return True
            reader.position = end
            if not comma(reader, "]"):
                return False
    except Unreadable:
        return False


def read_row(reader: Reader, spelling: Spelling, between: str | None = None) -> list[Call]:
    """Read calls one after the other, with `between` between them when the dialect writes more than one so, else tolerated."""
    calls = [read_call(reader, spelling)]
    while True:
        end = reader.position
        reader.skip_space()
        mark = next(filter(reader.accept, ",;"), "")
        reader.skip_space()
        if not reader.text.startswith("{", reader.position):
            reader.position = end
            return calls
        if mark != between:
            reader.tolerate("calls in a row")
        calls.append(read_call(reader, spelling))


def written(value: Json) -> str:
    """The value as JSON on one line, every letter as itself."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def write_call(call: Call, arguments: str = "arguments") -> str:
    return written({"name": call.name, arguments: call.arguments})
