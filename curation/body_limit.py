"""How much a request may bring: Django keeps a request's body on disk before any view or rule of ours is asked."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

UPLOADS = re.compile(
    r"/p/[^/]+/[^/]+/upload/|/api/v1/projects/[^/]+/[^/]+/uploads|/api/v1/runs/\d+/generations"
)  # the addresses that take files
PLAIN = 16 * 2**20  # bytes of any other request
ENVELOPE = 64 * 2**10  # bytes of a form around its file


class TooLarge(Exception):
    """More has come than may."""


class BodyLimit:
    """An ASGI application around another. Answers 413 where a body is longer, or says it is; not in charge of anything else.

    A file's length is for those whom `is_known` finds known: others would fill the disk before a view refused them.
    """

    def __init__(self, application: Application, upload_limit: int, is_known: Callable[[Scope], Awaitable[bool]]) -> None:
        self._application, self._upload_limit, self._is_known = application, upload_limit, is_known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        takes_file = UPLOADS.fullmatch(scope["path"]) and scope["method"] == "POST" and await self._is_known(scope)
        most = self._upload_limit + ENVELOPE if takes_file else PLAIN
        if _announced(scope) > most:
            await _refuse(send, most)
            return
        try:
            await self._application(scope, _counted(receive, most), send)
        except TooLarge:
            await _refuse(send, most)


def _announced(scope: Scope) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0


def _counted(receive: Receive, most: int) -> Receive:
    """Raises TooLarge in the midst of a body that is longer than it may be."""
    come = 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal come
        message = await receive()
        come += len(message.get("body", b""))
        if come > most:
            raise TooLarge
        return message

    return counted


async def _refuse(send: Send, most: int) -> None:
    words = f"The request is larger than the {most:,} bytes that are taken here. Nothing was kept.\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(words)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": words})
