"""Files that are made while they are sent, for both kinds of server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Protocol

from asgiref.sync import sync_to_async

from django.db import close_old_connections, connection
from django.http import StreamingHttpResponse


class Blocks(Protocol):
    """A file's content, a block at a time. Closed where nobody reads on."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...

    def close(self) -> None: ...


class Attachment(StreamingHttpResponse):
    """A file to save. An asynchronous server has each block made in the request's thread, whose database connection goes back
    to the pool while the block is on its way to a reader that may be slow: blocks must not share a transaction."""

    def __init__(
        self, blocks: Blocks, name: str, headers: Mapping[str, str] | None = None, content_type: str = "application/jsonl"
    ) -> None:
        named = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store", **(headers or {})}
        self._blocks = blocks
        super().__init__(blocks, content_type=content_type, headers=named)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while (block := await sync_to_async(_next)(self._blocks)) is not None:
                yield block
        finally:
            await sync_to_async(self._blocks.close)()


def _next(blocks: Blocks) -> bytes | None:
    try:
        return next(blocks, None)
    finally:
        if not connection.in_atomic_block:
            close_old_connections()
