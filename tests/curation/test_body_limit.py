"""A body that is too long is refused before it fills the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from curation.body_limit import ENVELOPE, PLAIN, BodyLimit
from curation.urls import urlpatterns

LIMIT = 40 * 2**20
UPLOAD = "/p/tools/weather/upload/"
BLOCK = bytes(2**20)


async def whole_body(scope: Any, receive: Any, send: Any) -> None:
    """Reads all, as Django does, and answers how much it was."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def answer(path: str, blocks: Iterable[bytes], *, known: bool = True, **headers: str) -> tuple[int, bytes, int]:
    """(status, body, blocks read) of a request whose body comes in blocks."""
    waiting, sent, read = list(blocks), [], 0

    async def receive() -> MutableMapping[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": waiting.pop(0) if waiting else b"", "more_body": bool(waiting)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": path, "headers": named}

    async def is_known(_: Any) -> bool:
        return known

    with ThreadPoolExecutor(1) as thread:  # the tests' own may have a running loop
        thread.submit(asyncio.run, BodyLimit(whole_body, LIMIT, is_known)(scope, receive, send)).result()
    return sent[0]["status"], sent[1]["body"], read


@pytest.mark.parametrize("path", [UPLOAD, "/api/v1/projects/tools/weather/uploads"])
def test_a_file_up_to_the_limit_is_taken_where_files_are(path: str) -> None:
    assert answer(path, [BLOCK] * 40) == (200, str(LIMIT).encode(), 40)
    assert answer(path, [BLOCK] * 40, content_length=str(LIMIT + ENVELOPE + 1))[::2] == (413, 0)


def test_a_file_of_somebody_unknown_is_refused_before_it_fills_the_disk() -> None:
    assert answer(UPLOAD, [BLOCK] * 40, known=False, content_length=str(LIMIT))[::2] == (413, 0)
    assert answer(UPLOAD, [BLOCK] * 40, known=False)[::2] == (413, PLAIN // 2**20 + 1)


def test_a_body_that_does_not_say_its_length_is_refused_where_it_grows_too_long() -> None:
    status, words, read = answer(UPLOAD, [BLOCK] * 60)
    assert (status, read) == (413, 41)
    assert b"larger than" in words


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/p/tools/weather/", "/p/a/b/upload/c/", "/api/v1/runs"])
def test_other_addresses_take_little(path: str) -> None:
    assert answer(path, [BLOCK] * 2) == (200, str(2 * 2**20).encode(), 2)
    assert answer(path, [], content_length=str(PLAIN + 1))[0] == 413
    assert answer(path, [BLOCK] * 20)[0] == 413


def test_the_upload_s_address_is_the_one_of_the_site() -> None:
    assert any(str(pattern.pattern) == "p/<slug:team>/<slug:project>/upload/" for pattern in urlpatterns)


def test_generations_may_be_as_large_as_uploads() -> None:
    assert answer("/api/v1/runs/7/generations", [BLOCK] * 20)[0] == 200
    assert answer("/api/v1/runs/7/generations/close", [BLOCK] * 20)[0] == 413
