"""What the proxy makes of chat completions: whether two answers agree, the request for the next one, the answer it gives back.

Messages and completions are those of OpenAI's chat API, as a server wrote them: nothing in them is taken for granted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from toolcalls.answers import Calls
from toolcalls.canonical import answer_key, text_equal
from toolcalls.errors import InputError
from toolcalls.formats.nested_json import calls_of
from toolcalls.parsing import parse
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.rendering import render

NATIVE = "native"  # calls are shown as the server gave them, for its chat template to write
FINISHED = ("stop", "tool_calls", "function_call")
_OWN = ("stream", "stream_options")  # of a request: what is the proxy's business and not the server's


@dataclass(frozen=True, slots=True)
class Refined:
    """The completion that stands, as the server wrote it, and how it came about."""

    completion: dict[str, Any]
    turns: int  # refine turns that were asked
    agreed: bool  # whether two answers in a row agreed
    usage: dict[str, Any] | None  # of all turns together; None where the server tells none


def direct_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request as the server gets it. Raises InputError for one that cannot be refined."""
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InputError("'messages' must be a list of messages")
    if request.get("n", 1) not in (1, None):
        raise InputError("'n' must be 1: one answer is refined")
    return {name: value for name, value in request.items() if name not in _OWN}


def refine_request(request: Mapping[str, Any], completion: Mapping[str, Any], form: str) -> dict[str, Any]:
    """The same with the answer and the refine prompt (Fig. 6) after the conversation. Only the answer before is shown."""
    shown = _shown(message_of(completion), form)
    return {**request, "messages": [*request["messages"], shown, {"role": "user", "content": REFINE_PROMPT}]}


def message_of(completion: Mapping[str, Any]) -> dict[str, Any]:
    """The answer's message. Raises InputError where there is none."""
    try:
        message = completion["choices"][0]["message"]
    except (KeyError, IndexError, TypeError):
        message = None
    if not isinstance(message, dict):
        raise InputError("the server's answer has no choices[0].message")
    return message


def is_finished(completion: Mapping[str, Any]) -> bool:
    """Whether the answer was ended by the model and says something."""
    message = message_of(completion)
    return completion["choices"][0].get("finish_reason") in FINISHED and bool(_listed(message) or _content(message).strip())


def same_message(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Aᵢ == Aᵢ₋₁ of Algorithm 1: equal calls, given as `tool_calls` or as text, else equal text."""
    first, second = _calls(one), _calls(other)
    if first is not None and second is not None:
        return answer_key(first) == answer_key(second)
    return text_equal(_text(one), _text(other))


def added(one: Any, other: Any) -> Any:
    """Two usages: whole numbers are summed, objects field by field; what only one of them has stays."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: added(one.get(name), other.get(name)) for name in {**one, **other}}
    if type(one) is int and type(other) is int:
        return one + other
    return one if other is None else other


def answer_body(refined: Refined) -> dict[str, Any]:
    """The completion, with the usage of all turns and how many refine turns there were."""
    told = {"turns": refined.turns, "agreed": refined.agreed}
    return {**refined.completion, **({"usage": refined.usage} if refined.usage else {}), "whetstone": told}


def chunks(refined: Refined, *, with_usage: bool) -> Iterator[dict[str, Any]]:
    """The same as the chunks of a stream: one with the whole message, one with its end, one with the usage if wanted."""
    body = answer_body(refined)
    message, choice = message_of(body), body["choices"][0]
    calls = [{"index": index, **call} for index, call in enumerate(_listed(message)) if isinstance(call, dict)]
    delta = {**message, "role": "assistant", **({"tool_calls": calls} if calls else {})}
    head: dict[str, Any] = {
        name: body[name] for name in ("id", "created", "model", "system_fingerprint", "whetstone") if name in body
    }
    head["object"] = "chat.completion.chunk"
    yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice.get("finish_reason")}]}
    if with_usage and refined.usage:
        yield {**head, "choices": [], "usage": refined.usage}


def _shown(message: Mapping[str, Any], form: str) -> dict[str, Any]:
    """The assistant's turn that the refine prompt speaks of."""
    listed = _listed(message)
    calls = _calls(message) if listed else None
    if calls is not None and form != NATIVE:
        try:
            return {"role": "assistant", "content": render(calls.calls, form)}
        except ValueError:
            return {"role": "assistant", "content": _text(message)}
    shown = {"role": "assistant", "content": message.get("content")}
    return {**shown, "tool_calls": listed} if listed else shown


def _calls(message: Mapping[str, Any]) -> Calls | None:
    if not (listed := _listed(message)):
        read = parse(_content(message))
        return read if isinstance(read, Calls) else None
    try:
        return Calls(calls_of(listed, "tool_calls"), "openai")
    except InputError:
        return None


def _text(message: Mapping[str, Any]) -> str:
    """The content, or the calls without their ids, which differ from answer to answer."""
    if not (listed := _listed(message)):
        return _content(message)
    return json.dumps([call.get("function") if isinstance(call, dict) else call for call in listed], sort_keys=True)


def _listed(message: Mapping[str, Any]) -> list[Any]:
    listed = message.get("tool_calls")
    return listed if isinstance(listed, list) else []


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""
