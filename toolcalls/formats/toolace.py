"""ToolACE: `system` with the tools in it, `conversations` of user, assistant and tool; calls are text in the paper's form."""

from __future__ import annotations

from typing import Any

from toolcalls.conversations import Conversation, Said
from toolcalls.formats.assistant_turns import written
from toolcalls.system_texts import take_apart
from toolcalls.wire import Fields


def from_toolace(row: dict[str, Any]) -> Conversation:
    """Raises InputError, as all readers of formats do, when the row is not of this format."""
    fields = Fields(row, "row")
    system = fields.get("system", str)
    apart = take_apart(system)
    turns = []
    for index, turn in enumerate(fields.get("conversations", list)):
        turned = Fields(turn, f"conversations[{index}]")
        role = turned.one_of("from", "user", "assistant", "tool")
        value = turned.get("value", str)
        turns.append(written(value) if role == "assistant" else Said(role, value))
    return Conversation(apart.tools, tuple(turns), apart.other, None if apart.understood else system)
