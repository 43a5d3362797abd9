"""Glaive v2 as published: `system` with the tools one after the other, and the whole conversation as one text, `chat`."""

from __future__ import annotations

import re
from typing import Any

from toolcalls.conversations import Conversation, Said
from toolcalls.errors import InputError
from toolcalls.formats.assistant_turns import joined, words_or_calls
from toolcalls.formats.nested_json import tools_of, values_in
from toolcalls.wire import Fields

_SPEAKER = re.compile(r"^[ \t]*(USER|ASSISTANT|FUNCTION RESPONSE):", re.MULTILINE)
_END = re.compile(r"<\|endoftext\|>")
_INSTRUCTIONS = re.compile(
    r"You are a helpful assistant,? with (?:no )?access to (?:the following|external) functions\.|Use them if required\s*-?"
)


def from_glaive(row: dict[str, Any]) -> Conversation:
    """Read a row; each turn begins on a line of its own with who speaks."""
    fields = Fields(row, "row")
    before, brace, described = fields.get("system", str).partition("{")
    other = _INSTRUCTIONS.sub("", before.strip().removeprefix("SYSTEM:"))
    tools = tools_of(values_in(brace + described, "system"), "system")
    return Conversation(tools, joined(_turns(fields.get("chat", str))), " ".join(other.split()))


def _turns(chat: str) -> list[Said]:
    start, *spoken = _SPEAKER.split(chat)
    if start.strip() or not spoken:
        raise InputError("row: field 'chat' must begin with USER: or ASSISTANT:")
    return [_said(who, _END.sub("", said).strip()) for who, said in zip(spoken[::2], spoken[1::2], strict=True)]


def _said(who: str, value: str) -> Said:
    if who == "ASSISTANT":
        return words_or_calls(value)
    return Said("user" if who == "USER" else "tool", value)
