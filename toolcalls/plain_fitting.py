"""Calls that plainly fit their tools' descriptions, seen at a tenth of the cost of the whole check (toolcalls.schema).

Most calls of most data sets do: parameters under their own names, of the plain types that one schema each states, and nothing
left out. "No" means only that the whole check has to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolcalls.answers import Call, Json
from toolcalls.type_words import TYPE_NAMES

# Keywords that forbid nothing to a value of the stated type; `items` is looked at where the value is a list.
_SILENT = frozenset(("type", "description", "title", "default", "example", "examples", "format", "items", "nullable"))
_KINDS: Mapping[type, tuple[str, ...]] = {
    str: ("string",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    list: ("array",),
    tuple: ("array",),
    dict: ("object",),
    type(None): ("null",),
}


def plainly_fit(calls: Sequence[Call], tools: Sequence[Mapping[str, Json]]) -> bool:
    """Whether all calls are seen to be what the tools allow."""
    return all(_plainly_fits(call, tools) for call in calls)


def _plainly_fits(call: Call, tools: Sequence[Mapping[str, Json]]) -> bool:
    tool = _plain_tool(call.name, tools)
    parameters: Any = tool.get("parameters") if tool is not None else None
    if not isinstance(parameters, dict) or not isinstance(listed := parameters.get("properties"), dict):
        return False
    given, needed = call.arguments, parameters.get("required", ())
    if not (given.keys() <= listed.keys() and isinstance(needed, list | tuple) and "required" not in listed):
        return False
    if any(not isinstance(name, str) or name not in given for name in needed) or not "".join(listed).isascii():
        return False
    if any(not isinstance(schema, dict) or "required" in schema for schema in listed.values()):
        return False
    return all(_fits(value, listed[name]) for name, value in given.items())


def _plain_tool(name: str, tools: Sequence[Mapping[str, Json]]) -> Mapping[str, Json] | None:
    """The first tool of the name, unless another one may be meant or what it needs stands in an odd place."""
    for tool in tools:
        named = tool.get("name")
        if not isinstance(named, str) or not named.isascii() or "function" in tool:
            return None
        if named == name:
            return tool if tool.get("required") is None else None
    return None


def _fits(value: Json, schema: Any) -> bool:
    """Whether a value is of the one plain type that its schema states, and the schema says no more."""
    if not isinstance(schema, dict) or not schema.keys() <= _SILENT:
        return False
    stated = schema.get("type")
    if not isinstance(stated, str) or TYPE_NAMES.get(stated) not in _KINDS.get(type(value), ()):
        return False
    return "items" not in schema or not isinstance(value, list | tuple) or all(_fits(item, schema["items"]) for item in value)
