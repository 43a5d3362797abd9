"""An OpenAI-compatible proxy that refines adaptively (ToolACE-R §3.3, Alg. 1) in front of any chat server.

POST /v1/chat/completions   asks the server as the client asked, then with the answer and the refine prompt, until two answers
                            agree or --turns refine turns have passed; the last answer goes back in the server's own shape
GET  /v1/models             passed through

A thread per connection, one request each. Not in charge of who may ask: the client's Authorization header goes on to the
server, and is never logged.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from toolcalls.dialects import DIALECTS
from toolcalls.errors import InputError
from trainer.proxy_answers import (
    NATIVE,
    Refined,
    added,
    answer_body,
    chunks,
    direct_request,
    is_finished,
    message_of,
    refine_request,
    same_message,
)
from trainer.proxy_upstream import BLOCK, Reply, Upstream, UpstreamError

log = logging.getLogger(__name__)
COMPLETIONS, MODELS = "/chat/completions", "/models"
REFUSED = (400, 413, 422)  # what servers say to a prompt that has become too long
LINGER_SECONDS = 2.0  # for which the rest of a refused request is read
CLIENT_SECONDS = 60.0  # for a client to send its request, and to take each piece of the answer
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Choices:
    """How the proxy works, as its command was told."""

    upstream: Upstream
    turns: int  # n of Algorithm 1
    form: str  # in which calls are shown again, or NATIVE
    largest: int  # bytes of a request


class ServerRefusal(Exception):
    """The server answered with an error, which the client gets as it is."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"status {reply.status}")
        self.reply = reply


def refine(request: Mapping[str, Any], choices: Choices, authorization: str | None) -> Refined:
    """Algorithm 1 over chat completions. Raises InputError, UpstreamError, ServerRefusal.

    Where a refine turn is refused as too long, is cut off or says nothing, the answer before it stands.
    """
    asked = direct_request(request)
    completion = _completion(choices.upstream, asked, authorization)
    usage = completion.get("usage")
    for turn in range(1, choices.turns + 1):
        if not is_finished(completion):
            return Refined(completion, turn - 1, False, usage)
        try:
            after = _completion(choices.upstream, refine_request(asked, completion, choices.form), authorization)
        except ServerRefusal as refusal:
            if refusal.reply.status not in REFUSED:
                raise
            return Refined(completion, turn, False, usage)
        usage = added(usage, after.get("usage"))
        if not is_finished(after):
            return Refined(completion, turn, False, usage)
        agreed, completion = same_message(message_of(completion), message_of(after)), after
        if agreed:
            return Refined(completion, turn, True, usage)
    return Refined(completion, choices.turns, False, usage)


def _completion(upstream: Upstream, request: Mapping[str, Any], authorization: str | None) -> dict[str, Any]:
    reply = upstream.ask("POST", COMPLETIONS, authorization, request)
    if reply.status != 200:
        raise ServerRefusal(reply)
    try:
        completion = json.loads(reply.content)
        message_of(completion)
    except (ValueError, RecursionError) as error:
        raise UpstreamError(502, "the server's answer is no chat completion") from error
    return dict(completion)


class Handler(BaseHTTPRequestHandler):
    """One connection. Its server is a `Proxy`."""

    server: Proxy
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "whetstone", ""
    timeout = CLIENT_SECONDS

    def do_GET(self) -> None:
        self._answer(MODELS, self._models)

    def do_POST(self) -> None:
        self._answer(COMPLETIONS, self._complete)

    def _answer(self, path: str, answer: Any) -> None:
        self.close_connection = True
        try:
            if urlsplit(self.path).path != f"/v1{path}":
                self._fail(404, f"there is GET /v1{MODELS} and POST /v1{COMPLETIONS}, and nothing else")
            else:
                answer()
        except InputError as error:
            self._fail(400, str(error))
        except ServerRefusal as refusal:
            self._send(refusal.reply.status, refusal.reply.content, refusal.reply.headers)
        except UpstreamError as error:
            log.warning("%s", error)
            self._fail(error.status, str(error))
        except (ConnectionError, TimeoutError):
            log.info("the client went away")

    def _models(self) -> None:
        reply = self.server.choices.upstream.ask("GET", MODELS, self.headers.get("Authorization"))
        self._send(reply.status, reply.content, reply.headers)

    def _complete(self) -> None:
        body = self._body()
        if body is None:
            return
        try:
            request = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise InputError("the request is not JSON") from error
        if not isinstance(request, dict):
            raise InputError("the request must be a JSON object")
        refined = refine(request, self.server.choices, self.headers.get("Authorization"))
        self._send_refined(request, refined)

    def _body(self) -> bytes | None:
        """The request's body; None when it was refused."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._fail(411, "send a Content-Length")
            self._let_send()
            return None
        if len(length) > 15 or int(length) > self.server.choices.largest:
            self._fail(413, f"a request has at most {self.server.choices.largest:,} bytes")
            self._let_send()
            return None
        left, content, deadline = int(length), bytearray(), time.monotonic() + CLIENT_SECONDS
        while left:
            block = self.rfile.read1(min(left, BLOCK))
            if not block or time.monotonic() > deadline:
                raise ConnectionError
            content += block
            left -= len(block)
        return bytes(content)

    def _let_send(self) -> None:
        """Read what is still on its way, for a moment: a client that cannot send on would not look for the answer."""
        deadline = time.monotonic() + LINGER_SECONDS
        self.connection.settimeout(LINGER_SECONDS)
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline and self.rfile.read1(BLOCK):
                pass

    def _send_refined(self, request: Mapping[str, Any], refined: Refined) -> None:
        turns = {"Whetstone-Turns": str(refined.turns)}
        if not request.get("stream"):
            self._send(200, json.dumps(answer_body(refined)).encode(), turns)
            return
        options = request.get("stream_options")
        wants_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks(refined, with_usage=wants_usage)]
        content = "".join([*lines, "data: [DONE]\n\n"]).encode()
        self._send(200, content, {"Content-Type": "text/event-stream", "Cache-Control": "no-store", **turns})

    def _fail(self, status: int, message: str) -> None:
        kind = "invalid_request_error" if status < 500 else "upstream_error"
        self._send(status, json.dumps({"error": {"message": message, "type": kind, "code": status}}).encode(), {})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """No address, no header; what was asked for is told by `log_request`."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        log.info("%s %s: %s", self.command, urlsplit(self.path).path[:80], int(code) if isinstance(code, int) else code)


class Proxy(ThreadingHTTPServer):
    """Listens. Of more connections than `connections` at once each further one is told to come again."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], choices: Choices, connections: int) -> None:
        self.choices = choices
        self._free = threading.BoundedSemaphore(connections)
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            try:
                super().process_request(request, client_address)
            except RuntimeError:  # no thread can be started
                self._free.release()
                raise
            return
        try:
            request.settimeout(1)
            request.sendall(_BUSY)
        except OSError:
            log.info("a client went away")
        finally:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.exception("a request failed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m trainer proxy`."""
    forms = sorted(dialect.name for dialect in DIALECTS)
    parser.add_argument("--url", required=True, help="the server's base, such as http://server:8000/v1")
    parser.add_argument("--turns", type=int, default=5, help="most refine turns")
    parser.add_argument("--port", type=int, default=8100, help="to listen at; 0: any free one")
    parser.add_argument("--host", default="127.0.0.1", help="to listen at")
    parser.add_argument(
        "--form", choices=(NATIVE, *forms), default=NATIVE, help="how the server's tool_calls are shown in the refine prompt"
    )
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for the server to give each answer")
    parser.add_argument("--connections", type=int, default=256, help="at once")
    parser.add_argument("--largest", type=int, default=16 * 2**20, help="bytes of a request")


def run(arguments: argparse.Namespace) -> int:
    """Listen until interrupted; the process's exit code."""
    if arguments.turns < 0 or arguments.connections < 1 or arguments.largest < 1 or not 0 < arguments.timeout < 1e6:
        raise InputError("--turns must be 0 or more, --connections, --largest and --timeout more than 0.")
    choices = Choices(Upstream(arguments.url, arguments.timeout), arguments.turns, arguments.form, arguments.largest)
    try:
        proxy = Proxy((arguments.host, arguments.port), choices, arguments.connections)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot listen at {arguments.host}:{arguments.port} ({error}). Choose another --port.") from error
    with proxy:
        print(json.dumps({"listening": f"http://{arguments.host}:{proxy.server_address[1]}/v1"}), flush=True)
        try:
            proxy.serve_forever()
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
    return 0
