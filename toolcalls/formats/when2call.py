"""When2Call: `tools` and `messages` with a `chosen_response`, or a `question` with four `answers` and the `correct_answer`.

Its fine-tuning rows, `tools` and `messages` alone, are of the openai format: their calls stand in <TOOLCALL> tags.
"""

from __future__ import annotations

from typing import Any

from toolcalls.conversations import Conversation, Said
from toolcalls.errors import InputError
from toolcalls.formats.assistant_turns import structured, words_or_calls
from toolcalls.formats.nested_json import calls_of, text_of, tools_of
from toolcalls.formats.openai import from_openai
from toolcalls.wire import Fields

_KINDS = ("direct", "tool_call", "request_for_info", "cannot_answer")


def from_when2call(row: dict[str, Any]) -> Conversation:
    """Read a row; the tools are JSON texts, maybe none."""
    return _preferred(row) if "chosen_response" in row else _judged(row)


def _preferred(row: dict[str, Any]) -> Conversation:
    """A preference pair: what was chosen is the truth, and of the messages before nothing is learnt."""
    chosen = row["chosen_response"]
    answer = chosen if isinstance(chosen, dict) else {"role": "assistant", "content": chosen}
    messages = Fields(row, "row").get("messages", list)
    asked = [{**message, "weight": 0} if isinstance(message, dict) else message for message in messages]
    return from_openai({"tools": row.get("tools"), "messages": [*asked, answer]})


def _judged(row: dict[str, Any]) -> Conversation:
    """A test row: the answer of the correct kind is the truth."""
    fields = Fields(row, "row")
    kind = fields.one_of("correct_answer", *_KINDS)
    answers = Fields(fields.get("answers", dict), "answers")
    text = answers.get(kind, str)
    if not text.strip():
        raise InputError(f"answers: {kind!r} is the correct answer and is empty")
    called = kind == "tool_call"
    answer = structured(calls_of(text_of(text, f"answers, {kind}"), "answers")) if called else words_or_calls(text)
    return Conversation(tools_of(row.get("tools"), "tools"), (Said("user", fields.get("question", str)), answer))
