"""The server behind the proxy, over HTTP: each answer bounded in bytes and in seconds. Keys are passed on, never kept."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from toolcalls.errors import InputError

LARGEST = 64 * 2**20  # bytes of an answer
BLOCK = 2**16
PASSED = ("Content-Type", "Retry-After")  # headers of an answer that go on to the client


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    content: bytes


class UpstreamError(RuntimeError):
    """The server gave no answer that could be passed on. `status` is what the client is told."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Upstream:
    """`url` is the server's base, with its /v1. Raises InputError when it is no http address."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        try:
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError as error:
            raise InputError(f"--url {url}: {error}.") from error
        if parts.scheme not in ("http", "https") or not self._host or parts.username or parts.query:
            raise InputError("--url must be like http://server:8000/v1, without a name, a password or a query in it.")
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._path, self._timeout = parts.path.rstrip("/"), timeout

    def ask(self, method: str, path: str, authorization: str | None, body: Mapping[str, Any] | None = None) -> Reply:
        """The server's answer, whatever its status but a redirect. Raises UpstreamError."""
        headers = {"Accept": "application/json"} | ({"Authorization": authorization} if authorization else {})
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        deadline = time.monotonic() + self._timeout
        connection = self._kind(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(method, self._path + path, content, headers)
            answer = connection.getresponse()
            if 300 <= answer.status < 400:
                raise UpstreamError(502, "the server redirects, which is not followed; correct --url")
            passed = {name: value for name in PASSED if (value := answer.getheader(name)) is not None}
            return Reply(answer.status, passed, _content(connection, answer, deadline))
        except TimeoutError as error:
            raise UpstreamError(504, f"the server gave no answer within {self._timeout:g} seconds") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UpstreamError(502, f"the server could not be asked ({type(error).__name__})") from error
        finally:
            connection.close()


def _content(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body. Raises TimeoutError at the deadline, however many bytes trickle in, and UpstreamError for one too large."""
    content = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
        if not (block := answer.read1(BLOCK)):
            break
        content += block
        if len(content) > LARGEST:
            raise UpstreamError(502, f"the server's answer has more than {LARGEST:,} bytes")
    if answer.length:
        raise http.client.IncompleteRead(bytes(content), answer.length)
    return bytes(content)
