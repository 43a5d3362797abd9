"""The conversation formats that data sets come in, each brought to one shape: tools, other information, turns.

Known: "toolace" (`system`, `conversations` of user/assistant/tool), "sharegpt" (LLaMA-Factory: human/gpt/function_call/
observation, `tools` a JSON string), "openai" (`messages`, `tools`; also the old `functions` and `function_call`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from toolcalls.answers import Call, Calls, Json, ParseFailure
from toolcalls.errors import InputError
from toolcalls.parsing import parse
from toolcalls.rendering import render
from toolcalls.rows import decoded
from toolcalls.schema import tool_name, unwrapped
from toolcalls.system_texts import take_apart
from toolcalls.wire import Fields


@dataclass(frozen=True, slots=True)
class Said:
    """One turn. `content` is what stands in the context of later turns; `calls` is None for words.

    problem: why an assistant turn cannot be a truth. trained: whether the source wants it learnt.
    """

    role: str
    content: str
    calls: tuple[Call, ...] | None = None
    structured: bool = False  # the calls came as JSON, not as text in the call form
    problem: str = ""
    trained: bool = True


@dataclass(frozen=True, slots=True)
class Conversation:
    """One row of a data set."""

    tools: tuple[dict[str, Json], ...]
    turns: tuple[Said, ...]
    other: str = ""
    system: str | None = None


def from_toolace(row: dict[str, Any]) -> Conversation:
    """Read a ToolACE row. Raises InputError, as all readers here do, when the row is not of this format."""
    fields = Fields(row, "row")
    system = fields.get("system", str)
    apart = take_apart(system)
    turns = []
    for index, turn in enumerate(fields.get("conversations", list)):
        turned = Fields(turn, f"conversations[{index}]")
        role = turned.one_of("from", "user", "assistant", "tool")
        value = turned.get("value", str)
        turns.append(_written(value) if role == "assistant" else Said(role, value))
    return Conversation(apart.tools, tuple(turns), apart.other, None if apart.understood else system)


def from_sharegpt(row: dict[str, Any]) -> Conversation:
    """Read a row of LLaMA-Factory's sharegpt format."""
    fields = Fields(row, "row")
    turns, other = [], [fields.optional("system", str) or ""]
    for index, turn in enumerate(fields.get("conversations", list)):
        turned = Fields(turn, f"conversations[{index}]")
        role = turned.one_of("from", "human", "gpt", "function_call", "observation", "system")
        value = turned.get("value", str)
        if role == "system":
            other.append(value)
        elif role == "function_call":
            turns.append(_structured(_calls(_decoded(value, turned.where), turned.where)))
        elif role == "gpt":
            turns.append(_words_or_calls(value))
        else:
            turns.append(Said("user" if role == "human" else "tool", value))
    return Conversation(_tools(row.get("tools"), "tools"), tuple(turns), _joined(other))


def from_openai(row: dict[str, Any]) -> Conversation:
    """Read a row of OpenAI's chat and fine-tuning format; a turn of weight 0 stays context only."""
    fields = Fields(row, "row")
    turns, other = [], []
    for index, message in enumerate(fields.get("messages", list)):
        said = Fields(message, f"messages[{index}]")
        role = said.one_of("role", "system", "developer", "user", "assistant", "tool", "function")
        content = _content(said)
        if role in ("system", "developer"):
            other.append(content)
        elif role == "assistant":
            turns.append(_openai_answer(said, content))
        else:
            turns.append(Said("user" if role == "user" else "tool", content))
    described = row.get("tools") if row.get("tools") is not None else row.get("functions")
    return Conversation(_tools(described, "tools"), tuple(turns), _joined(other))


def _openai_answer(said: Fields, content: str) -> Said:
    trained = said.data.get("weight", 1) != 0
    where = said.where
    if said.data.get("tool_calls"):
        return _structured(_calls(said.get("tool_calls", list), where), trained)
    if said.data.get("function_call"):
        return _structured(_calls([said.get("function_call", dict)], where), trained)
    return _words_or_calls(content, trained)


def _content(said: Fields) -> str:
    """A message's text: a string, null, or a list of text parts."""
    content = said.data.get("content")
    if isinstance(content, list):
        parts = [Fields(part, f"{said.where}, content[{index}]") for index, part in enumerate(content)]
        return "".join(part.get("text", str) for part in parts)
    return said.optional("content", str) or ""


def _written(value: str, trained: bool = True) -> Said:
    """An assistant turn that was written as text: calls in the call form, or words."""
    answer = parse(value)
    if isinstance(answer, Calls):
        return Said("assistant", value, answer.calls, trained=trained)
    if isinstance(answer, ParseFailure):
        problem = f"holds something like a call that cannot be read: {answer.reason} at character {answer.position}"
        return Said("assistant", value, problem=problem, trained=trained)
    return Said("assistant", value, problem="" if value.strip() else "is empty", trained=trained)


def _words_or_calls(value: str, trained: bool = True) -> Said:
    """An assistant turn of a format with a field of its own for calls: code within prose is no broken call there."""
    said = _written(value, trained)
    if said.problem and value.strip() and not value.lstrip().startswith(("[", "<")):
        return Said("assistant", value, trained=trained)
    return said


def _structured(calls: Iterable[Call], trained: bool = True) -> Said:
    """An assistant turn whose calls came as JSON; its context text is the rendered call form."""
    calls = tuple(calls)
    return Said("assistant", render(calls), calls, structured=True, trained=trained)


def _calls(data: Any, where: str) -> tuple[Call, ...]:
    """Read one call or a list of calls: {"name", "arguments"}, also inside {"function": …}; arguments may be a JSON string."""
    calls = []
    for index, item in enumerate(data if isinstance(data, list) else [data]):
        fields = Fields(unwrapped(Fields(item, f"{where}, call {index + 1}").data), f"{where}, call {index + 1}")
        arguments = fields.data.get("arguments", fields.data.get("parameters"))
        if isinstance(arguments, str):
            arguments = _decoded(arguments, fields.where) if arguments.strip() else {}
        if not isinstance(arguments if arguments is not None else {}, dict):
            raise InputError(f"{fields.where}: arguments must be an object, or a text that holds one")
        calls.append(Call(fields.get("name", str), arguments or {}))
    if not calls:
        raise InputError(f"{where}: an empty list of calls")
    return tuple(calls)


def _decoded(text: str, where: str) -> Any:
    """A JSON text inside a field."""
    try:
        return decoded(text)
    except InputError as error:
        raise InputError(f"{where}: the text in it is {error}") from error


def _tools(data: Any, where: str) -> tuple[dict[str, Json], ...]:
    """Tools as a list, a JSON text of one, or a list of JSON texts; each without OpenAI's wrapper."""
    if data is None or data == "":
        return ()
    listed = _decoded(data, where) if isinstance(data, str) else data
    if not isinstance(listed, list):
        raise InputError(f"{where}: a list of tools expected, not {type(listed).__name__}")
    tools = []
    for index, item in enumerate(listed):
        place = f"{where}[{index}]"
        tool = dict(unwrapped(Fields(_decoded(item, place) if isinstance(item, str) else item, place).data))
        if not tool_name(tool):
            raise InputError(f"{place}: field 'name' is missing; every tool needs a name")
        tools.append(tool)
    return tuple(tools)


def _joined(texts: list[str]) -> str:
    return "\n".join(text for text in texts if text.strip())
