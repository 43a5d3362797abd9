"""The OpenAI-compatible engine against a server that is slow, broken or hostile, on a real socket."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from toolcalls.answers import Call, Calls
from toolcalls.parsing import parse
from toolcalls.records import Message, Sample, Sampling
from toolcalls.wire import to_json
from trainer.asking import Question, answers, ask
from trainer.cli import main
from trainer.engines.openai import OpenAiEngine, open_openai
from trainer.engines.openai_options import Options
from trainer.engines.openai_wire import messages_hash
from trainer.engines.protocol import EngineError, MessageRequest
from trainer.engines.retrying import Patience

KEY = "sk-of-no-use-Zq81"
SAMPLING = Sampling(max_new_tokens=16)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.headers.append(dict(self.headers))
            number = len(self.server.bodies)
            self.server.in_flight += 1
            self.server.most = max(self.server.most, self.server.in_flight)
        self.close_connection = False
        try:
            with suppress(BrokenPipeError, ConnectionResetError):
                self.server.behave(self, body, number)
        finally:
            with self.server.lock:
                self.server.in_flight -= 1

    def send(self, status: int, content: bytes | str | dict[str, Any], **headers: str) -> None:
        """A whole response."""
        content = json.dumps(content) if isinstance(content, dict) else content
        data = content.encode() if isinstance(content, str) else content
        with self.server.lock:
            self.server.in_flight -= 1  # before the client can send its next one
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        with self.server.lock:
            self.server.in_flight += 1

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    """Does with each request what its `behave` says, and remembers all."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behave: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave = behave
        self.lock = threading.Lock()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = self.most = 0
        self.url = f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no news."""


Behaviour = Callable[[Handler, dict[str, Any], int], None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Behaviour], Server]]:
    """`serve(behave)`: a server that runs until the test ends."""
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    servers: list[Server] = []

    def start(behave: Behaviour) -> Server:
        servers.append(Server(behave))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def opened() -> Iterator[Callable[..., OpenAiEngine]]:
    """`opened(server, retries=1, timeout=0.5)`: an engine whose pauses are milliseconds."""
    engines: list[OpenAiEngine] = []

    def start(
        server: Server, *, retries: int = 2, patience: float = 60.0, max_length: int = 1000, **options: Any
    ) -> OpenAiEngine:
        quick = Patience(retries, patience, first=0.001)
        engines.append(OpenAiEngine("m", Options(server.url, **options), KEY, max_length=max_length, patience=quick))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()


def completion(*texts: str, finish: str = "stop", usage: Any = (7, 3), **message: Any) -> dict[str, Any]:
    """A response's body."""
    choices = [
        {"index": place, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        for place, text in enumerate(texts)
    ]
    counts = None if usage is None else {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return {"object": "chat.completion", "choices": choices, **({} if counts is None else {"usage": counts})}


def echo(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.send(200, completion(*[f"{body['messages'][-1]['content']} {body['seed']}"] * body["n"]))


def first(bad: Behaviour, times: int = 1) -> Behaviour:
    """Bad for the first requests, then right."""
    return lambda handler, body, number: (bad if number <= times else echo)(handler, body, number)


def says(status: int, content: bytes | str | dict[str, Any], **headers: str) -> Behaviour:
    return lambda handler, body, number: handler.send(status, content, **headers)


def requests(count: int = 1, seeds: tuple[int, ...] = (5,)) -> list[MessageRequest]:
    return [MessageRequest(f"r{n}", (Message("user", f"q{n}"),), seeds, SAMPLING) for n in range(count)]


def texts(engine: OpenAiEngine, asked: list[MessageRequest]) -> dict[tuple[str, int], str]:
    return {(name, given.attempt): given.text for name, given in answers(engine, asked)}


# What passes -----------------------------------------------------------------------------------------------------------------


def cut_in_the_headers(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    hang_up(handler, body, number)


def cut_in_the_body(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"choices": [')
    hang_up(handler, body, number)


def hang_up(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def never_ends(handler: Handler, body: dict[str, Any], number: int) -> None:
    """A byte now and then: each read is in time, the whole is not."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    for _ in range(80):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def huge(handler: Handler, body: dict[str, Any], number: int) -> None:
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    for _ in range(40):
        handler.wfile.write(b" " * (1 << 20))


PASSING: dict[str, tuple[Behaviour, str]] = {
    "500": (says(500, "oh"), "status 500: oh"),
    "502 of a balancer": (says(502, "<html>Bad Gateway</html>"), "status 502"),
    "503 at once again": (says(503, {"error": {"message": "busy"}}, Retry_After="0"), "status 503: busy"),
    "429": (says(429, {"error": {"message": "slow down"}}, Retry_After="0"), "status 429: slow down"),
    "429 until a date that is past": (says(429, "", Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), "status 429"),
    "cut in the headers": (cut_in_the_headers, "the connection failed"),
    "cut in the body": (cut_in_the_body, "the connection failed"),
    "hangs up": (hang_up, "the connection failed"),
    "slow": (lambda *_: time.sleep(4), "no answer within 1 s"),
    "never ends": (never_ends, "no answer within 1 s"),
    "no JSON": (says(200, "<html>login</html>"), "no JSON"),
    "empty": (says(200, ""), "no JSON"),
    "too deep": (says(200, "[" * 100_000), "no JSON"),
    "a list": (says(200, "[]"), "no list of choices"),
    "an error of status 200": (says(200, {"error": {"message": "x"}}), "no list of choices"),
    "no choice": (says(200, completion()), "0 choices where 1 were asked for"),
    "two choices": (says(200, completion("a", "b")), "2 choices where 1 were asked for"),
    "choices that are none": (says(200, {"choices": ["a"]}), "no list of choices"),
    "no message": (says(200, {"choices": [{"finish_reason": "stop"}]}), "a choice without a message"),
    "no finish": (says(200, completion("a", finish="")), "the finish_reason ''"),
    "a list for a finish": (says(200, {"choices": [{"finish_reason": [1], "message": {}}]}), "the finish_reason"),
    "aborted": (says(200, completion("a", finish="abort")), "the finish_reason 'abort'"),
    "parts for a content": (says(200, completion("a", content=[{"type": "text"}])), "a content that is no text"),
    "calls without names": (says(200, completion("", tool_calls=[{"function": {}}])), "without a function's name"),
    "calls that are no list": (says(200, completion("", tool_calls=5)), "tool_calls that are no list"),
    "packed": (says(200, b"\x1f\x8b", Content_Encoding="gzip"), "a packed body"),
    "huge": (huge, "more than 8 MiB"),
}


TIMEOUTS = {"slow": 1.0, "never ends": 1.0}  # seconds


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again(serve: Any, opened: Any, name: str) -> None:
    server = serve(first(PASSING[name][0]))
    assert texts(opened(server, timeout=TIMEOUTS.get(name, 30.0)), requests()) == {("r0", 0): "q0 5"}
    assert len(server.bodies) == 2
    assert server.bodies[0] == server.bodies[1]


@pytest.mark.parametrize("name", PASSING)
def test_what_does_not_pass_is_an_error_that_says_what_and_where(serve: Any, opened: Any, name: str) -> None:
    bad, why = PASSING[name]
    server = serve(bad)
    with pytest.raises(EngineError) as caught:
        texts(opened(server, timeout=TIMEOUTS.get(name, 30.0), retries=1), requests())
    message = str(caught.value)
    assert message.startswith(f"{server.url}/chat/completions, request r0: ")
    assert why in message
    assert "given up after 2 tries" in message
    assert len(server.bodies) == 2


def test_a_server_that_is_not_there_is_an_error(serve: Any, opened: Any) -> None:
    server = serve(echo)
    engine = opened(server, retries=1)
    server.shutdown()
    server.server_close()
    with pytest.raises(EngineError, match=r"the connection failed .* after 2 tries .* See whether the server runs"):
        texts(engine, requests())


def test_a_server_that_wants_rest_is_left_alone_or_given_up(serve: Any, opened: Any) -> None:
    server = serve(says(429, "busy", Retry_After="3600"))
    with pytest.raises(EngineError, match=r"after one try in 0 s\. It wants to be left alone for 3600 s"):
        texts(opened(server), requests())
    assert len(server.bodies) == 1


def test_other_requests_are_answered_while_one_is_tried_again(serve: Any, opened: Any) -> None:
    def behave(handler: Handler, body: dict[str, Any], number: int) -> None:
        tried = sum(other["messages"] == body["messages"] for other in handler.server.bodies)
        bad = body["messages"][-1]["content"] in ("q3", "q17") and tried < 3
        (says(500, "oh") if bad else echo)(handler, body, number)

    server = serve(behave)
    asked = requests(20, seeds=(1, 2))
    assert texts(opened(server, retries=6), asked) == {(f"r{n}", a): f"q{n} {a + 1}" for n in range(20) for a in range(2)}


# What does not ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (says(401, {"error": {"message": "no"}}), "status 401: no. It refused the key in OPENAI_API_KEY"),
        (says(403, "no"), "It refused the key in OPENAI_API_KEY"),
        (says(404, {"error": {"message": "The model `m` does not exist."}}), "Has it a model 'm'"),
        (says(400, {"error": {"message": "Unrecognized request argument: top_k"}}), "Set the option plain to true"),
        (says(429, {"error": {"code": "insufficient_quota", "message": "quota"}}), "waiting does not help"),
        (says(200, completion("", finish="content_filter")), "content_filter"),
        (says(301, "", Location="https://elsewhere.example/"), "sends on to another address, which is not followed"),
    ],
)
def test_what_a_person_must_act_on_is_not_tried_again(serve: Any, opened: Any, behave: Behaviour, words: str) -> None:
    server = serve(behave)
    with pytest.raises(EngineError) as caught:
        texts(opened(server), requests())
    assert words in str(caught.value)
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_with_the_key(serve: Any, opened: Any, status: int) -> None:
    elsewhere = serve(echo)
    server = serve(says(status, "", Location=f"{elsewhere.url}/chat/completions"))
    with pytest.raises(EngineError, match="not followed"):
        texts(opened(server), requests())
    assert elsewhere.bodies == []


TOO_LONG = {
    "vLLM": {"error": {"message": "This model's maximum context length is 256 tokens. However, you requested 16 output tokens"}},
    "OpenAI": {"error": {"code": "context_length_exceeded", "message": "Too long."}},
    "llama.cpp": {"error": {"type": "exceed_context_size_error", "message": "the request exceeds the available context size"}},
    "SGLang": {"message": "The input (300 tokens) is longer than the model's context length (256 tokens)."},
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_a_prompt_without_room_is_too_long_and_the_others_are_answered(serve: Any, opened: Any, name: str) -> None:
    server = serve(lambda h, body, n: h.send(400, TOO_LONG[name]) if body["messages"][0]["content"] == "q1" else echo(h, body, n))
    given = {(name, one.attempt): (one.finish_reason, one.text) for name, one in answers(opened(server), requests(3, (1, 2)))}
    assert given["r1", 0] == given["r1", 1] == ("too_long", "")
    assert given["r0", 1] == ("stop", "q0 2")
    assert len(given) == 6


def test_a_prompt_that_leaves_no_room_in_the_run_s_own_length_is_too_long(serve: Any, opened: Any) -> None:
    server = serve(lambda h, body, n: h.send(200, completion("x", usage=(84 + (body["messages"][0]["content"] == "q1"), 3))))
    given = dict(answers(opened(server, max_length=100), requests(2)))
    assert (given["r0"].finish_reason, given["r0"].text) == ("stop", "x")
    assert (given["r1"].finish_reason, given["r1"].text, given["r1"].prompt_tokens) == ("too_long", "", 85)


# What is asked and what is read ----------------------------------------------------------------------------------------------


def test_a_request_states_every_parameter(serve: Any, opened: Any) -> None:
    server = serve(echo)
    (given,) = ask(opened(server), [Question("r", (Message("system", "s"), Message("user", "é")), (2**63 - 1,))], SAMPLING)[0]
    assert server.bodies[0] == {
        "model": "m",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "é"}],
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": -1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "max_tokens": 16,
        "seed": 2**63 - 1,
        "n": 1,
        "stream": False,
        "skip_special_tokens": False,
    }
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert (given.text, given.finish_reason, given.seed) == (f"é {2**63 - 1}", "stop", 2**63 - 1)
    assert (given.prompt_tokens, given.completion_tokens) == (7, 3)
    assert given.prompt_hash == messages_hash((Message("system", "s"), Message("user", "é")))


def test_a_plain_server_is_asked_what_openai_knows(serve: Any, opened: Any) -> None:
    server = serve(echo)
    engine = opened(server, plain=True, token_limit="max_completion_tokens", body={"reasoning_effort": "low", "seed": 1})
    turns = (Message("user", "q"), Message("assistant", "[f()]"), Message("tool", "7"), Message("user", "and?"))
    list(answers(engine, [MessageRequest("r", turns, (5,), SAMPLING)]))
    body = server.bodies[0]
    assert not {"top_k", "min_p", "repetition_penalty", "skip_special_tokens", "max_tokens"} & set(body)
    assert (body["max_completion_tokens"], body["reasoning_effort"], body["seed"]) == (16, "low", 5)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][-1]["content"] == "7\n\nand?"


def test_attempts_may_share_a_request(serve: Any, opened: Any) -> None:
    def behave(handler: Handler, body: dict[str, Any], number: int) -> None:
        reply = completion(*(f"{body['seed']}.{place}" for place in range(body["n"])), usage=(9, 11))
        reply["choices"].reverse()
        handler.send(200, reply)

    server = serve(behave)
    (given,) = ask(opened(server, n=4), [Question("r", (Message("user", "q"),), tuple(range(10, 16)))], SAMPLING)
    assert sorted((body["seed"], body["n"]) for body in server.bodies) == [(10, 4), (14, 2)]
    assert [one.text for one in given] == ["10.0", "10.1", "10.2", "10.3", "14.0", "14.1"]
    assert [one.seed for one in given] == list(range(10, 16))
    assert sum(one.completion_tokens for one in given[:4]) == 11


def test_choices_that_cannot_be_told_apart_are_no_answer(serve: Any, opened: Any) -> None:
    server = serve(says(200, {"choices": completion("a")["choices"] * 2}))
    with pytest.raises(EngineError, match="without an index each"):
        texts(opened(server, n=2, retries=0), requests(seeds=(1, 2)))


CALL = {"id": "call_random", "type": "function", "function": {"name": "book", "arguments": '{"city": "Röm"}'}}


@pytest.mark.parametrize(
    ("message", "tolerated"),
    [
        ({"tool_calls": [CALL], "content": None}, ()),
        ({"tool_calls": [CALL], "content": "Sure."}, ()),
        ({"tool_calls": [{"function": {**CALL["function"], "arguments": {"city": "Röm"}}}]}, ("arguments as an object",)),  # type: ignore[dict-item]
        ({"function_call": CALL["function"], "content": None}, ()),
    ],
)
def test_calls_that_the_server_has_parsed_are_read(serve: Any, opened: Any, message: Any, tolerated: tuple[str, ...]) -> None:
    server = serve(says(200, completion("", finish="tool_calls", **message)))
    (text,) = texts(opened(server), requests()).values()
    assert isinstance(read := parse(text), Calls)
    assert (read.calls, read.form) == ((Call("book", {"city": "Röm"}),), "openai")
    assert set(read.tolerated) <= set(tolerated)
    assert "call_random" not in text
    assert ("Sure." in text) == (message.get("content") is not None)


def test_thought_is_left_out_and_said_to_be(serve: Any, opened: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "trainer")
    server = serve(says(200, completion("[f()]", reasoning_content="Hm.")))
    assert set(texts(opened(server), requests(3)).values()) == {"[f()]"}
    assert "3 answers with thought apart, which was left out" in caplog.text


@pytest.mark.parametrize("usage", [None, (None, None), (-1, "3"), (10**12, True)])
def test_tokens_that_are_not_told_count_as_0(serve: Any, opened: Any, usage: Any) -> None:
    server = serve(says(200, completion("[f()]", usage=usage)))
    ((_, given),) = answers(opened(server), requests())
    assert (given.text, given.prompt_tokens, given.completion_tokens) == ("[f()]", 0, 0)


def test_half_letters_and_an_answer_of_nothing_are_text(serve: Any, opened: Any) -> None:
    contents = ['"a\\ud83d"', '"\\ud83d\\ude00"', "null"]
    server = serve(
        lambda h, body, n: h.send(
            200, f'{{"choices": [{{"finish_reason": "length", "message": {{"content": {contents[body["seed"]]}}}}}]}}'
        )
    )
    given = ask(opened(server), [Question("r", (Message("user", "q"),), (0, 1, 2))], SAMPLING)[0]
    assert [one.text for one in given] == ["a\ufffd", "\U0001f600", ""]
    assert {one.finish_reason for one in given} == {"length"}


# How much at once ------------------------------------------------------------------------------------------------------------


def test_as_many_requests_as_allowed_are_in_flight_and_no_more(serve: Any, opened: Any) -> None:
    """The server answers only when 20 requests wait: 200 take 10 such rounds, or never end."""
    rounds = threading.Barrier(20, timeout=20)
    passed: list[int] = []

    def behave(handler: Handler, body: dict[str, Any], number: int) -> None:
        if rounds.wait() == 0:
            passed.append(number)
        echo(handler, body, number)

    server = serve(behave)
    assert len(texts(opened(server, concurrency=20), requests(50, seeds=(1, 2, 3, 4)))) == 200
    assert len(passed) == 10
    assert server.most == 20


def test_a_request_costs_no_more_among_many_than_among_few(serve: Any, opened: Any) -> None:
    """Seconds of CPU of the engine's own thread; a pool of 128 connections cost 8 times as much as one of 8."""

    def cost(concurrency: int) -> float:
        engine = opened(serve(lambda h, body, n: (time.sleep(concurrency / 400), echo(h, body, n))), concurrency=concurrency)
        began = time.thread_time()
        assert len(texts(engine, requests(512))) == 512
        return time.thread_time() - began

    assert cost(128) < 3 * cost(8)


def test_requests_are_taken_as_they_are_needed_and_closing_cancels(serve: Any, opened: Any) -> None:
    taken: list[str] = []

    def drawn() -> Iterator[MessageRequest]:
        for request in requests(100):
            taken.append(request.id)
            yield request

    server = serve(echo)
    engine = opened(server, concurrency=4)
    stream = engine.answer(drawn())
    assert next(stream).generation.text.endswith(" 5")
    stream.close()
    assert len(taken) == 4
    assert len(server.bodies) <= 4
    assert texts(engine, requests(1)) == {("r0", 0): "q0 5"}


def test_answers_before_an_error_are_given(serve: Any, opened: Any) -> None:
    server = serve(lambda h, body, n: echo(h, body, n) if body["messages"][0]["content"] != "q2" else h.send(401, "no"))
    given = []
    with pytest.raises(EngineError, match="request r2"):
        for name, _ in answers(opened(server, concurrency=1), requests(5)):
            given.append(name)
    assert given == ["r0", "r1"]


# The key ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 404, 418, 500, 302])
def test_no_message_repeats_a_key_that_the_server_echoes(
    serve: Any, opened: Any, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)

    def behave(handler: Handler, body: dict[str, Any], number: int) -> None:
        key = handler.headers["Authorization"]
        handler.send(status, {"error": {"message": "x" * 290 + key}}, Location=f"http://127.0.0.1/?{key}", X_Key=key)

    with pytest.raises(EngineError) as caught:
        texts(opened(serve(behave), retries=1), requests())
    assert KEY[:8] not in str(caught.value)
    assert KEY[:8] not in repr(caught.value.__cause__)
    assert KEY not in caplog.text


@pytest.mark.parametrize("key", ["sk-secret\nX-Other: 1", "sk-secret two", "sk-sécret"])
def test_a_key_that_no_header_can_carry_is_refused_unrepeated(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(EngineError, match="OPENAI_API_KEY holds what cannot be a key") as caught:
        open_openai("m", max_length=100, url="http://127.0.0.1:1/v1")
    assert "sk-" not in str(caught.value)


def test_without_a_key_none_is_sent(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server = serve(says(401, "who?"))
    engine = open_openai("m", max_length=100, url=server.url)
    with pytest.raises(EngineError, match="It wants a key; set OPENAI_API_KEY where the worker starts"):
        texts(engine, requests())
    engine.close()
    assert "Authorization" not in server.headers[0]


def test_a_serving_process_says_its_key_to_the_server_alone(serve: Any) -> None:
    """In no argument, log line or reply of `python -m trainer serve`, though the server throws it back."""

    def behave(handler: Handler, body: dict[str, Any], number: int) -> None:
        bad = body["messages"][0]["content"] == "bad"
        handler.send(401, {"error": {"message": f"wrong key {KEY}"}}) if bad else echo(handler, body, number)

    server = serve(behave)
    options = json.dumps({"url": server.url, "key_env": "TEAM_API_KEY"})
    command = [sys.executable, "-m", "trainer.serving", "--engine", "openai", "--model", "m", "--options", options]
    lines = [
        {"batch": text, "requests": [{"id": "a", "messages": [{"role": "user", "content": text}], "seeds": [1, 2]}]}
        for text in ("good", "bad", "good")
    ]
    done = subprocess.run(
        command,
        input="".join(json.dumps(line) + "\n" for line in lines),
        env={**os.environ, "TEAM_API_KEY": KEY},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert replies[0]["engine"] == "openai"
    assert sorted(reply["text"] for reply in replies if "text" in reply) == ["good 1", "good 1", "good 2", "good 2"]
    (refused,) = [reply["error"] for reply in replies if "error" in reply]
    assert "wrong key ***. It refused the key in TEAM_API_KEY" in refused
    assert KEY not in done.stdout + done.stderr
    assert "HTTP Request" not in done.stderr
    assert {headers["Authorization"] for headers in server.headers} == {f"Bearer {KEY}"}


def test_the_command_line_asks_a_server(serve: Any, tmp_path: Path) -> None:
    server = serve(says(200, completion("[weather(city='Rome')]")))
    tools = [{"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]
    sample = Sample("s", tuple(tools), (Message("user", "Weather?"),), (Call("weather", {"city": "Rome"}),))
    (tmp_path / "pool.jsonl").write_text(json.dumps(to_json(sample)) + "\n")
    flags = ["--engine", "openai", "--model", "m", "--options", json.dumps({"url": server.url}), "--k", "3"]
    assert main(["sample", "--in", str(tmp_path / "pool.jsonl"), "--out", str(tmp_path / "sampled.jsonl"), *flags]) == 0
    line = json.loads((tmp_path / "sampled.jsonl").read_text())
    assert [one["text"] for one in line["direct"]] == ["[weather(city='Rome')]"] * 3
    assert len({body["seed"] for body in server.bodies}) == 3


# Options ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs the option url"),
        ({"url": "gpu-box:8000"}, "must be http:// or https://"),
        ({"url": "ftp://gpu-box/"}, "must be http:// or https://"),
        ({"url": "https://me:sk-secret@host/v1"}, "a key belongs into the environment"),
        ({"url": "https://host/v1?key=sk-secret"}, "a key belongs into the environment"),
        ({"url": "http://host:99999/v1"}, "must be http:// or https://"),
        ({"url": "http://a..b/v1"}, "must be http:// or https://"),
        ({"url": "http://h/v1", "key_env": "sk-secret"}, "ends with API_KEY"),
        ({"url": "http://h/v1", "key_env": "SECRET_KEY"}, "ends with API_KEY"),
        ({"url": "http://h/v1", "concurrency": 0}, "concurrency must be a whole number from 1 to 4096"),
        ({"url": "http://h/v1", "concurrency": True}, "concurrency must be a whole number"),
        ({"url": "http://h/v1", "timeout": float("nan")}, "timeout must be a number"),
        ({"url": "http://h/v1", "timeout": 10**400}, "timeout must be a number"),
        ({"url": "http://h/v1", "retries": "many"}, "retries must be a whole number"),
        ({"url": "http://h/v1", "body": []}, "body must be a JSON object"),
        ({"url": "http://h/v1", "token_limit": "most"}, "max_tokens, max_completion_tokens"),
    ],
)
def test_options_that_cannot_be_used_are_refused_and_no_secret_repeated(options: dict[str, Any], words: str) -> None:
    with pytest.raises(EngineError) as caught:
        open_openai("m", max_length=100, **options)
    assert words in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_it_answers_where_another_loop_runs(serve: Any, opened: Any) -> None:
    async def notebook() -> dict[tuple[str, int], str]:
        return texts(opened(serve(echo)), requests(2))

    (found,) = [pool.submit(asyncio.run, notebook()).result() for pool in [ThreadPoolExecutor(1)]]
    assert found == {("r0", 0): "q0 5", ("r1", 0): "q1 5"}
