"""An export as an HTTP response, given out as it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async

from django.db import close_old_connections
from django.http import StreamingHttpResponse

from curation.models import Export
from curation.stages.exporting import Stream, stream


class ExportResponse(StreamingHttpResponse):
    """A file to save. Both kinds of server can read it: an asynchronous one has each block made in the request's thread,
    whose database connection goes back to the pool while the block is on its way to a reader that may be slow."""

    def __init__(self, export: Export) -> None:
        iteration = export.iteration
        name = f"run-{iteration.run_id}-iteration-{iteration.number}-{export.kind}.{export.format}.jsonl"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "Whetstone-Export": str(export.pk),
        }
        self._stream = stream(export)
        super().__init__(self._stream, content_type="application/jsonl", headers=headers)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while (block := await sync_to_async(_next)(self._stream)) is not None:
                yield block
        finally:
            await sync_to_async(self._stream.close)()


def _next(blocks: Stream) -> bytes | None:
    try:
        return next(blocks, None)
    finally:
        close_old_connections()


def export_response(export: Export) -> StreamingHttpResponse:
    """The bytes of an export that has begun; its header Whetstone-Export has the id by which its manifest is found."""
    return ExportResponse(export)
