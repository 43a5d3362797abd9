"""An engine whose answers are given beforehand: for tests, and for trying the loop without a model. Loads no torch.

A script file is JSON, every key optional:
    {"answers": {"request id": ["attempt 0", "attempt 1", …]},   the list is repeated when there are more attempts
     "rules": [{"contains": "text of the prompt", "answers": […]}],   the first rule that matches, when no id does
     "default": ["…"],   otherwise
     "fail_at": 3,   raise EngineError at the request with this number, counted from 1 since the engine was opened
     "die_at": 3,   end the process there at once, as kill -9 would
     "once": "file",   fail or die only while this file is not there, and make it first
     "seconds": 0.1}   pause before each request
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolcalls.records import Message
from trainer.engines.protocol import Completion, EngineError, FinishReason, Request, fits, too_long

END = 256  # the end token; 0–255 are the bytes of UTF-8
Answerer = Callable[[Request, int], str]
_KEYS = {"answers", "rules", "default", "fail_at", "die_at", "once", "seconds"}


def encode_bytes(messages: Sequence[Message]) -> tuple[int, ...]:
    """Messages as bytes, one token each: a stand-in for a chat template."""
    text = "".join(f"<|{message.role}|>{message.content}<|end|>" for message in messages)
    return tuple(f"{text}<|assistant|>".encode())


@dataclass(slots=True)
class ScriptedEngine:
    """Gives `answer(request, attempt)`, cut to max_new_tokens bytes. Not in charge of reading files: see `open_script`."""

    answer: Answerer
    max_length: int = 1_000_000
    before: Callable[[int, Request], None] | None = None  # called with each request's number, from 1
    encoder: Callable[[Sequence[Message]], tuple[int, ...]] = encode_bytes
    name: str = "scripted"
    end_ids: tuple[int, ...] = (END,)
    served: int = 0  # requests so far

    def encode(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The prompt's token ids."""
        return self.encoder(messages)

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """Completions in the order of the requests."""
        for request in requests:
            self.served += 1
            if self.before is not None:
                self.before(self.served, request)
            if fits(request, self.max_length):
                yield from (self._completion(request, attempt) for attempt in range(len(request.seeds)))
            else:
                yield from too_long(request)

    def _completion(self, request: Request, attempt: int) -> Completion:
        answer = self.answer(request, request.first + attempt).encode()
        limit = request.sampling.max_new_tokens
        tokens, seed, prompt_tokens = answer[:limit], request.seeds[attempt], len(request.prompt_ids)
        finish: FinishReason = "stop" if len(answer) < limit else "length"
        return Completion(request.id, attempt, seed, tuple(tokens), tokens.decode(errors="ignore"), finish, prompt_tokens)

    def close(self) -> None:
        """Nothing to give back."""


def open_script(path: str | Path, *, max_length: int = 1_000_000) -> ScriptedEngine:
    """The engine of a script file. Raises EngineError when the file is none."""
    try:
        script = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"{path}: is no script for the scripted engine ({error}).") from error
    if not isinstance(script, dict) or set(script) - _KEYS:
        raise EngineError(f"{path}: a script is a JSON object with some of the keys {', '.join(sorted(_KEYS))}.")
    return ScriptedEngine(_answers(script), max_length, _failures(script))


def _answers(script: Mapping[str, Any]) -> Answerer:
    def answer(request: Request, attempt: int) -> str:
        answers = script.get("answers", {}).get(request.id)
        if answers is None and script.get("rules"):
            prompt = bytes(token for token in request.prompt_ids if token < END).decode(errors="replace")
            answers = next((rule["answers"] for rule in script["rules"] if rule["contains"] in prompt), None)
        answers = answers or script.get("default") or [""]
        return str(answers[attempt % len(answers)])

    return answer


def _failures(script: Mapping[str, Any]) -> Callable[[int, Request], None]:
    def before(number: int, request: Request) -> None:
        time.sleep(script.get("seconds", 0))
        if number not in (script.get("fail_at"), script.get("die_at")) or not _first_time(script.get("once")):
            return
        if number == script.get("die_at"):
            os._exit(137)
        raise EngineError(f"The script fails at request {number} ({request.id}).")

    return before


def _first_time(marker: str | None) -> bool:
    if marker is None:
        return True
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
