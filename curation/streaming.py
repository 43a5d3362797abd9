"""An export as an HTTP response, given out as it is made."""

from __future__ import annotations

from django.http import StreamingHttpResponse

from curation.attachments import Attachment
from curation.models import Export
from curation.stages.exporting import stream


def export_response(export: Export) -> StreamingHttpResponse:
    """The bytes of an export that has begun; its header Whetstone-Export has the id by which its manifest is found."""
    iteration = export.iteration
    name = f"run-{iteration.run_id}-iteration-{iteration.number}-{export.kind}.{export.format}.jsonl"
    return Attachment(stream(export), name, headers={"Whetstone-Export": str(export.pk)})
