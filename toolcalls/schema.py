"""What a tool's description says of its parameters, in the dialects that data sets write it in.

Known dialects: JSON Schema under `parameters` (`type` "object" or "dict"), the OpenAI wrapper {"type": "function",
"function": {…}}, `input_schema` (Anthropic) and `inputSchema` (MCP), a flat map of parameters (xLAM, API-Bank), and a list of
them with their names. What must be given stands in `required`: inside `parameters`, beside it, by mistake among the properties,
or as true in each parameter; it may be null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from toolcalls.answers import Call, Json
from toolcalls.canonical import normal_text
from toolcalls.conforming import MAPPING, MOST_PROBLEMS, ValueProblemKind, needed_names, problems
from toolcalls.equality import by_name
from toolcalls.places import path_text
from toolcalls.plain_fitting import plainly_fit

Tool = Mapping[str, Json]
NO_DEFAULT: Final = object()


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """What of a call its tool's description does not allow. `call` is its position, `path` the place: `hotel.rooms[1].beds`."""

    call: int
    path: str
    kind: Literal["unknown_tool"] | ValueProblemKind
    text: str


def unwrapped(tool: Tool) -> Tool:
    """The description itself, without OpenAI's {"type": "function", "function": …} around it."""
    inner = tool.get("function")
    return inner if inner is not None and isinstance(inner, MAPPING) else tool


def tool_name(tool: Tool) -> str:
    """The tool's name, "" when it has none."""
    name = unwrapped(tool).get("name")
    return name if isinstance(name, str) else ""


def _described(tool: Tool) -> Mapping[str, Any]:
    """Where the parameters are described, a list of them by their names; empty where there is no such place."""
    bare = unwrapped(tool)
    found = None
    for name in ("parameters", "input_schema", "inputSchema"):
        if name in bare:
            found = bare[name]
            break
    if isinstance(found, list):
        named = [each for each in found if isinstance(each, Mapping) and isinstance(each.get("name"), str)]
        return {each["name"]: each for each in named}
    return found if isinstance(found, MAPPING) else {}


def _listed(described: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameter name → what the description has under it, which can be anything."""
    inner = described.get("properties")
    if isinstance(inner, MAPPING):
        return inner
    return {} if isinstance(described.get("type"), str) else described


def properties(tool: Tool) -> dict[str, Mapping[str, Any]]:
    """Parameter name → its schema, in the order of the description."""
    return {name: schema for name, schema in _listed(_described(tool)).items() if isinstance(schema, MAPPING)}


def required(tool: Tool) -> frozenset[str]:
    """Names of the parameters that a call must give."""
    return frozenset(_needed(tool))


def _needed(tool: Tool) -> list[str]:
    described, beside = _described(tool), unwrapped(tool).get("required")
    names = [name for name in beside if isinstance(name, str)] if isinstance(beside, list) else []
    if (listed := properties(tool)) != described.get("properties"):
        names += needed_names({**described, "properties": listed})
    return list(dict.fromkeys([*names, *needed_names(described)]))


def defaults(tool: Tool) -> dict[str, Json]:
    """Optional parameter → the value it has when a call omits it; only parameters that state one."""
    each = Defaults(tool)
    found = {name: each.of(name) for name in properties(tool)}
    return {name: value for name, value in found.items() if value is not NO_DEFAULT}


class Defaults:
    """The values that a call of a tool may omit, each looked up when it is asked for."""

    __slots__ = ("_listed", "_needed")

    def __init__(self, tool: Tool) -> None:
        described = _described(tool)
        self._listed = _listed(described)
        self._needed = (described.get("required"), self._listed.get("required"), unwrapped(tool).get("required"))

    def of(self, name: str) -> Json:
        """The value of an optional parameter when a call omits it; NO_DEFAULT where it must be given or states none."""
        schema = self._listed.get(name)
        if not isinstance(schema, MAPPING) or "default" not in schema or schema.get("required") is True:
            return NO_DEFAULT
        if any(isinstance(needed, list) and name in needed for needed in self._needed):
            return NO_DEFAULT
        return schema["default"]

    def is_ascii(self) -> bool:
        """Whether no parameter's name can be written in two ways."""
        return "".join(self._listed).isascii()


def check(calls: Sequence[Call], tools: Sequence[Tool]) -> tuple[SchemaProblem, ...]:
    """What is wrong with calls by their tools' descriptions, in the order of the calls, MOST_PROBLEMS at most."""
    return () if plainly_fit(calls, tools) else all_problems(calls, tools)


def all_problems(calls: Sequence[Call], tools: Sequence[Tool]) -> tuple[SchemaProblem, ...]:
    """`check`, by looking at everything."""
    known = {normal_text(tool_name(tool)): tool for tool in reversed(tools)}
    found = islice(_problems_of(calls, known), 2 * MOST_PROBLEMS)
    return tuple(islice(dict.fromkeys(found), MOST_PROBLEMS))


def check_calls(calls: Sequence[Call], tools: Sequence[Tool]) -> list[str]:
    """Say in words what `check` finds."""
    return [problem.text for problem in check(calls, tools)]


def _problems_of(calls: Sequence[Call], known: Mapping[str, Tool]) -> Iterator[SchemaProblem]:
    for at, call in enumerate(calls):
        yield from _call_problems(at, call, known)


def _call_problems(at: int, call: Call, known: Mapping[str, Tool]) -> Iterator[SchemaProblem]:
    tool = known.get(normal_text(call.name))
    if tool is None:
        yield SchemaProblem(at, call.name, "unknown_tool", f"unknown tool {call.name!r}")
        return
    listed, needed, others = by_name(properties(tool)), by_name(dict.fromkeys(_needed(tool))), _others(tool)
    given = by_name(call.arguments)
    for name in given:
        if name not in listed and name not in needed and others is None:
            text = f"{call.name!r} has no parameter {name!r}"
            yield SchemaProblem(at, path_text(call.name, (name,)), "unknown_parameter", text)
    for name in needed:
        if name not in given:
            text = f"{call.name!r} needs parameter {name!r}"
            yield SchemaProblem(at, path_text(call.name, (name,)), "missing_parameter", text)
    for name, value in given.items():
        for problem in problems(value, listed.get(name, others), (name,)):
            yield SchemaProblem(at, path_text(call.name, problem.steps), problem.kind, problem.text)


def _others(tool: Tool) -> object:
    """What parameters must be that the description does not name; None where there may be none."""
    allowed = _described(tool).get("additionalProperties")
    return allowed if isinstance(allowed, Mapping) or allowed is True else None
