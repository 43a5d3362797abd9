"""ms-swift's agent format: `messages` with the roles tool_call and tool_response, their content JSON; `tools` is a JSON text."""

from __future__ import annotations

from typing import Any

from toolcalls.conversations import Conversation, Said
from toolcalls.formats.assistant_turns import joined, structured, words_or_calls
from toolcalls.formats.nested_json import calls_of, joined_texts, text_of, tools_of
from toolcalls.wire import Fields


def from_ms_swift(row: dict[str, Any]) -> Conversation:
    """Read a row; tool_calls in a row are parallel, and a message whose `loss` is false stays context only."""
    fields = Fields(row, "row")
    turns, other = [], []
    for index, message in enumerate(fields.get("messages", list)):
        said = Fields(message, f"messages[{index}]")
        role = said.one_of("role", "system", "user", "assistant", "tool_call", "tool_response", "tool")
        content = said.get("content", str)
        trained = said.data.get("loss") not in (False, 0)
        if role == "system":
            other.append(content)
        elif role == "tool_call":
            turns.append(structured(calls_of(text_of(content, said.where), said.where), trained))
        elif role == "assistant":
            turns.append(words_or_calls(content, trained))
        else:
            turns.append(Said("user" if role == "user" else "tool", content))
    return Conversation(tools_of(row.get("tools"), "tools"), joined(turns), joined_texts(other))
