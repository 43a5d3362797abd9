"""The OpenAI-compatible engine: a model behind a server that takes messages (vLLM, SGLang, llama.cpp, a cluster's balancer).

One HTTP request per attempt, each with its own seed, at most `concurrency` in flight. What passes (no connection, a cut one, a
time-out, 408, 425, 429, 5xx, a body that is no answer) is tried again; what a person must act on is an EngineError at once. The
key goes to the address it was given for and nowhere else: redirects are not followed, and no message or log line has it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NoReturn, TypeVar

from toolcalls.records import Generation
from trainer.engines.openai_options import Options, options_from
from trainer.engines.openai_wire import (
    BEYOND_OPENAI,
    Choice,
    Reply,
    Unreadable,
    body_of,
    is_too_long,
    is_without_quota,
    messages_hash,
    reply_of,
)
from trainer.engines.protocol import Answer, EngineError, MessageRequest
from trainer.engines.retrying import Patience, wanted_pause

try:
    import httpx
except ImportError as missing:
    raise EngineError(f"The openai engine needs httpx ({missing}). Install whetstone[train].") from missing

log = logging.getLogger(__name__)
T = TypeVar("T")
CONNECT = 10.0  # seconds to reach the server
MOST_BYTES = 8 << 20  # of a response's body
MOST_WORDS = 300  # characters of a server's own words that a message repeats
PASSING = {408, 425, 429}  # and 500 to 599


class _Passing(Exception):
    """A try failed in a way that another may not. `wanted`: seconds for which the server wants to be left alone."""

    def __init__(self, why: str, wanted: float | None = None) -> None:
        super().__init__(why)
        self.wanted = wanted


class OpenAiEngine:
    """Asks one model of one server. Its event loop runs only while somebody waits for the next answer, and on a thread of its
    own, so that it may be asked where another loop runs already (a notebook).

    Not in charge of reading its options nor of where the key is from: see `open_openai`.
    """

    name = "openai"
    end_ids: tuple[int, ...] = ()

    def __init__(self, model: str, options: Options, key: str, *, max_length: int, patience: Patience) -> None:
        self.model, self.options, self.max_length, self.patience = model, options, max_length, patience
        self.address = f"{options.url.rstrip('/')}/chat/completions"
        self._key = key
        self._seen: Counter[str] = Counter()
        for chatty in ("httpx", "httpcore"):  # they log every request, and what a server sends back with it
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._runner = asyncio.Runner()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="openai")
        self._certificates = httpx.create_ssl_context()
        self._lines: list[httpx.AsyncClient] = []  # those that carry no request now

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._thread.submit(self._runner.run, work).result()

    def _line(self) -> httpx.AsyncClient:
        """A client of one connection. A pool of many looks at all of them at each request, at 64 for some milliseconds."""
        said = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        return httpx.AsyncClient(
            headers=said | ({"Authorization": f"Bearer {self._key}"} if self._key else {}),
            timeout=httpx.Timeout(None, connect=CONNECT),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
            verify=self._certificates,
        )

    def answer(self, requests: Iterable[MessageRequest]) -> Iterator[Answer]:
        """Answers as they come."""
        jobs = ((request, first) for request in requests for first in range(0, len(request.seeds), self.options.n))
        running: set[asyncio.Task[list[Answer]]] = set()
        done: set[asyncio.Task[list[Answer]]] = set()
        loop = self._thread.submit(self._runner.get_loop).result()
        try:
            while True:
                free = self.options.concurrency - len(running)
                running |= {loop.create_task(self._attempts(*job)) for job in islice(jobs, free)}
                if not running:
                    return
                done, running = self._run(_some_done(running))
                for task in done:
                    yield from task.result()
        finally:
            if not loop.is_closed():  # close() has ended them
                for task in running:  # a wait that was interrupted goes on over there until they end
                    loop.call_soon_threadsafe(task.cancel)
                self._run(_ended(running | done))
            self._tell()

    async def _attempts(self, request: MessageRequest, first: int) -> list[Answer]:
        """The attempts from number `first` on that one HTTP request asks for."""
        seeds = request.seeds[first : first + self.options.n]
        try:
            reply = await self._ask(self._body(request, seeds))
        except EngineError as error:
            raise EngineError(f"{self.address}, request {request.id}: {error}") from error
        room = self.max_length - request.sampling.max_new_tokens
        if reply is None or reply.prompt_tokens > room:
            prompt_tokens = 0 if reply is None else reply.prompt_tokens
            reply = Reply((Choice("", "too_long", False),) * len(seeds), prompt_tokens, 0)
        self._seen["without a count of tokens"] += reply.choices[0].finish != "too_long" and not reply.prompt_tokens
        self._seen["with thought apart, which was left out"] += sum(choice.thought for choice in reply.choices)
        return _answers(request, first, reply)

    def _body(self, request: MessageRequest, seeds: Sequence[int]) -> Mapping[str, Any]:
        body = body_of(
            self.model,
            request.messages,
            request.sampling,
            seeds[0],
            n=len(seeds),
            token_limit=self.options.token_limit,
            plain=self.options.plain,
        )
        return {**self.options.body, **body}

    async def _ask(self, body: Mapping[str, Any]) -> Reply | None:
        """The reply to a body, after as many tries as it takes; None where prompt and answer do not fit. Raises EngineError."""
        content = json.dumps(body).encode()
        clock = asyncio.get_running_loop().time
        began, failures = clock(), 0
        while True:
            try:
                return await self._try(content, body["n"])
            except _Passing as error:
                failures += 1
                pause = self.patience.pause(failures, clock() - began, random.random(), error.wanted)
                if pause is None:
                    raise EngineError(_given_up(error, failures, clock() - began)) from error
            self._seen["after another try"] += 1
            await asyncio.sleep(pause)

    async def _try(self, content: bytes, n: int) -> Reply | None:
        """One HTTP request. Raises _Passing, EngineError."""
        line = self._lines.pop() if self._lines else self._line()
        try:
            async with asyncio.timeout(self.options.timeout):
                async with line.stream("POST", self.address, content=content) as response:
                    data = await _whole(response)
            if response.status_code == 200:
                return reply_of(data, n)
            self._refuse(response, data)
            return None
        except TimeoutError as error:
            raise _Passing(f"no answer within {self.options.timeout:g} s") from error
        except httpx.TransportError as error:
            raise _Passing(f"the connection failed ({self._without_key(str(error)) or type(error).__name__})") from error
        except Unreadable as error:
            raise _Passing(f"what came back is no answer: {self._without_key(str(error))}") from error
        finally:
            self._lines.append(line)

    def _refuse(self, response: httpx.Response, data: bytes) -> None:
        """Raises _Passing or EngineError for whatever is no answer, except a prompt that is too long."""
        status, said = response.status_code, data.decode(errors="replace")
        if is_too_long(status, said):
            return
        words = f"status {status}{self._words(said)}"
        if (status in PASSING or status >= 500) and not is_without_quota(status, said):
            raise _Passing(words, wanted_pause(response.headers.get("Retry-After"), datetime.now(UTC)))
        self._fail(status, words)

    def _fail(self, status: int, words: str) -> NoReturn:
        """The refusal with what to do about it."""
        key = self.options.key_env
        if 300 <= status < 400:
            advice = "It sends on to another address, which is not followed: the key is not for others. Register that address."
        elif status in (401, 403):
            advice = f"It refused the key in {key}." if self._key else f"It wants a key; set {key} where the worker starts."
        elif status == 404:
            advice = f"Has it a model {self.model!r}, and is the option url the address of its API, which often ends in /v1?"
        elif status == 429:
            advice = "Its quota is used up; waiting does not help."
        elif any(name in words for name in BEYOND_OPENAI):
            advice = "Set the option plain to true: it leaves out what OpenAI itself does not know."
        else:
            advice = "It takes no such request."
        raise EngineError(f"{words}. {advice}")

    def _words(self, said: str) -> str:
        """What the server says of its refusal, cut short."""
        try:
            document = json.loads(said)
            inner = document.get("error", document)
            said = str(inner.get("message", said)) if isinstance(inner, dict) else str(inner)
        except (ValueError, RecursionError, AttributeError):
            pass
        short = " ".join("".join(letter if letter.isprintable() else " " for letter in self._without_key(said)).split())
        return f": {short[:MOST_WORDS]}" if short else ""

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text

    def _tell(self) -> None:
        for what, count in self._seen.items():
            if count:
                log.info("%s: %d answers %s", self.address, count, what)
        self._seen.clear()

    def close(self) -> None:
        """End the connections."""
        self._run(_closed(self._lines))
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()


def open_openai(model: str, *, max_length: int, **values: Any) -> OpenAiEngine:
    """The engine of a model's name at a server. `values`: see Options; the key is read from the environment here.

    Raises EngineError for options that cannot be used and a key that no header can carry. Asks the server nothing yet.
    """
    options = options_from(values)
    key = os.environ.get(options.key_env, "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise EngineError(f"The environment variable {options.key_env} holds what cannot be a key: spaces or unusual letters.")
    patience = Patience(options.retries, options.patience)
    return OpenAiEngine(model, options, key, max_length=max_length, patience=patience)


def _answers(request: MessageRequest, first: int, reply: Reply) -> list[Answer]:
    """A reply as answers; the tokens of several choices, which servers count together, are divided among them."""
    each, more = divmod(reply.completion_tokens, len(reply.choices))
    hashed = messages_hash(request.messages)
    return [
        Answer(
            request.id,
            Generation(
                attempt=first + place,
                seed=request.seeds[first + place],
                text=choice.text,
                finish_reason=choice.finish,
                prompt_tokens=reply.prompt_tokens,
                completion_tokens=each + (place < more),
                prompt_hash=hashed,
            ),
        )
        for place, choice in enumerate(reply.choices)
    ]


async def _some_done(tasks: set[asyncio.Task[list[Answer]]]) -> tuple[set[Any], set[Any]]:
    return await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


async def _ended(tasks: set[asyncio.Task[list[Answer]]]) -> None:
    """Cancel the tasks and take what they raise."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _closed(lines: Iterable[httpx.AsyncClient]) -> None:
    for line in lines:
        await line.aclose()


async def _whole(response: httpx.Response) -> bytes:
    """The body. Raises Unreadable when it is larger than MOST_BYTES, or packed although it was asked not to be."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Unreadable("a packed body")
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > MOST_BYTES:
            raise Unreadable(f"more than {MOST_BYTES >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _given_up(error: _Passing, tries: int, seconds: float) -> str:
    wanted = "" if error.wanted is None else f" It wants to be left alone for {error.wanted:.0f} s."
    times = f"{tries} tries" if tries > 1 else "one try"
    advice = "See whether the server runs; the options retries and patience allow more."
    return f"{error}; given up after {times} in {seconds:.0f} s.{wanted} {advice}"
