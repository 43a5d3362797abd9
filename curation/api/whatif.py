"""What an iteration would have selected with fewer attempts or another tolerance, and which verdicts that changes."""

from __future__ import annotations

from typing import Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from django.http import HttpRequest

from curation.access import iteration_of
from curation.api.paging import Page, Slice
from curation.api.signing import me
from curation.models import Iteration
from curation.stages import whatif
from curation.stages.whatif import Question

router = Router()


class QuestionOut(Schema):
    k: int = Field(description="attempts of each turn, the first ones")
    tolerance: int = Field(description="parameters of a call that may differ; 0 is exact")


class TurnAnswerOut(Schema):
    """One turn: 0 the samples, 1 the refine pairs. What is dropped or corrected counts nowhere."""

    turn: Literal[0, 1]
    before: int = Field(description="selected, as the iteration counts them")
    now: int = Field(description="selected so")
    gained: int
    lost: int
    unknown: int = Field(description="verdicts of which too few attempts are stored to tell")
    counts: dict[str, dict[str, int]] = Field(description="outcome before → outcome so → verdicts")
    by_k: list[int] = Field(description="selected with the first 1, 2, … attempts under the tolerance asked for")


class BoundsOut(Schema):
    least: int
    most: int = Field(description="more than least where too few attempts are stored to tell")


class SaturationOut(Schema):
    """Whether the run ends with the iteration: N_t ≤ N_{t−1}·(1+ε), each model having been trained as it was."""

    epsilon: float = Field(description="fraction")
    previous: BoundsOut | None = Field(description="N_{t−1} so; null in iteration 1, which only selecting nothing ends")
    current: BoundsOut = Field(description="N_t so")
    before: bool = Field(description="by the run's own k and tolerance")
    now: bool | None = Field(description="null where the stored attempts leave it open")


class WhatIfOut(Schema):
    question: QuestionOut
    own: QuestionOut = Field(description="what the run itself asked")
    left_out: int = Field(description="verdicts on samples that people dropped or corrected since")
    unsampled: int = Field(description="samples gained whose pairs were never sampled (refine_scope selected)")
    turns: list[TurnAnswerOut]
    saturation: SaturationOut | None = Field(description="null before the selection is counted")


class ChangedSelectionOut(Schema):
    """A verdict whose selection changes."""

    id: int
    sample: int
    key: str
    turn: Literal[0, 1]
    change: Literal["gained", "lost"]
    outcome_before: str
    outcome: str


class Asked(Schema):
    """The run's own k and tolerance where nothing is said. A larger k needs a new run."""

    k: int | None = Field(None, ge=1, le=1024)
    tolerance: int | None = Field(None, ge=0, le=99)


class ChangesSlice(Slice, Asked):
    turn: int = Field(0, ge=0, le=1)
    change: Literal["gained", "lost"] | None = None


@router.get("/runs/{int:run}/iterations/{int:number}/what-if", response=WhatIfOut)
def read_what_if(request: HttpRequest, run: int, number: int, asked: Query[Asked]) -> Any:
    """How many would be selected with the first k attempts under another tolerance. Nothing is written."""
    iteration = iteration_of(me(request), run, number)
    return whatif.Stored(iteration).answer(_question(iteration, asked))


@router.get("/runs/{int:run}/iterations/{int:number}/what-if/changes", response=Page[ChangedSelectionOut])
def list_what_if_changes(request: HttpRequest, run: int, number: int, by: Query[ChangesSlice]) -> Any:
    """The samples (turn 0) or pairs (turn 1) that would be gained and lost."""
    iteration = iteration_of(me(request), run, number)
    question = _question(iteration, by)
    rows = whatif.Stored(iteration).changes(
        question, turn=by.turn, change=by.change, after=by.after or 0, limit=by.limit + 1
    )  # fmt: skip
    return {"items": rows[: by.limit], "next": rows[by.limit - 1].id if len(rows) > by.limit else None}


def _question(iteration: Iteration, asked: Asked) -> Question:
    return whatif.ask(iteration, asked.k, asked.tolerance)
