"""The forms that data sets come in, one file each, every one brought to a `Conversation`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolcalls.conversations import Conversation
from toolcalls.errors import InputError
from toolcalls.formats import hammer, toolrl
from toolcalls.formats.bfcl import from_bfcl
from toolcalls.formats.glaive import from_glaive
from toolcalls.formats.hammer import from_hammer
from toolcalls.formats.hermes import from_hermes
from toolcalls.formats.llamafactory_v1 import from_llamafactory_v1
from toolcalls.formats.ms_swift import from_ms_swift
from toolcalls.formats.openai import from_openai
from toolcalls.formats.seal_tools import from_seal_tools
from toolcalls.formats.sharegpt import from_sharegpt
from toolcalls.formats.toolace import from_toolace
from toolcalls.formats.toolrl import from_toolrl
from toolcalls.formats.when2call import from_when2call
from toolcalls.formats.xlam import from_xlam

OWN = "whetstone"
READERS: dict[str, Callable[[dict[str, Any]], Conversation]] = {
    "toolace": from_toolace,
    "openai": from_openai,
    "sharegpt": from_sharegpt,
    "hermes": from_hermes,
    "xlam": from_xlam,
    "glaive": from_glaive,
    "ms_swift": from_ms_swift,
    "llamafactory_v1": from_llamafactory_v1,
    "when2call": from_when2call,
    "toolrl": from_toolrl,
    "hammer": from_hammer,
    "seal_tools": from_seal_tools,
    "bfcl": from_bfcl,
}
_LLAMAFACTORY = {"human", "gpt", "function_call", "observation"}
# The fields that a row of the other formats has, the first that fit win.
_FIELDS: tuple[tuple[str, set[str]], ...] = (
    ("glaive", {"chat"}),
    ("seal_tools", {"query", "calling"}),
    ("xlam", {"query", "answers"}),
    ("when2call", {"correct_answer", "answers"}),
)


def recognised(row: dict[str, Any]) -> str:
    """The format of a row, by its fields. Raises InputError for a row of none."""
    if "truth" in row:
        return OWN
    if isinstance(turns := row.get("conversations"), list):
        return _of_conversations(row, turns)
    if "messages" in row:
        return _of_messages(row)
    if found := _of_instructions(row):
        return found
    for name, fields in _FIELDS:
        if fields <= row.keys():
            return name
    if isinstance(row.get("question"), list) and "function" in row:
        return "bfcl"
    if "api_description" in row:
        raise InputError("the description of a tool, not a sample; docs/importing.md shows how Seal-Tools' files are joined")
    raise InputError(
        "no known format: a sample needs 'truth' (whetstone), 'conversations' (toolace, sharegpt, hermes), 'messages' (openai) "
        "or the fields of another format, which docs/importing.md lists; "
        f"this row has {', '.join(sorted(map(str, row))) or 'no fields'}"
    )


def _of_conversations(row: dict[str, Any], turns: list[Any]) -> str:
    roles = {role for turn in turns if isinstance(turn, dict) and isinstance(role := turn.get("from"), str)}
    if not roles and any("role" in turn for turn in turns if isinstance(turn, dict)):
        return "openai"
    if "tools" not in row and not roles & _LLAMAFACTORY:
        return "toolace"
    first = turns[0].get("value") if turns and isinstance(turns[0], dict) else None
    tagged = isinstance(first, str) and "<tools>" in first
    return "hermes" if "tool" in roles or tagged else "sharegpt"


def _of_messages(row: dict[str, Any]) -> str:
    messages = [message for message in row["messages"] if isinstance(message, dict)] if isinstance(row["messages"], list) else []
    if "chosen_response" in row:
        return "when2call"
    if any(message.get("role") in ("tool_call", "tool_response") for message in messages):
        return "ms_swift"
    parts: list[Any] = next((message["content"] for message in messages if isinstance(message.get("content"), list)), [])
    return "llamafactory_v1" if parts and isinstance(parts[0], dict) and "value" in parts[0] else "openai"


def _of_instructions(row: dict[str, Any]) -> str:
    """Of formats whose instruction holds the tools."""
    text = row.get("instruction", row.get("system"))
    if not isinstance(text, str):
        return ""
    if toolrl.TOOLS in text and ("output" in row or "answer" in row):
        return "toolrl"
    return "hammer" if f"[BEGIN OF {hammer.TOOLS}]" in text and "output" in row else ""
