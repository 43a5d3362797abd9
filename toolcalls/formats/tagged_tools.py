"""Tools that stand in a system text between <tools> and </tools>, as Hermes, Qwen and others write them."""

from __future__ import annotations

import re
from typing import NamedTuple

from toolcalls.answers import Json
from toolcalls.errors import InputError
from toolcalls.formats.nested_json import tools_of, values_in

_OPEN, _CLOSE = "<tools>", "</tools>"
# What such texts say of calling tools, which our own prompts say in their own way; a space stands for any space.
_SENTENCES = (
    r"#+ Tools(?=\n|\Z)",
    r"You are a function[- ]calling AI model\.",
    r"You are provided with function signatures within <tools> ?</tools> XML tags[.:]",
    r"You may call one or more functions to assist with the user query\.",
    r"If available tools are not relevant in assisting with user query, just respond in natural conversational language\.",
    r"Don't make assumptions about what values to plug into (?:the )?functions\.",
    (
        r"After calling & executing the functions, you will be provided with function results within <tool_response> ?"
        r"</tool_response> XML tags\."
    ),
    r"Here are the available tools:",
    r"Use the following pydantic model json schema for each tool call you will make: ?(?:\{[^\n]{0,1000}?\}(?= For each|\n|\Z))?",
    r"For each function call,? return a json object,? with the following pydantic model json schema[^:]{0,9}: ?\{[^\n]{0,1000}",
    (
        r"For each function call,? return a json object with (?:the )?function name and arguments within "
        r"<tool_call> ?</tool_call> XML tags(?: as follows)?[.:]"
    ),
    r"Each function call should be enclosed within <tool_call> ?</tool_call> XML tags(?: as follows)?[.:]?",
    r"You must use <scratch_pad> ?</scratch_pad> XML tags to record your reasoning and planning[^.\n]{0,200}\.?",
    (
        r"(?:Example: ?)?(?:<scratch_pad>[^<]{0,200}</scratch_pad> ?)?"
        r"<tool_call>[^<]{0,200}(?:<[\w-]+>[^<]{0,200}){0,4}</tool_call>"
    ),
)
_INSTRUCTIONS = re.compile("|".join(_SENTENCES).replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)


class Taken(NamedTuple):
    """`system` is the text itself where it says more than a system prompt of ours would, as in `Conversation`."""

    tools: tuple[dict[str, Json], ...]
    other: str
    system: str | None


def taken_apart(text: str, tools: tuple[dict[str, Json], ...] = ()) -> Taken:
    """The tools of a system text, unless the row gives them, and what else it says. Raises InputError for broken ones."""
    if _OPEN not in text:
        return Taken(tools, text, None)
    place = _place(text)
    if place is None:
        return Taken(tools, text, None)
    start, end = place
    other = _rest(text[:start]) + "\n" + _rest(text[end + len(_CLOSE) :])
    found = tools or _tools(text[start + len(_OPEN) : end])
    return Taken(found, other.strip(), text if other.strip() else None)


def _place(text: str) -> tuple[int, int] | None:
    """Where <tools> and </tools> stand with something between them."""
    start = text.find(_OPEN)
    while start >= 0:
        end = text.find(_CLOSE, start)
        if end < 0:
            raise InputError("the system text opens <tools> and does not close it; add </tools>")
        if text[start + len(_OPEN) : end].strip():
            return start, end
        start = text.find(_OPEN, end)
    return None


def _tools(listed: str) -> tuple[dict[str, Json], ...]:
    """One list of tools, or tools one after the other."""
    values = values_in(listed, "the system text's <tools>")
    flat = [tool for value in values for tool in (value if isinstance(value, list) else [value])]
    return tools_of(flat, "tools")


def _rest(text: str) -> str:
    pieces = map(str.strip, _INSTRUCTIONS.sub("\n", text).split("\n"))
    return "\n".join(filter(None, pieces))
