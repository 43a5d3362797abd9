"""Calls and tools inside a row: as lists, as JSON in a text, or as Python literals in a text."""

from __future__ import annotations

from typing import Any

from toolcalls.answers import Call, Json
from toolcalls.errors import InputError
from toolcalls.limits import Limits
from toolcalls.literals import Reader, Unreadable
from toolcalls.rows import DEEPEST, decoded, decoded_at
from toolcalls.schema import tool_name, unwrapped
from toolcalls.wire import Fields

_LIMITS = Limits(depth=DEEPEST)
_MOST = 1000  # values of one text


def calls_of(data: Any, where: str) -> tuple[Call, ...]:
    """Read one call or a list of calls: {"name", "arguments"}, also inside {"function": …}; arguments may be a JSON text.

    Raises InputError, as all functions here do, for an empty list too.
    """
    calls = []
    for index, item in enumerate(data if isinstance(data, list) else [data]):
        fields = Fields(unwrapped(Fields(item, f"{where}, call {index + 1}").data), f"{where}, call {index + 1}")
        arguments = fields.data.get("arguments", fields.data.get("parameters"))
        if isinstance(arguments, str):
            arguments = text_of(arguments, fields.where) if arguments.strip() else {}
        if not isinstance(arguments if arguments is not None else {}, dict):
            raise InputError(f"{fields.where}: arguments must be an object, or a text that holds one")
        calls.append(Call(fields.get("name", str), arguments or {}))
    if not calls:
        raise InputError(f"{where}: an empty list of calls")
    return tuple(calls)


def text_of(text: str, where: str) -> Any:
    """The value of a JSON text inside a field."""
    try:
        return decoded(text)
    except InputError as error:
        raise InputError(f"{where}: the text in it is {error}") from error


def list_of(data: Any, where: str, what: str = "a list") -> list[Any]:
    """A list, or a JSON text of one."""
    listed = text_of(data, where) if isinstance(data, str) else data
    if not isinstance(listed, list):
        raise InputError(f"{where}: {what} expected, not {type(listed).__name__}")
    return listed


def tools_of(data: Any, where: str) -> tuple[dict[str, Json], ...]:
    """Tools as a list, a JSON text of one, or a list of JSON texts; each without OpenAI's wrapper."""
    if data is None or data == "":
        return ()
    tools = []
    for index, item in enumerate(list_of(data, where, "a list of tools")):
        place = f"{where}[{index}]"
        tool = dict(unwrapped(Fields(text_of(item, place) if isinstance(item, str) else item, place).data))
        if not tool_name(tool):
            raise InputError(f"{place}: field 'name' is missing; every tool needs a name")
        tools.append(tool)
    return tuple(tools)


def values_in(text: str, where: str) -> list[Any]:
    """All values of a text that holds JSON values or Python literals one after the other, with space or commas between."""
    values: list[Any] = []
    position = _next(text, 0)
    while position < len(text):
        if len(values) == _MOST:
            raise InputError(f"{where}: more than {_MOST} values")
        value, end = value_at(text, position, where)
        values.append(value)
        position = _next(text, end)
    return values


def value_at(text: str, position: int, where: str) -> tuple[Any, int]:
    """The JSON value or Python literal that begins here, and where it ends."""
    try:
        return decoded_at(text, position)
    except InputError:
        raise
    except (ValueError, RecursionError):
        reader = Reader(text, _LIMITS)
        reader.position = position
    try:
        return reader.value(), reader.position
    except Unreadable as failure:
        raise InputError(f"{where}: neither JSON nor a Python literal at character {failure.position}: {failure}") from failure


def _next(text: str, position: int) -> int:
    """Where the next thing stands that is neither space nor a comma."""
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def joined_texts(texts: list[str]) -> str:
    """Those that say something, a line each."""
    return "\n".join(text for text in texts if text.strip())
