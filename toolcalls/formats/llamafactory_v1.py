"""LLaMA-Factory's v1 form: `messages` whose content is a list of typed parts, with a `loss_weight` each."""

from __future__ import annotations

from typing import Any

from toolcalls.answers import Call
from toolcalls.conversations import Conversation, Said
from toolcalls.errors import InputError
from toolcalls.formats.assistant_turns import joined, structured, words_or_calls
from toolcalls.formats.nested_json import calls_of, joined_texts, text_of, tools_of
from toolcalls.wire import Fields


def from_llamafactory_v1(row: dict[str, Any]) -> Conversation:
    """Read a row; reasoning is left out, and a message whose loss_weight is 0 stays context only."""
    fields = Fields(row, "row")
    turns, other = [], []
    for index, message in enumerate(fields.get("messages", list)):
        said = Fields(message, f"messages[{index}]")
        role = said.one_of("role", "system", "user", "assistant", "tool")
        text, calls = _parts(said)
        trained = said.data.get("loss_weight", 1) != 0
        if calls and role != "assistant":
            raise InputError(f"{said.where}: only the assistant calls tools, not the {role}")
        if role == "system":
            other.append(text)
        elif role == "assistant":
            turns.append(structured(calls, trained) if calls else words_or_calls(text, trained))
        else:
            turns.append(Said(role, text))
    return Conversation(tools_of(row.get("tools"), "tools"), joined(turns), joined_texts(other))


def _parts(said: Fields) -> tuple[str, tuple[Call, ...]]:
    """The text of a message and its calls."""
    text = ""
    calls: tuple[Call, ...] = ()
    for index, part in enumerate(said.get("content", list)):
        piece = Fields(part, f"{said.where}, content[{index}]")
        kind, value = piece.one_of("type", "text", "tool_call", "reasoning"), piece.get("value", str)
        if kind == "text":
            text += value
        elif kind == "tool_call":
            calls += calls_of(text_of(value, piece.where), piece.where)
    return text, calls
