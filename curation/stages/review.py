"""Review: what people decide about samples and refine pairs, beside the verdicts, and their word that training may begin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from curation.models import Decision, Event, Iteration, Role, Run, Sample, Stage, User
from curation.models.datasets import Split
from curation.models.decisions import DecisionKind
from curation.models.shards import StageKind, StageState
from curation.stages import events, loop, standing
from curation.stages.errors import InputError, WrongState
from curation.stages.filtering import VerdictFilter, filter_query, matching
from curation.stages.moves import move
from curation.stages.people import require
from curation.stages.standing import Place, Standing
from curation.stages.texts import check_why
from curation.stages.undoing import Undone, undo_event

__all__ = ["DECIDABLE", "Undone", "approve", "decide", "decide_all", "record_decision", "undo_event"]

DECIDABLE = (DecisionKind.KEEP, DecisionKind.DROP, DecisionKind.DISCUSS)  # a fix needs the corrected truth: stages.correcting
MOST_MARKED = 100_000  # verdicts by one operation: some 5 s


@transaction.atomic
def decide(
    run: Run, iteration: Iteration, sample: Sample, turn: int, kind: str, by: User, why: str = ""
) -> Decision:  # fmt: skip
    """Keep, drop or discuss a sample (turn 0: from this iteration on) or its refine pair (turn 1: in this iteration).

    A standing decision on the same thing is undone by the new one; a truth that it corrected stays corrected. Raises
    InputError for a thing that is not the run's, WrongState when it comes too late to matter or another person was first.
    """
    require(by, run.project.team, Role.REVIEWER)
    why = check_why(why)
    _check_kind(kind, turn)
    check_sample(run, iteration, sample)
    if turn and not iteration.pairs.filter(version__sample=sample).exists():
        raise InputError(f"sample {sample} has no refine pair in iteration {iteration.number}; decide on the sample instead")
    standing.hold(run.pk, alone=False)
    standing.check_open(iteration, turn)
    return record_decision("review.decide", iteration, sample, turn, kind, by, why)


def record_decision(
    verb: str, iteration: Iteration, sample: Sample, turn: int, kind: str, by: User, why: str,
    *, version: int | None = None, corrects: int | None = None,
) -> Decision:  # fmt: skip
    """Write one decision, checked by the caller, and its event. Of a fix `version` is the corrected one, and `corrects` the
    one before. Raises WrongState when another person was first."""
    place = Place(iteration.run_id, iteration.pk, turn)
    before = standing.standing(place, [sample.pk])
    replaced = {"decision": before[0].decision, "kind": before[0].kind} if before else {}
    after = {"kind": str(kind), "sample": sample.pk, "turn": turn, "iteration": iteration.number}
    after |= {} if version is None else {"version": version, "corrects": corrects}
    event = events.record(verb, sample, run_id=iteration.run_id, actor=by, before=replaced, after=after, why=why)
    try:
        with transaction.atomic():
            standing.put(place, [sample.pk], kind, event, before=before, by=by, why=why, version=version)
    except IntegrityError as error:
        raise WrongState(f"another decision on sample {sample} was made at the same time; look again") from error
    made: Decision = Decision.objects.select_related("made_by").get(made_by=event)
    return made


def _check_kind(kind: str, turn: int) -> None:
    if kind not in DECIDABLE or turn not in (0, 1):
        raise InputError(f"decision {kind!r} on turn {turn}: decide {', '.join(DECIDABLE)} on turn 0 or 1")


def check_sample(run: Run, iteration: Iteration, sample: Sample) -> None:
    """Raises InputError unless the sample is one that the run may train on."""
    if iteration.run_id != run.pk or not run.revision.entries.filter(version__sample=sample).exists():
        raise InputError(f"sample {sample} is not one of run {run}; choose one of its data set's revision")
    if sample.split != Split.TRAIN:
        raise InputError(f"sample {sample} is held out, so nothing trains on it: there is nothing to decide; leave a comment")


@transaction.atomic
def decide_all(iteration: Iteration, f: VerdictFilter, kind: str, by: User, *, expected: int, why: str = "") -> Event:
    """Decide alike on all that a filter finds, and so in one operation, which can be undone whole.

    What is decided so already stays as it is. `expected` is the number that the person was shown: raises WrongState when
    the filter finds another by now, when nothing is left to decide, or when it comes too late to matter; InputError when it
    would mark more than MOST_MARKED verdicts, for as long as which nobody else could decide.
    """
    run = iteration.run
    require(by, run.project.team, Role.REVIEWER)
    why = check_why(why)
    _check_kind(kind, f.turn)
    standing.hold(run.pk, alone=True)
    standing.check_open(iteration, f.turn)
    found = list(matching(iteration, f).order_by("sample_id").values_list("sample_id", flat=True))
    if len(found) != expected:
        raise WrongState(f"{len(found)} match by now, not {expected}: nothing was changed; look again")
    if len(found) > (most := most_at_once(iteration, f.turn)):
        raise InputError(f"{len(found):,} match, and at most {most:,} are decided at once: choose another facet, then the rest")
    place = Place(run.pk, iteration.pk, f.turn)
    decided = standing.standing(place, found)
    so_already = {each.sample for each in decided if each.kind == kind}
    samples = [number for number in found if number not in so_already]
    if not samples:
        raise WrongState(f"there is nothing to change: of {len(found)} that match, every one is decided so already")
    before = [each for each in decided if each.sample not in so_already]
    after = {"kind": str(kind), "turn": f.turn, "iteration": iteration.number, "filter": filter_query(f), "count": len(samples)}
    event = events.record("review.decide_all", iteration, actor=by, before=_bulk(samples, before), after=after, why=why)
    standing.put(place, samples, kind, event, before=before, by=by, why=why)
    return event


def most_at_once(iteration: Iteration, turn: int) -> int:
    """On how many samples one operation may decide: a decision marks its sample's verdict in each of the run's iterations."""
    iterations = 1 if turn else Iteration.objects.filter(run=iteration.run_id, number__gt=0).count()
    return MOST_MARKED // max(1, iterations)


def _bulk(samples: Sequence[int], before: Sequence[Standing]) -> dict[str, Any]:
    """Which samples, and of those that were decided on: [sample, decision, its kind]."""
    return {"samples": list(samples), "decisions": [list(each) for each in before]}


@transaction.atomic
def approve(iteration: Iteration, by: User | None) -> None:
    """Say that the review of an iteration is done: training goes on. `by` is None for the operator.

    Raises WrongState when it does not wait for that.
    """
    require(by, iteration.run.project.team, Role.ENGINEER)
    loop.locked(iteration.run_id)
    stage = Stage.objects.filter(iteration=iteration, kind=StageKind.REVIEW).first()
    if stage is None:
        raise WrongState(f"iteration {iteration.number} has no review: it evaluates the base only")
    move(Stage, stage.pk, StageState.RUNNING, StageState.DONE, closed_at=Now())
    events.record("review.approve", stage, run_id=iteration.run_id, actor=by)
    transaction.on_commit(partial(loop.advance, iteration.run_id), robust=True)
