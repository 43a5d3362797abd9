"""Hammer's function-masking data: an `instruction` of marked sections, and an `output` of JSON calls in a fence."""

from __future__ import annotations

from typing import Any

from toolcalls.conversations import Conversation, Said
from toolcalls.errors import InputError
from toolcalls.formats.assistant_turns import written
from toolcalls.formats.nested_json import tools_of
from toolcalls.formats.xlam import NO_CALLS
from toolcalls.wire import Fields

TOOLS = "AVAILABLE TOOLS"


def from_hammer(row: dict[str, Any]) -> Conversation:
    """Read a row; an empty list in the output is a truth in words, `[]`."""
    fields = Fields(row, "row")
    text = fields.get("instruction", str)
    query = "\n".join(part for part in (_section(text, "QUERY"), fields.optional("input", str) or "") if part.strip())
    tools = tools_of(_section(text, TOOLS), "the section AVAILABLE TOOLS")
    output = fields.get("output", str)
    calls_nothing = "".join(output.removeprefix("```json").split()).strip("`") == NO_CALLS
    answer = Said("assistant", NO_CALLS) if calls_nothing else written(output)
    return Conversation(tools, (Said("user", query), answer))


def _section(text: str, name: str) -> str:
    """What stands between [BEGIN OF name] and [END OF name]."""
    opening, closing = f"[BEGIN OF {name}]", f"[END OF {name}]"
    _, begun, rest = text.partition(opening)
    inside, ended, _ = rest.partition(closing)
    if not begun or not ended:
        raise InputError(f"row: field 'instruction' needs a section between {opening} and {closing}")
    return inside.strip()
