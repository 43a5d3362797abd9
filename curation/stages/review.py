"""Review: what people decide about samples and refine pairs, beside the verdicts, and their word that training may begin."""

from __future__ import annotations

from functools import partial

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from curation.models import Decision, Iteration, Role, Run, Sample, Stage, User
from curation.models.decisions import DecisionKind
from curation.models.runs import RunState
from curation.models.shards import StageKind, StageState
from curation.stages import events, loop
from curation.stages.errors import InputError, WrongState
from curation.stages.moves import move
from curation.stages.people import require

ENDED = (RunState.SATURATED, RunState.COMPLETED, RunState.STOPPED)
NOT_FROZEN = (StageState.PENDING, StageState.RUNNING, StageState.FAILED)  # states of an assembly that may still read decisions


@transaction.atomic
def decide(
    run: Run, iteration: Iteration, sample: Sample, turn: int, kind: str, by: User, why: str = ""
) -> Decision:  # fmt: skip
    """Keep, drop or discuss a sample (turn 0: from this iteration on) or its refine pair (turn 1: in this iteration).

    A standing decision on the same thing is undone by the new one. Raises InputError for a thing that is not the run's,
    WrongState when it comes too late to matter or another person was first.
    """
    require(by, run.project.team, Role.REVIEWER)
    _check(run, iteration, sample, turn, kind)
    standing = Decision.objects.standing().filter(run=run, sample=sample, turn=turn)
    if turn:
        standing = standing.filter(iteration=iteration)
    before = standing.first()
    standing.update(undone_at=Now())
    try:
        with transaction.atomic():
            made: Decision = Decision.objects.create(
                run=run, iteration=iteration, sample=sample, turn=turn, kind=DecisionKind(kind), why=why, by=by
            )
    except IntegrityError as error:
        raise WrongState(f"another decision on sample {sample} was made at the same time; look again") from error
    replaced = {"decision": before.pk, "kind": before.kind} if before is not None else {}
    after = {"kind": made.kind, "sample": sample.pk, "turn": turn, "iteration": iteration.number}
    events.record("review.decide", made, run_id=run.pk, actor=by, before=replaced, after=after, why=why)
    return made


def _check(run: Run, iteration: Iteration, sample: Sample, turn: int, kind: str) -> None:
    if kind not in DecisionKind.values or turn not in (0, 1):
        raise InputError(f"decision {kind!r} on turn {turn}: decide {', '.join(DecisionKind.values)} on turn 0 or 1")
    if iteration.run_id != run.pk or not run.revision.entries.filter(version__sample=sample).exists():
        raise InputError(f"sample {sample} is not one of run {run}; choose one of its data set's revision")
    if turn and not iteration.pairs.filter(version__sample=sample).exists():
        raise InputError(f"sample {sample} has no refine pair in iteration {iteration.number}; decide on the sample instead")
    state = loop.locked(run.pk).state  # waits for an assembly that is at it
    if state in ENDED:
        raise WrongState(f"run {run} is {state}: a decision would change nothing")
    if turn and not Stage.objects.filter(iteration=iteration, kind=StageKind.ASSEMBLY, state__in=NOT_FROZEN).exists():
        raise WrongState(
            f"the training set of iteration {iteration.number} is frozen: a decision on its pair would change nothing"
        )


@transaction.atomic
def undo(decision: Decision, by: User) -> None:
    """Take a decision back. Raises WrongState when that has been done."""
    require(by, decision.run.project.team, Role.REVIEWER)
    if not Decision.objects.standing().filter(pk=decision.pk).update(undone_at=Now()):
        raise WrongState(f"decision {decision.pk} does not stand any more")
    before = {"kind": decision.kind, "sample": decision.sample_id, "turn": decision.turn}
    events.record("review.undo", decision, run_id=decision.run_id, actor=by, before=before)
    decision.refresh_from_db()


@transaction.atomic
def approve(iteration: Iteration, by: User | None) -> None:
    """Say that the review of an iteration is done: training goes on. `by` is None for the operator.

    Raises WrongState when it does not wait for that.
    """
    require(by, iteration.run.project.team, Role.REVIEWER)
    loop.locked(iteration.run_id)
    stage = Stage.objects.filter(iteration=iteration, kind=StageKind.REVIEW).first()
    if stage is None:
        raise WrongState(f"iteration {iteration.number} has no review: it evaluates the base only")
    move(Stage, stage.pk, StageState.RUNNING, StageState.DONE, closed_at=Now())
    events.record("review.approve", stage, run_id=iteration.run_id, actor=by)
    transaction.on_commit(partial(loop.advance, iteration.run_id), robust=True)
