"""The words of OpenAI's chat completions: one request's body, and what an answer says. Pure: no network, no clock.

Of a message `content` is the answer's text. Calls that the server has parsed out of it (`tool_calls`, the older `function_call`)
are written back into the text as `toolcalls` reads them, in its form `openai`, less their random ids. What the server has put
aside as thought (`reasoning_content`, `reasoning`) is no part of the answer and is left out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolcalls.records import Message, Sampling
from trainer.encoding import without_tool_turns
from trainer.engines.protocol import EngineError, FinishReason

FINISHES: Mapping[str, FinishReason] = {
    "stop": "stop",
    "tool_calls": "stop",
    "function_call": "stop",
    "length": "length",
}
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|string_above_max_length|prompt is too long|maximum input length"
    r"|context (length|size|window)",
    re.IGNORECASE,
)
BEYOND_OPENAI = ("top_k", "min_p", "repetition_penalty", "skip_special_tokens")
_OWN_WORDS = 2000  # characters of a refusal that are looked through: what follows may repeat the prompt
_NO_QUOTA = re.compile(r"insufficient_quota|billing", re.IGNORECASE)


class Unreadable(Exception):
    """An answer of status 200 that is none; another try may bring a better one."""


class Choice(NamedTuple):
    """One answer. `thought`: whether the server has put some of it aside."""

    text: str
    finish: FinishReason
    thought: bool


class Reply(NamedTuple):
    """The answers to one request in order, and the tokens of its prompt and of all answers together (0: not told)."""

    choices: tuple[Choice, ...]
    prompt_tokens: int
    completion_tokens: int


def body_of(
    model: str, messages: Sequence[Message], sampling: Sampling, seed: int, *, n: int, token_limit: str, plain: bool
) -> dict[str, Any]:
    """The request's body. All decoding parameters are stated, so that no default of the server or the model enters.

    `plain` leaves out those that OpenAI does not know, and says in the user's name what tools gave back.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [plain_message(message) for message in (without_tool_turns(messages) if plain else messages)],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        token_limit: sampling.max_new_tokens,
        "seed": seed,
        "n": n,
        "stream": False,
    }
    if not plain:
        beyond = (sampling.top_k or -1, 0.0, sampling.repetition_penalty, False)
        body |= zip(BEYOND_OPENAI, beyond, strict=True)
    elif sampling.top_k or sampling.repetition_penalty != 1:
        raise EngineError("with the option plain a server is not asked for top_k or repetition_penalty; leave them out")
    return body


def plain_message(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}


def messages_hash(messages: Sequence[Message]) -> str:
    """sha256 of the conversation's canonical JSON, hex: in the place of the token ids, which only the server knows."""
    plain = [plain_message(message) for message in messages]
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def reply_of(content: bytes, n: int) -> Reply:
    """The answers in a response's body. Raises Unreadable, EngineError for one that a filter withheld."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON") from error
    choices = document.get("choices") if isinstance(document, dict) else None
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise Unreadable("no list of choices")
    if len(choices) != n:
        raise Unreadable(f"{len(choices)} choices where {n} were asked for")
    if n > 1:
        choices = _in_order(choices)
    usage = document.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    told = [_count(counts.get(name)) for name in ("prompt_tokens", "completion_tokens")]
    return Reply(tuple(map(_choice, choices)), told[0], told[1])


def _in_order(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    places = {choice["index"]: choice for choice in choices if type(choice.get("index")) is int}
    if sorted(places) != list(range(len(choices))):
        raise Unreadable("choices without an index each")
    return [places[place] for place in range(len(choices))]


def _count(value: Any) -> int:
    """A count of tokens as the record can keep it; 0 for none."""
    return value if type(value) is int and 0 <= value < 1 << 31 else 0


def _choice(choice: Mapping[str, Any]) -> Choice:
    said, message = choice.get("finish_reason"), choice.get("message")
    if said == "content_filter":
        raise EngineError("the server withheld an answer (content_filter); leave the sample out, or ask a model without a filter")
    if not isinstance(said, str) or said not in FINISHES:
        raise Unreadable(f"the finish_reason {str(said)[:40]!r}")
    if not isinstance(message, dict):
        raise Unreadable("a choice without a message")
    thought = any(message.get(name) for name in ("reasoning_content", "reasoning"))
    return Choice(whole_letters(text_of(message)), FINISHES[said], thought)


def text_of(message: Mapping[str, Any]) -> str:
    """What the model wrote, with the calls that the server has parsed written back. Raises Unreadable."""
    content = message.get("content") or message.get("refusal") or ""
    if not isinstance(content, str):
        raise Unreadable("a content that is no text")
    calls = message.get("tool_calls") or ([{"function": message["function_call"]}] if message.get("function_call") else [])
    if not calls:
        return content
    if not isinstance(calls, list):
        raise Unreadable("tool_calls that are no list")
    written = {"content": content} if content else {}
    return json.dumps({**written, "tool_calls": [_call(call) for call in calls]}, ensure_ascii=False)


def _call(call: Any) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise Unreadable("a tool call without a function's name")
    return {"type": "function", "function": {"name": function["name"], "arguments": function.get("arguments") or "{}"}}


def whole_letters(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair, which JSON may carry and UTF-8 may not."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_too_long(status: int, content: str) -> bool:
    """Whether a refusal means that prompt and answer do not fit into the model's context."""
    return status in (400, 413, 422) and _TOO_LONG.search(content, 0, _OWN_WORDS) is not None


def is_without_quota(status: int, content: str) -> bool:
    """Whether a refusal means that waiting will not help."""
    return status == 429 and _NO_QUOTA.search(content, 0, _OWN_WORDS) is not None
