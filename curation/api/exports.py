"""Exports: streamed as JSON lines, each with a manifest of exactly what was sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from django.http import Http404, HttpRequest

from curation.access import iteration_of, run_of
from curation.api.paging import Page, Slice, newest_first
from curation.api.persons import Person
from curation.api.signing import me
from curation.api.verdicts import OrderName, PairsQuery, PoolQuery, asked
from curation.models import Export
from curation.models.exports import ExportKind, ExportState
from curation.stages import exporting
from curation.streaming import export_response

router = Router()

LINES = {
    "responses": {
        200: {
            "description": "One JSON object a line. Once it has ended, its manifest is at /runs/{run}/exports/{id}.",
            "headers": {"Whetstone-Export": {"description": "the id of the export", "schema": {"type": "integer"}}},
            "content": {"application/jsonl": {"schema": {"type": "string"}}},
        }
    }
}


class ExportBrief(Schema):
    id: int
    iteration: int
    kind: ExportKind
    format: str
    filters: dict[str, list[str]]
    state: ExportState
    rows: int | None
    bytes: int | None
    sha256: str = Field(description="of the bytes that were sent; empty before the end")
    by: Person | None
    started_at: datetime
    ended_at: datetime | None

    @staticmethod
    def resolve_iteration(export: Export) -> int:
        return int(export.iteration.number)


class ExportOut(ExportBrief):
    manifest: dict[str, Any] = Field(description="counts, hashes, seed, versions, settings; empty before the end")


class TrainingFormat(Schema):
    format: Literal["whetstone", "trl"] = "whetstone"


class PoolFile(PoolQuery):
    order: OrderName = "id"


class PairsFile(PairsQuery):
    order: OrderName = "id"


assert set(TrainingFormat.model_fields["format"].annotation.__args__) == set(exporting.FORMATS[ExportKind.TRAINING_SET])  # type: ignore[union-attr]


@router.get("/runs/{int:run}/iterations/{int:number}/export/training-set", openapi_extra=LINES)
def export_training_set(request: HttpRequest, run: int, number: int, by: Query[TrainingFormat]) -> Any:
    """The rows that the iteration was trained on, in the order of training: the same bytes each time."""
    iteration = iteration_of(me(request), run, number)
    return export_response(exporting.begin(iteration, ExportKind.TRAINING_SET, by.format, None, me(request)))


@router.get("/runs/{int:run}/iterations/{int:number}/export/pool", openapi_extra=LINES)
def export_pool(request: HttpRequest, run: int, number: int, by: Query[PoolFile]) -> Any:
    """The samples that a filter finds, with their verdicts and decisions."""
    iteration = iteration_of(me(request), run, number)
    return export_response(exporting.begin(iteration, ExportKind.POOL, "whetstone", asked(by, 0), me(request)))


@router.get("/runs/{int:run}/iterations/{int:number}/export/pairs", openapi_extra=LINES)
def export_pairs(request: HttpRequest, run: int, number: int, by: Query[PairsFile]) -> Any:
    """The refine pairs that a filter finds: first answer, refine prompt, target, verdicts and decisions."""
    iteration = iteration_of(me(request), run, number)
    return export_response(exporting.begin(iteration, ExportKind.PAIRS, "whetstone", asked(by, 1), me(request)))


@router.get("/runs/{int:run}/exports", response=Page[ExportBrief])
def list_exports(request: HttpRequest, run: int, by: Query[Slice]) -> Any:
    """The newest first."""
    exports = Export.objects.filter(iteration__run=run_of(me(request), run)).select_related("iteration", "by")
    return newest_first(exports.defer("manifest"), by)


@router.get("/runs/{int:run}/exports/{int:export}", response=ExportOut)
def read_export(request: HttpRequest, run: int, export: int) -> Any:
    """An export with its manifest."""
    exports = Export.objects.filter(iteration__run=run_of(me(request), run), pk=export)
    found = exports.select_related("iteration", "by").first()
    if found is None:
        raise Http404("the run has no such export")
    return found
