"""OpenAI's chat and fine-tuning format, which TRL's conversational data sets share: `messages`, `tools`.

Some name the messages `conversations`, and have a field `system`. The old `functions` and `function_call` are read too.
TRL's arguments are objects, and the datasets library fills the keys that some rows have and others lack with null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolcalls.answers import Call, Json
from toolcalls.conversations import Conversation, Said
from toolcalls.formats.assistant_turns import joined, structured, words_or_calls
from toolcalls.formats.nested_json import calls_of, joined_texts, tools_of
from toolcalls.formats.tagged_tools import taken_apart
from toolcalls.schema import properties, required, tool_name, unwrapped
from toolcalls.wire import Fields

_Tools = tuple[dict[str, Json], ...]


def from_openai(row: dict[str, Any]) -> Conversation:
    """Read a row; a turn of weight 0 stays context only, and tools may stand in a system text's <tools>."""
    fields = Fields(row, "row")
    described = row.get("tools") if row.get("tools") is not None else row.get("functions")
    tools = tuple(map(_unfilled, tools_of(described, "tools")))
    turns, texts = [], [fields.optional("system", str) or ""]
    listed = "messages" if "messages" in row else "conversations"
    for index, message in enumerate(fields.get(listed, list)):
        said = Fields(message, f"{listed}[{index}]")
        role = said.one_of("role", "system", "developer", "user", "assistant", "tool", "function")
        content = _content(said)
        if role in ("system", "developer"):
            texts.append(content)
        elif role == "assistant":
            turns.append(_answer(said, content, tools))
        else:
            turns.append(Said("user" if role == "user" else "tool", content))
    tools, other, system = taken_apart(joined_texts(texts), tools)
    return Conversation(tools, joined(turns), other, system)


def _answer(said: Fields, content: str, tools: _Tools) -> Said:
    trained = said.data.get("weight", 1) != 0
    listed = said.optional("tool_calls", list) or ([said.get("function_call", dict)] if said.data.get("function_call") else [])
    if not listed:
        return words_or_calls(content, trained)
    return structured(_without_filling(calls_of(listed, said.where), listed, tools), trained)


def _content(said: Fields) -> str:
    """A message's text: a string, null, or a list of text parts."""
    content = said.data.get("content")
    if isinstance(content, list):
        parts = [Fields(part, f"{said.where}, content[{index}]") for index, part in enumerate(content)]
        return "".join(part.get("text", str) for part in parts)
    return said.optional("content", str) or ""


def _unfilled(tool: dict[str, Json]) -> dict[str, Json]:
    """The tool without the null parameters that the datasets library fills in."""
    parameters = tool.get("parameters")
    inner = parameters.get("properties") if isinstance(parameters, dict) else None
    if not isinstance(inner, dict) or None not in inner.values():
        return tool
    kept = {name: schema for name, schema in inner.items() if schema is not None}
    return tool | {"parameters": {**parameters, "properties": kept}}  # type: ignore[dict-item]  # a dict, or inner is none


def _without_filling(calls: tuple[Call, ...], listed: list[dict[str, Json]], tools: _Tools) -> tuple[Call, ...]:
    """Calls without the null arguments that the datasets library fills in: those that their tool lacks, or has as no null.

    `listed` are the same calls as the source has them: nulls of arguments in a JSON text were meant.
    """
    if not any(None in call.arguments.values() for call in calls):
        return calls
    known = {tool_name(tool): tool for tool in tools}
    return tuple(
        _given(call, known[call.name]) if call.name in known and isinstance(unwrapped(item).get("arguments"), dict) else call
        for call, item in zip(calls, listed, strict=True)
    )


def _given(call: Call, tool: dict[str, Json]) -> Call:
    needed, listed = required(tool), properties(tool)
    kept = {
        name: value
        for name, value in call.arguments.items()
        if value is not None or name in needed or (name in listed and _may_be_null(listed[name]))
    }
    return Call(call.name, kept)


def _may_be_null(schema: Mapping[str, Json]) -> bool:
    kind = schema.get("type")
    return not isinstance(kind, str) or kind in ("any", "null") or bool(schema.get("nullable")) or "default" in schema
