"""Hermes: `conversations` of system, human, gpt and tool; tools in the system's <tools>, calls in <tool_call> tags."""

from __future__ import annotations

import re
from typing import Any

from toolcalls.conversations import Conversation, Said
from toolcalls.formats.assistant_turns import joined, words_or_calls
from toolcalls.formats.nested_json import joined_texts, tools_of
from toolcalls.formats.tagged_tools import taken_apart
from toolcalls.wire import Fields

_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "tool": "tool", "system": "system"}
_RESPONSE = re.compile(r"</?tool_response>\n?")


def from_hermes(row: dict[str, Any]) -> Conversation:
    """Read a row; a `tools` field wins over the system text's. The tags around a tool's response are left out."""
    fields = Fields(row, "row")
    turns, texts = [], []
    for index, turn in enumerate(fields.get("conversations", list)):
        turned = Fields(turn, f"conversations[{index}]")
        role = _ROLES[turned.one_of("from", *_ROLES)]
        value = turned.get("value", str)
        if role == "system":
            texts.append(value)
        elif role == "assistant":
            turns.append(words_or_calls(value))
        else:
            turns.append(Said(role, _RESPONSE.sub("", value).strip() if role == "tool" else value))
    tools, other, system = taken_apart(joined_texts(texts), tools_of(row.get("tools"), "tools"))
    return Conversation(tools, joined(turns), other, system)
