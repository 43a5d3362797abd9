"""LLaMA-Factory's sharegpt form: `conversations` of human, gpt, function_call and observation; `tools` is a JSON text."""

from __future__ import annotations

from typing import Any

from toolcalls.conversations import Conversation, Said
from toolcalls.formats.assistant_turns import joined, structured, without_thoughts, words_or_calls
from toolcalls.formats.nested_json import calls_of, joined_texts, text_of, tools_of
from toolcalls.wire import Fields


def from_sharegpt(row: dict[str, Any]) -> Conversation:
    """Read a row; the value of a function_call is a call or a list of calls, as JSON."""
    fields = Fields(row, "row")
    turns, other = [], [fields.optional("system", str) or ""]
    for index, turn in enumerate(fields.get("conversations", list)):
        turned = Fields(turn, f"conversations[{index}]")
        role = turned.one_of("from", "human", "gpt", "function_call", "observation", "system")
        value = turned.get("value", str)
        if role == "system":
            other.append(value)
        elif role == "function_call":
            turns.append(structured(calls_of(text_of(without_thoughts(value), turned.where), turned.where)))
        elif role == "gpt":
            turns.append(words_or_calls(value))
        else:
            turns.append(Said("user" if role == "human" else "tool", value))
    return Conversation(tools_of(row.get("tools"), "tools"), joined(turns), joined_texts(other))
