"""Imported generations: what a run asks for goes out as a batch file, answers from elsewhere come in."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from django.http import HttpRequest

from curation.access import run_of
from curation.api.problems import CONTENT_TYPE
from curation.api.signing import me
from curation.api.uploads import FILE, file_of
from curation.attachments import Attachment
from curation.stages import batch_requests, imported, uploaded_files
from toolcalls.outputs import FORMATS

router = Router()

BLOCK = 100  # lines
PROBLEM = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
WAITS: dict[str, Any] = {"responses": {409: {"description": "It waits for no generations.", "content": PROBLEM}}}
REQUESTS: dict[str, Any] = {
    "responses": {
        **WAITS["responses"],
        200: {
            "description": "Lines of OpenAI's batch input, one an attempt; `custom_id` says which.",
            "content": {"application/jsonl": {"schema": {"type": "string"}}},
        },
    }
}


class Asked(Schema):
    turn: Literal["direct", "refine"] = Field(description="the one that the run waits for")
    model: str = Field(min_length=1, max_length=200, description="as the one who answers knows it")


class MissingOut(Schema):
    key: str = Field(description="of a sample that lacks attempts")
    attempts: int = Field(description="that are here")
    asked: int


class WaitingOut(Schema):
    turn: Literal["direct", "refine"]
    arrived: int = Field(description="attempts that are here")
    awaited: int = Field(description="attempts in all")
    missing: list[MissingOut] = Field(description="the first samples that lack some")


class Importing(Schema):
    file_name: str = Field("", max_length=255, description="how the file is called; a form's file brings its own name")
    format: Literal[("auto", *FORMATS)] = "auto"  # type: ignore[valid-type]
    attempt: int = Field(0, ge=0, le=1023, description="which one the answers are, in a file that does not say (BFCL's)")
    skip_errors: bool = Field(False, description="leave lines out that cannot be used, instead of refusing the file")
    allow_missing: bool = Field(False, description="this is all: go on with the attempts that are here")
    start_over: bool = Field(False, description="forget what was imported for this turn before")


class ImportedOut(Schema):
    taken: int = Field(description="answers")
    left_out: int = Field(description="lines")
    errors: list[str] = Field(description="why; of the first lines left out")
    arrived: int
    awaited: int
    waiting: WaitingOut | None = Field(description="what is still missing; null once the run goes on")


@router.get("/runs/{int:run}/requests", openapi_extra=REQUESTS)
def export_requests(request: HttpRequest, run: int, asked: Query[Asked]) -> Any:
    """The attempts that a run of imported generations waits for, as an input file of OpenAI's batches."""
    lines = batch_requests.batch_requests(run_of(me(request), run), asked.turn, asked.model, me(request))
    return Attachment(_blocks(lines), f"run-{run}-{asked.turn}.requests.jsonl")


@router.get("/runs/{int:run}/generations", response=WaitingOut, openapi_extra=WAITS)
def read_waiting(request: HttpRequest, run: int) -> Any:
    """Which generations a run waits for; 409 when for none."""
    return imported.waiting(batch_requests.waiting_stage(run_of(me(request), run)))


@router.post("/runs/{int:run}/generations", response=ImportedOut, openapi_extra=FILE)
def import_generations(request: HttpRequest, run: int, by: Query[Importing]) -> Any:
    """Engineers import answers to a run's requests: all lines of the file or none."""
    found = run_of(me(request), run)
    imported.expecting(found, me(request))  # before anything is read
    name, chunks = file_of(request, by.file_name)
    options = by.model_dump(exclude={"file_name"})
    with uploaded_files.passing(chunks) as file:
        shown = uploaded_files.shown_name(name)
        return imported.import_generations(found, [(shown, file)], **options, by=me(request))


@router.post("/runs/{int:run}/generations/close", response=ImportedOut)
def close_generations(request: HttpRequest, run: int) -> Any:
    """Engineers say that nothing more comes: the run goes on with the attempts that are here."""
    return imported.import_generations(run_of(me(request), run), [], allow_missing=True, by=me(request))


def _blocks(lines: Iterator[str]) -> Generator[bytes]:
    while block := list(islice(lines, BLOCK)):
        yield ("\n".join(block) + "\n").encode()
