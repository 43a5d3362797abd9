"""Exports and models as HTTP responses, given out as they are made."""

from __future__ import annotations

from django.http import StreamingHttpResponse

from curation.attachments import Attachment
from curation.models import Export
from curation.stages.exporting import stream
from curation.stages.model_files import Model, tar_blocks


def export_response(export: Export) -> StreamingHttpResponse:
    """The bytes of an export that has begun; its header Whetstone-Export has the id by which its manifest is found."""
    iteration = export.iteration
    name = f"run-{iteration.run_id}-iteration-{iteration.number}-{export.kind}.{export.format}.jsonl"
    return Attachment(stream(export), name, headers={"Whetstone-Export": str(export.pk)})


def model_response(model: Model) -> StreamingHttpResponse:
    """A model as a tar, of a length that is known before its first byte."""
    headers = {"Content-Length": str(model.tar_bytes), "Whetstone-Sha256": model.checkpoint.sha256}
    return Attachment(tar_blocks(model), f"{model.folder}.tar", headers, "application/x-tar")
