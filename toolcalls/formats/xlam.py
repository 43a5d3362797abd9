"""xLAM-60k (APIGen): `query`, and `tools` and `answers` as JSON texts; parameters are a flat map.

Hammer's test sets share it, with lists in place of the texts and a conversation in place of the query.
"""

from __future__ import annotations

from typing import Any

from toolcalls.conversations import Conversation, Said
from toolcalls.formats.assistant_turns import joined, structured, words_or_calls
from toolcalls.formats.nested_json import calls_of, list_of, tools_of
from toolcalls.wire import Fields

NO_CALLS = "[]"  # how these sets write that no tool fits
_PROMPT = "Generate API Request:"  # what Hammer's API-Bank puts at the end of the words before a call


def from_xlam(row: dict[str, Any]) -> Conversation:
    """Read a row; an empty list of answers is a truth in words, `[]`."""
    fields = Fields(row, "row")
    asked = _asked(fields)
    answers = list_of(row.get("answers"), "answers")
    answer = structured(calls_of(answers, "answers")) if answers else Said("assistant", NO_CALLS)
    return Conversation(tools_of(row.get("tools"), "tools"), joined([*asked, answer]))


def _asked(fields: Fields) -> list[Said]:
    """The query, or the conversation up to the answer: of it nothing is learnt."""
    if not isinstance(fields.data.get("query"), list):
        return [Said("user", fields.get("query", str))]
    turns = []
    for index, message in enumerate(fields.get("query", list)):
        said = Fields(message, f"query[{index}]")
        role = said.one_of("role", "user", "agent", "assistant", "tool")
        content = said.get("content", str)
        if role == "assistant":
            turns.append(words_or_calls(content, trained=False))
        elif role == "agent":
            turns.append(Said("assistant", content.removesuffix(_PROMPT).strip(), trained=False))
        else:
            turns.append(Said(role, content))
    return turns
