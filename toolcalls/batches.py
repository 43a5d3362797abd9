"""OpenAI's batch files: a line that asks for an attempt, the name that the line carries, and the answer read back from a line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from toolcalls.errors import InputError
from toolcalls.records import Message, Sampling

ADDRESS = "/v1/chat/completions"
TURNS = ("direct", "refine")  # names of records.Turn
GREEDY = "greedy"  # stands for an attempt's number: the extra greedy A₁
_NAME = re.compile(r"(.+)#(direct|refine)\.(\d{1,4}|greedy)(?:\.([0-9a-f]{12}))?", re.DOTALL)
_ENDED = {"stop": "stop", "tool_calls": "stop", "function_call": "stop", "length": "length"}


class Name(NamedTuple):
    """What a line asks for: an attempt (None: the greedy one) of a turn of a sample, and the digest of its prompt, if stated."""

    key: str
    turn: int
    attempt: int | None
    digest: str = ""

    def __str__(self) -> str:
        """The line's custom_id."""
        attempt = GREEDY if self.attempt is None else self.attempt
        return f"{self.key}#{TURNS[self.turn]}.{attempt}{'.' if self.digest else ''}{self.digest}"


class Said(NamedTuple):
    """A model's answer; counts of tokens are 0 where nobody says."""

    text: str
    finish_reason: Literal["stop", "length"]
    prompt_tokens: int = 0
    completion_tokens: int = 0


def named(custom_id: str) -> Name:
    """The inverse of str(Name). Raises InputError for a custom_id of another shape."""
    found = _NAME.fullmatch(custom_id)
    if found is None:
        raise InputError(f"custom_id {custom_id[:80]!r} is none of ours; it reads SAMPLE#direct.0 or SAMPLE#refine.0")
    key, turn, attempt, digest = found.groups()
    return Name(key, TURNS.index(turn), None if attempt == GREEDY else int(attempt), digest or "")


def prompt_digest(messages: Sequence[Message]) -> str:
    """12 hex digits by which an answer to another prompt is told."""
    said = json.dumps([[message.role, message.content] for message in messages])
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def request_line(name: Name, messages: Sequence[Message], sampling: Sampling, seed: int, model: str) -> str:
    """The line that asks for one attempt, without its end."""
    body = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_new_tokens,
        "seed": seed,
    }
    asked = {"custom_id": str(name), "method": "POST", "url": ADDRESS, "body": body}
    return json.dumps(asked, ensure_ascii=False)


def answered(line: dict[str, Any]) -> Said:
    """The answer in a line of a batch's output. Raises InputError for a line that has none, with the provider's words."""
    response, error = line.get("response"), line.get("error")
    if error or not isinstance(response, dict):
        raise InputError(f"the provider gave no answer: {_words(error)}")
    body = response.get("body")
    if response.get("status_code") != 200 or not isinstance(body, dict):
        told = body.get("error") if isinstance(body, dict) else body
        raise InputError(f"the provider answered with status {response.get('status_code')}: {_words(told)}")
    choices = body.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        many = len(choices) if isinstance(choices, list) else 0
        raise InputError(f"{many} choices in the answer; each line asks for one attempt, so one is expected")
    return _said(choices[0], body.get("usage"))


def _said(choice: dict[str, Any], usage: Any) -> Said:
    message, ended = choice.get("message"), choice.get("finish_reason")
    if not isinstance(message, dict):
        raise InputError("the answer has no message")
    if ended not in _ENDED:
        raise InputError(f"the answer ended by {str(ended)[:40]!r} and not by itself; ask for it again")
    counts = usage if isinstance(usage, dict) else {}
    tokens = [whole(counts.get(name)) for name in ("prompt_tokens", "completion_tokens")]
    return Said(_text(message), "length" if _ENDED[ended] == "length" else "stop", *tokens)


def _text(message: dict[str, Any]) -> str:
    """What the model wrote. Calls that the server took out of it are put back as OpenAI's messages hold them, untouched."""
    calls = {name: message[name] for name in ("tool_calls", "function_call") if message.get(name)}
    content = message.get("content")
    if calls:
        return json.dumps(calls, ensure_ascii=False)
    if content is not None and not isinstance(content, str):
        raise InputError("the message's content is no text; only text is read")
    return content or ""


def whole(count: Any) -> int:
    """A count of tokens as somebody else wrote it; 0 for what is none."""
    return count if type(count) is int and 0 <= count < 2**31 else 0


def _words(error: Any) -> str:
    said = error.get("message") if isinstance(error, dict) else error
    return str(said or "no reason is given")[:300]
