"""One sample of an iteration, and one refine pair: what was asked, what was answered, what was judged and decided."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from ninja import Router, Schema
from pydantic import Field

from django.http import Http404, HttpRequest

from curation.access import iteration_of
from curation.api.review import DecisionOut
from curation.api.signing import me
from curation.api.verdicts import VerdictBrief
from curation.models import Decision, Generation, Iteration, RefinePair, Rejudgement, Verdict
from curation.models.training import TrainingKind
from curation.models.verdicts import Outcome
from curation.stages.masks import mask_of

router = Router()


class AttemptOut(Schema):
    """One answer as the model wrote it, and what the comparator says of it."""

    attempt: int
    text: str
    calls: list[dict[str, Any]] | None
    answer_key: UUID = Field(description="equal for answers whose calls are equal")
    max_param_diff: int | None = Field(description="0 exact, 1 approximate; null where the tools differ")
    reason: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seed: int
    prompt_hash: str
    checkpoint: int | None = Field(description="the merged model that wrote it; null for the base")
    comparator: str

    @staticmethod
    def resolve_checkpoint(generation: Generation) -> int | None:
        checkpoint: int | None = generation.checkpoint_id
        return checkpoint


class TurnOut(Schema):
    """What k attempts come to."""

    attempts: int
    exact_hits: int
    approximate_hits: int
    first_hit: int | None
    censored: bool = Field(description="stopped at its first hit, sampling_mode until_hit: hits are a lower bound")
    reason: str
    reasons: dict[str, int]
    other_answer: str | None
    other_count: int
    excluded: bool
    comparator: str


class VerdictOut(VerdictBrief):
    reason: str
    reasons: dict[str, int] = Field(description="how many attempts failed for which reason")
    comparator: str


class Then(Schema):
    """The same sample in another iteration."""

    iteration: int
    outcome: Outcome
    attempts: int
    exact_hits: int
    approximate_hits: int
    censored: bool

    @staticmethod
    def resolve_iteration(verdict: Verdict) -> int:
        return int(verdict.iteration.number)


class PieceOut(Schema):
    """A token of a training row as text, and whether the training's loss falls on it."""

    text: str
    trained: bool


class PoolSample(Schema):
    sample: int
    key: str
    version: int = Field(description="the number of the version that was judged")
    sha256: str
    content: dict[str, Any] = Field(description="the sample's wire form: messages, tools, truth")
    verdict: VerdictOut
    attempts: list[AttemptOut]
    rejudged: TurnOut | None = Field(description="what the attempts come to under the corrected truth that stands")
    iterations: list[Then]
    decisions: list[DecisionOut]
    mask: list[PieceOut] | None = Field(description="the row as it was trained; null where it was not")


class PairOut(PoolSample):
    first_answer: str = Field(description="A₁: attempt 0 of the direct turn, as written")
    usable: bool
    identical_exact: bool = Field(description="A₁ = A as calls")
    identical_text: bool


@router.get("/runs/{int:run}/iterations/{int:number}/pool/{int:sample}", response=PoolSample)
def read_pool_sample(request: HttpRequest, run: int, number: int, sample: int) -> Any:
    """A sample with its direct attempts."""
    return _shown(iteration_of(me(request), run, number), sample, 0)


@router.get("/runs/{int:run}/iterations/{int:number}/pairs/{int:sample}", response=PairOut)
def read_pair(request: HttpRequest, run: int, number: int, sample: int) -> Any:
    """A refine pair with its attempts."""
    iteration = iteration_of(me(request), run, number)
    shown = _shown(iteration, sample, 1)
    pair = RefinePair.objects.get(iteration=iteration, version=shown["verdict"].version_id)
    names = ("first_answer", "usable", "identical_exact", "identical_text")
    return shown | {name: getattr(pair, name) for name in names}


def _shown(iteration: Iteration, sample: int, turn: Literal[0, 1]) -> dict[str, Any]:
    """Six queries, whatever the sample, and a seventh for the mask."""
    verdicts = Verdict.objects.filter(iteration=iteration, sample=sample, turn=turn).select_related("version", "sample")
    verdict = verdicts.first()
    if verdict is None:
        raise Http404(f"iteration {iteration.number} has no verdict of turn {turn} on such a sample")
    generations = Generation.objects.filter(iteration=iteration, version_id=verdict.version_id, turn=turn)
    then = Verdict.objects.filter(iteration__run=iteration.run_id, sample=sample, turn=turn).select_related("iteration")
    decisions = Decision.objects.filter(run=iteration.run_id, sample=sample, turn=turn).select_related("iteration", "by")
    truth = Decision.objects.standing().filter(run=iteration.run_id, sample=sample, turn=0).values("version")
    return {
        "sample": verdict.sample_id,
        "key": verdict.sample.key,
        "version": verdict.version.number,
        "sha256": verdict.version.sha256,
        "content": verdict.version.content,
        "verdict": verdict,
        "attempts": list(generations.order_by("attempt")),
        "rejudged": Rejudgement.objects.filter(iteration=iteration, version__in=truth, turn=turn).first(),
        "iterations": list(then.order_by("iteration__number")),
        "decisions": list(decisions.order_by("pk")),
        "mask": mask_of(iteration, verdict.version_id, TrainingKind.REFINE if turn else TrainingKind.DIRECT),
    }
