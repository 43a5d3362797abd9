"""Imported generations: what a run asks for goes out as a batch file, answers from elsewhere come in."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from django.http import HttpRequest

from curation.access import answer_file_of, run_of
from curation.api.paging import Page, Slice, newest_first
from curation.api.problems import CONTENT_TYPE
from curation.api.signing import me
from curation.api.uploads import FILE, file_of
from curation.attachments import Attachment
from curation.models import AnswerFile
from curation.models.imported import AnswerFileState
from curation.stages import answer_files, batch_requests, imported
from curation.stages.answer_files import AnswerOptions
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
    attempt: int = Field(
        0, ge=0, le=answer_files.MOST_ATTEMPT, description="which one the answers are, in a file that does not say (BFCL's)"
    )
    skip_errors: bool = Field(False, description="leave lines out that cannot be used, instead of refusing the file")
    allow_missing: bool = Field(False, description="this is all: go on with the attempts that are here")
    start_over: bool = Field(False, description="forget what was imported for this turn before")


class AnswersOut(Schema):
    taken: int = Field(description="answers")
    left_out: int = Field(description="lines")
    errors: list[str] = Field(description="why; of the first lines left out")
    arrived: int
    awaited: int
    goes_on: bool = Field(description="nothing is awaited any more")


class ClosedOut(Schema):
    arrived: int
    awaited: int


class AnswerFileOut(Schema):
    id: int
    file_name: str
    bytes: int
    sha256: str
    options: dict[str, Any]
    state: Literal[tuple(AnswerFileState.values)]  # type: ignore[valid-type]
    rows: int = Field(description="lines read so far")
    report: AnswersOut | None = Field(description="what the import did, once it is done")
    error: str
    sent_at: datetime
    closed_at: datetime | None

    @staticmethod
    def resolve_state(file: AnswerFile) -> str:
        return answer_files.standing(file)[0]

    @staticmethod
    def resolve_error(file: AnswerFile) -> str:
        return answer_files.standing(file)[1]

    @staticmethod
    def resolve_report(file: AnswerFile) -> Any:
        return file.report if file.state == AnswerFileState.DONE else None


@router.get("/runs/{int:run}/requests", openapi_extra=REQUESTS)
def export_requests(request: HttpRequest, run: int, asked: Query[Asked]) -> Any:
    """The attempts that a run of imported generations waits for, as an input file of OpenAI's batches."""
    lines = batch_requests.batch_requests(run_of(me(request), run), asked.turn, asked.model, me(request))
    return Attachment(_blocks(lines), f"run-{run}-{asked.turn}.requests.jsonl")


@router.get("/runs/{int:run}/generations", response=WaitingOut, openapi_extra=WAITS)
def read_waiting(request: HttpRequest, run: int) -> Any:
    """Which generations a run waits for; 409 when for none."""
    return imported.waiting(batch_requests.waiting_stage(run_of(me(request), run)))


@router.post("/runs/{int:run}/generations", response={202: AnswerFileOut}, openapi_extra=FILE)
def import_generations(request: HttpRequest, run: int, by: Query[Importing]) -> Any:
    """Engineers import answers to a run's requests: all lines of the file or none. The file's state says how far that is."""
    found = run_of(me(request), run)
    imported.expecting(found, me(request))  # before anything is read
    name, chunks = file_of(request, by.file_name)
    options = AnswerOptions(**by.model_dump(exclude={"file_name"}))
    return Status(202, answer_files.receive(found, name, chunks, options, me(request)))


@router.get("/runs/{int:run}/generations/files", response=Page[AnswerFileOut])
def list_answer_files(request: HttpRequest, run: int, by: Query[Slice]) -> Any:
    """The files of answers that were sent to a run, the newest first."""
    return newest_first(AnswerFile.objects.filter(run=run_of(me(request), run)), by)


@router.get("/runs/{int:run}/generations/files/{int:file}", response=AnswerFileOut)
def read_answer_file(request: HttpRequest, run: int, file: int) -> Any:
    """A file of answers: how far its import is, how it ended, and why lines were refused."""
    return answer_file_of(me(request), run, file)


@router.post("/runs/{int:run}/generations/close", response=ClosedOut)
def close_generations(request: HttpRequest, run: int) -> Any:
    """Engineers say that nothing more comes: the run goes on with the attempts that are here."""
    return imported.import_generations(run_of(me(request), run), [], allow_missing=True, by=me(request))


def _blocks(lines: Iterator[str]) -> Generator[bytes]:
    while block := list(islice(lines, BLOCK)):
        yield ("\n".join(block) + "\n").encode()
