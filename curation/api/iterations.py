"""Iterations of a run: their table, stages, training and evaluation; and an engineer's word that training may begin."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema
from pydantic import BeforeValidator, Field

from django.http import HttpRequest

from curation.access import iteration_of, run_of
from curation.api.paging import Page, Slice
from curation.api.signing import me
from curation.models import Evaluation, EvaluationItem, Iteration, Stage, TrainingSet, TrainingStep
from curation.stages import review
from curation.stages.evaluation_items import CHANGES, LONGEST, NAMES, SCORES, item_filter_from, item_page_of
from curation.stages.table import iteration_table
from curation.stages.verdict_filter import LONGEST_QUERY

router = Router()


def _finite(value: float | None) -> float | None:
    """JSON knows no NaN: a loss that diverged is null."""
    return value if value is not None and math.isfinite(value) else None


Finite = Annotated[float | None, BeforeValidator(_finite)]


class IterationOut(Schema):
    """A line of the table of a run. What is not known yet, or never will be (iteration 0), is null. Shares are from 0 to 1."""

    iteration: int
    state: Literal["open", "done", "selection_only", "failed", "stopped"]
    pool: int
    selected_direct: int | None
    selected_refine: int | None
    identical_share: float | None = Field(description="of the selected pairs: A₁ = A as calls")
    identical_text_share: float | None
    heldout_direct: float | None
    heldout_adaptive: float | None
    heldout_direct_interval: tuple[float, float] | None = Field(description="Wilson, 95 %")
    heldout_adaptive_interval: tuple[float, float] | None
    mean_turns: float | None
    seconds: dict[str, float] = Field(description="wall time of each closed stage")


class StageOut(Schema):
    kind: Literal["sampling", "refinement", "selection", "review", "assembly", "training", "evaluation"]
    state: Literal["pending", "running", "done", "failed", "cancelled"]
    total: int = Field(description="samples or rows")
    error: str
    opened_at: datetime | None
    closed_at: datetime | None


class TrainingSetOut(Schema):
    sha256: str
    direct: int
    refine: int
    too_long: int | None = Field(description="rows that the trainer left out; null before training")
    created_at: datetime


class IterationDetail(IterationOut):
    stages: list[StageOut]
    training_set: TrainingSetOut | None


class StepOut(Schema):
    """One optimiser step. `loss` is in nats per label token; what is no finite number is null."""

    step: int
    steps: int
    loss: Finite
    learning_rate: float
    grad_norm: Finite
    tokens: int
    tokens_per_second: float
    memory_bytes: int | None = Field(description="most that the trainer held so far: of the GPU's memory, or of the machine's")


Score = Literal["right", "wrong"]
Change = Literal["fixed", "broken"]
assert (Score.__args__, Change.__args__) == (SCORES, CHANGES)  # type: ignore[attr-defined]


class ItemOut(Schema):
    """One held-out sample: its trace A₀ … Aₙ as written, and what it scores."""

    id: int
    sample: int
    key: str
    category: str
    direct_right: bool
    adaptive_right: bool
    turns: int
    trace: list[str]
    prompt_hash: str

    @staticmethod
    def resolve_sample(item: EvaluationItem) -> int:
        return int(item.version.sample_id)

    @staticmethod
    def resolve_key(item: EvaluationItem) -> str:
        return str(item.version.sample.key)

    @staticmethod
    def resolve_category(item: EvaluationItem) -> str:
        return str(item.version.category)


class ItemSlice(Slice):
    """The filter of the pages, by the same names."""

    direct: Score | None = None
    adaptive: Score | None = None
    vanilla: Score | None = None
    self_consistency: Score | None = None
    change: Change | None = Field(None, description="by adaptive self-refine: wrong before and right after it, or the other way")
    turns: int | None = Field(None, ge=0, le=999, description="at which adaptive self-refine stops")
    category: str = Field("", max_length=40)
    error: str = Field("", max_length=LONGEST, description="of the direct answer, by name")
    left: str = Field("", max_length=LONGEST, description="of adaptive's answer")
    q: str = Field("", max_length=LONGEST_QUERY, description="words, as the pages search for them")


@router.get("/runs/{int:run}/iterations", response=list[IterationOut])
def list_iterations(request: HttpRequest, run: int) -> Any:
    """The table of a run; iteration 0 is the evaluation of the base."""
    return iteration_table(run_of(me(request), run))


@router.get("/runs/{int:run}/iterations/{int:number}", response=IterationDetail)
def read_iteration(request: HttpRequest, run: int, number: int) -> Any:
    """A line of the table with the stages and, once it is frozen, the training set."""
    return _detail(iteration_of(me(request), run, number))


@router.get("/runs/{int:run}/iterations/{int:number}/steps", response=list[StepOut])
def list_steps(request: HttpRequest, run: int, number: int) -> Any:
    """The training, step by step: loss, learning rate, gradient norm, speed, memory."""
    return TrainingStep.objects.filter(iteration=iteration_of(me(request), run, number)).order_by("step")


@router.get("/runs/{int:run}/iterations/{int:number}/heldout", response=Page[ItemOut])
def list_heldout(request: HttpRequest, run: int, number: int, by: Query[ItemSlice]) -> Any:
    """The held-out samples of an evaluation, from the first answer on, by the filter of the pages."""
    iteration = iteration_of(me(request), run, number)
    wanted = item_filter_from({name: [str(value)] for name in NAMES if (value := getattr(by, name)) not in (None, "")})
    own = Evaluation(iteration=iteration, revision_id=iteration.run.revision_id)  # summed up or not yet
    page = item_page_of(own, wanted, after=str(by.after or ""), limit=by.limit)
    return {"items": page.rows, "next": page.next}


@router.post("/runs/{int:run}/iterations/{int:number}/approve", response=IterationDetail)
def approve(request: HttpRequest, run: int, number: int) -> Any:
    """End the review of an iteration that waits for it: training goes on."""
    iteration = iteration_of(me(request), run, number)
    review.approve(iteration, me(request))
    return _detail(iteration)


def _detail(iteration: Iteration) -> dict[str, Any]:
    row = next(row for row in iteration_table(iteration.run) if row["iteration"] == iteration.number)
    stages = Stage.objects.filter(iteration=iteration).order_by("position")
    return {**row, "stages": list(stages), "training_set": TrainingSet.objects.filter(iteration=iteration).first()}
