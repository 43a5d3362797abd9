"""Seal-Tools: `query` and `calling`; the tools stand in a file of their own, and must be put into each row as `tools`."""

from __future__ import annotations

import json
import re
from typing import Any

from toolcalls.answers import Call
from toolcalls.conversations import Conversation, Said
from toolcalls.errors import InputError
from toolcalls.formats.assistant_turns import structured
from toolcalls.formats.nested_json import list_of, tools_of
from toolcalls.wire import Fields

_RESULT = re.compile(r"API_call_\d+")  # "what an earlier call returned"

_NAMES = {"api_name": "name", "api_description": "description"}


def from_seal_tools(row: dict[str, Any]) -> Conversation:
    """Read a row with `tools`, each as tool.jsonl describes it or in any other form that is known."""
    fields = Fields(row, "row")
    if not row.get("tools"):
        raise InputError(
            "row: a Seal-Tools row names no tools; add those to choose from as 'tools', out of tool.jsonl (docs/importing.md)"
        )
    tools = tools_of([_named(tool) for tool in list_of(row["tools"], "tools")], "tools")
    answer = structured(fields.items("calling", _call))
    return Conversation(tools, (Said("user", fields.get("query", str)), answer))


def _call(data: Any, where: str) -> Call:
    fields = Fields(data, where)
    arguments = fields.get("parameters", dict)
    if found := _RESULT.search(json.dumps(arguments)):
        raise InputError(
            f"{where}: an argument refers to what another call returns ({found[0]}), which is not known; leave it out"
        )
    return Call(fields.get("api", str), arguments)


def _named(tool: Any) -> Any:
    """A tool of tool.jsonl with the names of its fields that others use."""
    if not isinstance(tool, dict) or "api_name" not in tool:
        return tool
    return {_NAMES.get(field, field): value for field, value in tool.items() if field not in ("responses", "field")}
