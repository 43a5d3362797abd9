"""What a tool's description says of its parameters, in the dialects that data sets write it in.

Known dialects: JSON Schema under `parameters` (`type` "object" or "dict"), `required` inside `parameters` or beside it or
null (ToolACE), the OpenAI wrapper {"type": "function", "function": {…}}, and a flat map of parameters (xLAM, API-Bank).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolcalls import conforming
from toolcalls.answers import Call, Json

Tool = Mapping[str, Json]


def unwrapped(tool: Tool) -> Tool:
    """The description itself, without OpenAI's {"type": "function", "function": …} around it."""
    inner = tool.get("function")
    return inner if inner is not None and isinstance(inner, Mapping) else tool


def tool_name(tool: Tool) -> str:
    """The tool's name, "" when it has none."""
    name = unwrapped(tool).get("name")
    return name if isinstance(name, str) else ""


def properties(tool: Tool) -> dict[str, Mapping[str, Any]]:
    """Parameter name → its schema, in the order of the description."""
    described = unwrapped(tool).get("parameters")
    if not isinstance(described, Mapping):
        return {}
    inner = described.get("properties")
    if not isinstance(inner, Mapping):
        inner = {} if isinstance(described.get("type"), str) else described
    return {name: schema for name, schema in inner.items() if isinstance(schema, Mapping)}


def required(tool: Tool) -> frozenset[str]:
    """Names of the parameters that a call must give."""
    bare = unwrapped(tool)
    described = bare.get("parameters")
    lists = [bare.get("required"), described.get("required") if isinstance(described, Mapping) else None]
    return frozenset(name for names in lists if isinstance(names, list) for name in names if isinstance(name, str))


def defaults(tool: Tool) -> dict[str, Json]:
    """Optional parameter → the value it has when a call omits it; only parameters that state one."""
    needed = required(tool)
    return {name: schema["default"] for name, schema in properties(tool).items() if "default" in schema and name not in needed}


def check_calls(calls: Sequence[Call], tools: Sequence[Tool]) -> list[str]:
    """Say in words what is wrong with calls by their tools' descriptions: unknown tool, unknown or missing parameter, and
    values that their schemas do not allow, each with its place."""
    known = {tool_name(tool): tool for tool in reversed(tools)}
    problems: list[str] = []
    for call in calls:
        if call.name not in known:
            problems.append(f"unknown tool {call.name!r}")
            continue
        tool = known[call.name]
        listed = properties(tool)
        problems += [f"{call.name!r} has no parameter {name!r}" for name in call.arguments if name not in listed]
        problems += [f"{call.name!r} needs parameter {name!r}" for name in sorted(required(tool) - call.arguments.keys())]
        for name, value in call.arguments.items():
            problems += conforming.problems(value, listed.get(name), name)
    return problems
