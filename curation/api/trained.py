"""What an iteration trained: its model card, its files, and all of it as a tar."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from django.http import HttpRequest

from curation.access import iteration_of
from curation.api.signing import me
from curation.models.checkpoints import CheckpointKind
from curation.stages import model_files
from curation.streaming import model_response

router = Router()

TAR = {
    "responses": {
        200: {
            "description": "A tar with one folder. Content-Length says how long it is; one that ends before was damaged.",
            "headers": {"Whetstone-Sha256": {"description": "of the weights", "schema": {"type": "string"}}},
            "content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


class ModelKind(Schema):
    kind: Literal["adapter", "merged"] = "adapter"


class FileOut(Schema):
    name: str
    bytes: int


class ModelOut(Schema):
    checkpoint: int
    kind: CheckpointKind
    sha256: str = Field(description="of the weights")
    parent_sha256: str | None = Field(description="of the merged model that it was trained on; null for the base")
    files: list[FileOut]
    bytes: int = Field(description="of the files together")
    card: str = Field(description="README.md, in the form that the Hugging Face Hub reads")


@router.get("/runs/{int:run}/iterations/{int:number}/model", response=ModelOut)
def read_model(request: HttpRequest, run: int, number: int, by: Query[ModelKind]) -> Any:
    """The model that the iteration trained: its card and its files."""
    found = model_files.trained(iteration_of(me(request), run, number), by.kind)
    parent = found.checkpoint.parent
    return {
        "checkpoint": found.checkpoint.pk,
        "kind": found.checkpoint.kind,
        "sha256": found.checkpoint.sha256,
        "parent_sha256": None if parent is None else parent.sha256,
        "files": model_files.listed(found),
        "bytes": found.bytes,
        "card": found.card,
    }


@router.get("/runs/{int:run}/iterations/{int:number}/model/file", openapi_extra=TAR)
def export_model(request: HttpRequest, run: int, number: int, by: Query[ModelKind]) -> Any:
    """The model as a tar: card, weights, configuration, for a merged model the tokenizer too."""
    return model_response(model_files.begin(iteration_of(me(request), run, number), by.kind, me(request)))
