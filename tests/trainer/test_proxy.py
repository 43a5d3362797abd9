"""The refining proxy in front of a scripted server: Alg. 1 over HTTP, shapes, streams, errors, bounds."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import re
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from toolcalls.errors import InputError
from toolcalls.prompts import REFINE_PROMPT
from trainer import proxy_upstream
from trainer.arguments import parser
from trainer.cli import main
from trainer.proxy import Choices, Proxy
from trainer.proxy_upstream import Upstream

DOC = Path(__file__).parents[2] / "docs" / "using-the-model.md"
ROME, OSLO = '[weather(city="Rome")]', '[weather(city="Oslo")]'
KEY = "Bearer sk-very-secret"


def called(*cities: str, words: str | None = None) -> dict[str, Any]:
    """A message with structured calls, ids of their own each time."""
    functions = [{"name": "weather", "arguments": json.dumps({"city": city})} for city in cities]
    calls = [{"id": f"call-{time.monotonic_ns()}", "type": "function", "function": each} for each in functions]
    return {"role": "assistant", "content": words, "tool_calls": calls}


def said(content: str | None) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


class Server:
    """Gives the scripted answers in turn: messages, or functions of the handler for worse. Remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.usage: dict[str, Any] | None = {"prompt_tokens": 10, "completion_tokens": 3, "details": {"cached": 1}}
        self.finish = "stop"

    def completion(self, message: dict[str, Any]) -> dict[str, Any]:
        finish = "tool_calls" if message.get("tool_calls") and self.finish == "stop" else self.finish
        body = {"id": f"c{len(self.asked)}", "object": "chat.completion", "created": 1, "model": "m", "own": [1]}
        return {**body, "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": self.usage}


def handler_of(script: Server) -> type[BaseHTTPRequestHandler]:
    class Scripted(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.keys.append(self.headers["Authorization"])
            self.give(200, {"object": "list", "data": [{"id": self.path}]})

        def do_POST(self) -> None:
            script.keys.append(self.headers["Authorization"])
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.asked.append({"path": self.path, **request})
            answer = script.answers.pop(0)
            if callable(answer):
                answer(self)
            else:
                self.give(200, script.completion(answer))

        def give(self, status: int, body: Any, **headers: str) -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    return Scripted


@contextlib.contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    with server:
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server() -> Server:
    return Server()


Start = Callable[..., Callable[..., Any]]


@pytest.fixture
def start(server: Server) -> Iterator[Start]:
    """`start(turns=5, …)`: a proxy in front of the server; gives a function that posts a request (or bytes) to it."""
    with contextlib.ExitStack() as stack:
        upstream = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(server))
        upstream.daemon_threads = True
        behind = stack.enter_context(running(upstream))

        def begin(turns: int = 5, form: str = "native", timeout: float = 5, largest: int = 2**20, connections: int = 8) -> Any:
            choices = Choices(Upstream(f"http://127.0.0.1:{behind}/v1", timeout), turns, form, largest)
            port = stack.enter_context(running(Proxy(("127.0.0.1", 0), choices, connections)))

            def post(request: Any, method: str = "POST", path: str = "/v1/chat/completions") -> Any:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                with contextlib.closing(connection):
                    body = request if isinstance(request, bytes) else json.dumps(request)
                    connection.request(method, path, body, {"Authorization": KEY})
                    reply = connection.getresponse()
                    reply.content = reply.read()  # type: ignore[attr-defined]
                    return reply

            post.port = port  # type: ignore[attr-defined]
            return post

        yield begin


def question(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Weather?"}], "temperature": 0, **more}


def answer(reply: Any) -> dict[str, Any]:
    assert reply.status == 200, reply.content
    body: dict[str, Any] = json.loads(reply.content)
    return body


def test_it_asks_until_two_answers_agree_and_gives_the_last_in_the_servers_shape(server: Server, start: Start) -> None:
    server.answers = [said(ROME), said(OSLO), said(OSLO.replace("=", " = "))]
    reply = start()(question(seed=7, tools=[{"type": "function"}]))
    body = answer(reply)
    assert body["choices"] == [{"index": 0, "message": said(OSLO.replace("=", " = ")), "finish_reason": "stop"}]
    assert (body["id"], body["own"], body["whetstone"]) == ("c3", [1], {"turns": 2, "agreed": True})
    assert (reply.headers["Whetstone-Turns"], server.answers) == ("2", [])
    assert body["usage"] == {"prompt_tokens": 30, "completion_tokens": 9, "details": {"cached": 3}}
    first, second, third = server.asked
    assert first == {"path": "/v1/chat/completions", **question(seed=7, tools=[{"type": "function"}])}
    refine = {"role": "user", "content": REFINE_PROMPT}
    assert second["messages"] == [*first["messages"], said(ROME), refine]
    assert third["messages"] == [*first["messages"], said(OSLO), refine]
    assert {**third, "messages": 0} == {**first, "messages": 0}


def test_it_stops_after_the_turns_it_was_given(server: Server, start: Start) -> None:
    server.answers = [said(ROME), said(OSLO), said(ROME)]
    body = answer(start(turns=2)(question()))
    assert (body["choices"][0]["message"]["content"], body["whetstone"]) == (ROME, {"turns": 2, "agreed": False})
    server.answers = [said(OSLO)]
    assert answer(start(turns=0)(question()))["whetstone"] == {"turns": 0, "agreed": False}


def test_structured_calls_agree_whatever_their_ids_and_order(server: Server, start: Start) -> None:
    given = [called("Rome", "Oslo"), called("Oslo", "Rome", words="Here:")]
    server.answers = list(given)
    body = answer(start()(question()))
    assert body["choices"][0]["message"] == given[1]
    assert (body["choices"][0]["finish_reason"], body["whetstone"]["agreed"]) == ("tool_calls", True)
    shown = server.asked[1]["messages"][1]
    assert shown == {"role": "assistant", "content": None, "tool_calls": given[0]["tool_calls"]}


def test_structured_calls_are_shown_as_text_where_the_server_wants_that(server: Server, start: Start) -> None:
    server.answers = [called("Rome"), called("Rome")]
    answer(start(form="paper")(question()))
    assert server.asked[1]["messages"][1] == said(ROME)


def test_calls_that_cannot_be_read_agree_where_their_texts_do(server: Server, start: Start) -> None:
    broken = called("Rome")
    broken["tool_calls"][0]["function"]["arguments"] = '{"city": '
    again = json.loads(json.dumps(broken))
    again["tool_calls"][0]["id"] = "another"
    server.answers = [broken, again]
    assert answer(start()(question()))["whetstone"] == {"turns": 1, "agreed": True}


@pytest.mark.parametrize("after", [said(""), said(None), said("[weather(")])
def test_the_answer_before_stands_where_a_refined_one_is_empty_or_cut_off(server: Server, start: Start, after: Any) -> None:
    def cut(handler: Any) -> None:
        server.finish = "length" if after["content"] else "stop"
        handler.give(200, server.completion(after))

    server.answers = [said(ROME), cut]
    body = answer(start()(question()))
    assert body["choices"][0]["message"] == said(ROME)
    assert (body["whetstone"], body["usage"]["prompt_tokens"]) == ({"turns": 1, "agreed": False}, 20)


def test_a_direct_answer_that_was_cut_off_is_not_refined(server: Server, start: Start) -> None:
    server.finish, server.answers = "length", [said("[weather(")]
    assert answer(start()(question()))["whetstone"] == {"turns": 0, "agreed": False}


def test_the_answer_before_stands_where_the_refine_turn_is_too_long(server: Server, start: Start) -> None:
    server.answers = [said(ROME), lambda handler: handler.give(400, {"error": {"message": "maximum context length"}})]
    assert answer(start()(question()))["choices"][0]["message"] == said(ROME)


def test_a_stream_is_the_final_answer_as_chunks(server: Server, start: Start) -> None:
    server.answers = [called("Rome"), called("Rome")]
    reply = start()(question(stream=True, stream_options={"include_usage": True}))
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert all(not {"stream", "stream_options"} & set(request) for request in server.asked)
    *events, done = reply.content.decode().removesuffix("\n\n").split("\n\n")
    first, last, usage = (json.loads(event.removeprefix("data: ")) for event in events)
    assert done == "data: [DONE]"
    [call] = first["choices"][0]["delta"]["tool_calls"]
    assert (first["object"], call["index"], call["function"]["name"]) == ("chat.completion.chunk", 0, "weather")
    assert (first["choices"][0]["finish_reason"], last["choices"][0]["finish_reason"]) == (None, "tool_calls")
    assert (last["choices"][0]["delta"], usage["choices"], usage["usage"]["prompt_tokens"]) == ({}, [], 20)
    server.answers = [said(ROME), said(ROME)]
    assert start()(question(stream=True)).content.count(b"data: ") == 3


def test_models_are_passed_through_and_the_key_is_nowhere_but_at_the_server(
    server: Server, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [said(ROME), said(ROME)]
    post = start()
    assert answer(post(b"", "GET", "/v1/models?x=secret"))["data"] == [{"id": "/v1/models"}]
    answer(post(question()))
    assert server.keys == [KEY] * 3
    assert "secret" not in caplog.text
    assert "Weather?" not in caplog.text
    assert "POST /v1/chat/completions: 200" in caplog.text


@pytest.mark.parametrize("turn", [0, 1])
def test_errors_of_the_server_are_passed_on(server: Server, start: Start, turn: int) -> None:
    wrong = {"error": {"message": "slow down", "type": "rate"}}
    server.answers = [*[said(ROME)] * turn, lambda handler: handler.give(429, wrong, Retry_After="7")]
    reply = start()(question())
    assert (reply.status, json.loads(reply.content), reply.headers["Retry-After"]) == (429, wrong, "7")


def cut_off(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": ')


def trickling(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(100):
            handler.wfile.write(b" ")
            time.sleep(0.05)


WORSE = {
    "cut off": (cut_off, 502),
    "trickling": (trickling, 504),
    "silent": (lambda handler: time.sleep(1.5), 504),
    "closed": (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), 502),
    "nonsense": (lambda handler: handler.give(200, b"<html>"), 502),
    "no choices": (lambda handler: handler.give(200, {"choices": []}), 502),
    "a list": (lambda handler: handler.give(200, []), 502),
    "a redirect": (lambda handler: handler.give(302, {}, Location="http://127.0.0.1:1/"), 502),
    "too large": (lambda handler: handler.give(200, b" " * 5000), 502),
}


@pytest.mark.parametrize("how", WORSE)
def test_a_hostile_server_is_told_as_an_error(server: Server, start: Start, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(proxy_upstream, "LARGEST", 4000)
    answers, status = WORSE[how]
    server.answers = [answers]
    began = time.monotonic()
    reply = start(timeout=0.5)(question())
    assert (reply.status, json.loads(reply.content)["error"]["type"]) == (status, "upstream_error")
    assert time.monotonic() - began < 3


def test_a_server_that_is_not_there_is_told(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        choices = Choices(Upstream(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", 1), 5, "native", 1000)
        with (
            running(Proxy(("127.0.0.1", 0), choices, 2)) as port,
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection,
        ):
            connection.request("GET", "/v1/models")
            assert connection.getresponse().status == 502


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"no JSON", 400),
        (b"[" * 100_000, 400),
        ([1], 400),
        ({"messages": "no list"}, 400),
        ({"messages": []}, 400),
        (question(n=2), 400),
        (b" " * (2**20 + 1), 413),
    ],
)
def test_bad_requests_are_refused_and_reach_no_server(server: Server, start: Start, request_: Any, status: int) -> None:
    reply = start()(request_)
    assert (reply.status, json.loads(reply.content)["error"]["type"]) == (status, "invalid_request_error")
    assert server.asked == []


def test_other_addresses_are_not_there(start: Start) -> None:
    post = start()
    assert [post(b"", *asked).status for asked in (("GET", "/"), ("POST", "/v1/models"), ("PUT", "/v1/models"))] == [
        404,
        404,
        501,
    ]


def test_a_body_of_unknown_length_is_refused(start: Start) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", start().port, timeout=5)) as connection:  # type: ignore[attr-defined]
        connection.request("POST", "/v1/chat/completions", iter([b"{}"]), encode_chunked=True)
        assert connection.getresponse().status == 411


def test_more_connections_than_allowed_are_told_to_come_again(server: Server, start: Start) -> None:
    post = start(connections=1)
    with socket.create_connection(("127.0.0.1", post.port)) as idle:  # type: ignore[attr-defined]
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", post.port), timeout=5) as second:  # type: ignore[attr-defined]
            assert second.recv(100).startswith(b"HTTP/1.1 503")
        idle.close()
    time.sleep(0.1)
    server.answers = [said(ROME), said(ROME)]
    answer(post(question()))


@pytest.mark.parametrize("url", ["server:8000", "ftp://server/v1", "http:///v1", "http://a:b@server/v1", "http://server:x/v1"])
def test_an_address_that_is_none_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError):
        Upstream(url, 1)
    assert main(["proxy", "--url", url]) == 2
    assert "--url" in capsys.readouterr().err


def test_the_commands_of_the_page_are_taken() -> None:
    lines = re.findall(r"^    python -m trainer (proxy .*)$", DOC.read_text(encoding="utf-8"), re.MULTILINE)
    assert lines
    for line in lines:
        parser("").parse_args(shlex.split(line))
