"""Files that are made while they are sent, for both kinds of server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any

from asgiref.sync import sync_to_async

from django.db import close_old_connections
from django.http import StreamingHttpResponse


class Attachment(StreamingHttpResponse):
    """A file to save. An asynchronous server has each block made in a thread; its database connection goes back to the pool
    while the block is on its way to a reader that may be slow, so blocks must not share a transaction."""

    def __init__(self, blocks: Generator[bytes, None, None], name: str, **headers: str) -> None:
        named = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store", **headers}
        super().__init__(blocks, content_type="application/jsonl", headers=named)
        self._blocks = blocks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while (block := await sync_to_async(_next)(self._blocks)) is not None:
                yield block
        finally:
            await sync_to_async(self._blocks.close)()


def _next(blocks: Any) -> bytes | None:
    try:
        return next(blocks, None)
    finally:
        close_old_connections()
