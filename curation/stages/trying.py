"""Trying a model: a person's question waits for a worker, which answers it with adaptive self-refine (§3.3, Alg. 1).

What a trial says is no part of the record: nothing is selected or trained by it. A project keeps the newest KEPT of the last
DAYS days; older ones go when another is asked. Not in charge of when a worker takes one: see `worker.station`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from curation.models import Project, Role, SampleVersion, Shard, Trial, User
from curation.models.shards import ShardState, StageKind
from curation.models.trials import OPEN, TrialState
from curation.stages import artifacts, events, returning
from curation.stages.errors import InputError
from curation.stages.moves import move, move_all
from curation.stages.people import require
from curation.stages.returning import LEASE
from curation.stages.shards import Claim, Room
from curation.stages.trial_models import Model
from curation.stages.trial_questions import is_of, question_json, question_of, title_of
from curation.stages.trial_turns import Turn
from curation.stages.waking import wake_trials
from toolcalls.records import Sample
from toolcalls.settings import settings_json

LIMIT = 600.0  # seconds that a trial may take, the loading of its model included
OF_PERSON, OF_PROJECT = 3, 10  # trials that may be open at once
MOST_TURNS, MOST_NEW_TOKENS = 10, 4096
PATIENCE = timedelta(days=1)  # for a worker to take it
KEPT, DAYS = 500, 90
MOST_CLAIMS = 5
LOCK_SPACE = 7305  # first key of the workers' advisory locks; the second is the trial's id
ERROR_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Asked:
    """A trial held by one worker. `claim` is what a worker would know of a shard with that model; nobody may write by it."""

    trial: int
    attempt: int
    claim: Claim
    question: Sample


@transaction.atomic
def ask(
    project: Project,
    model: Model,
    question: Sample,
    by: User | None = None,
    *,
    version: SampleVersion | None = None,
    turns: int | None = None,
    max_new_tokens: int | None = None,
) -> Trial:
    """Put a question to a model. `version`: the sample that it was taken from, whose truth counts where nothing was changed.

    Raises InputError for what cannot be asked, and where too many wait already.
    """
    require(by, project.team, Role.ENGINEER)
    settings = model.settings
    settings = replace(
        settings,
        refine_turns=_within(turns, min(settings.refine_turns, MOST_TURNS), 0, MOST_TURNS, "refine turns"),
        max_new_tokens=_within(max_new_tokens, min(settings.max_new_tokens, MOST_NEW_TOKENS), 1, MOST_NEW_TOKENS, "new tokens"),
    )
    if settings.max_new_tokens >= settings.max_length:
        raise InputError(f"the model takes {settings.max_length} tokens, prompt and answer together; ask for fewer new tokens")
    _make_room(project, by)
    made = Trial.objects.create(
        project=project,
        base=model.base,
        checkpoint=model.checkpoint,
        engine=model.engine,
        version=version if version is not None and is_of(question, version) else None,
        settings=settings_json(settings),
        title=title_of(question),
        question=question_json(question),
        by=by,
    )
    events.record("trial.ask", made, team=project.team, actor=by, after={"model": str(model), "engine": model.engine.name})
    transaction.on_commit(wake_trials, robust=True)
    return made


def _within(given: int | None, usual: int, least: int, most: int, what: str) -> int:
    if given is not None and not least <= given <= most:
        raise InputError(f"{given} {what}: choose from {least} to {most}")
    return usual if given is None else given


def _make_room(project: Project, by: User | None) -> None:
    """Old trials go. Raises InputError where too many wait; who asks at the same time waits for the end of the transaction."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    open_ = Trial.objects.filter(project=project, state__in=OPEN)
    if by is not None and open_.filter(by=by).count() >= OF_PERSON:
        raise InputError(f"{OF_PERSON} trials of yours wait for a worker already; wait for one of them, or cancel it")
    if open_.count() >= OF_PROJECT:
        raise InputError(f"{OF_PROJECT} trials of {project} wait for a worker already; wait for one of them, or cancel it")
    closed = Trial.objects.filter(project=project).exclude(state__in=OPEN)
    newest = closed.order_by("-pk").values_list("pk", flat=True)[KEPT - 1 : KEPT]
    old = Q(asked_at__lt=timezone.now() - timedelta(days=DAYS))
    closed.filter(old | Q(pk__lte=newest[0]) if newest else old).delete()


@transaction.atomic
def cancel(trial: Trial, by: User | None = None) -> None:
    """Take a question back that no worker has begun. Raises WrongState once one has."""
    require(by, trial.project.team, Role.ENGINEER)
    move(Trial, trial.pk, TrialState.WAITING, TrialState.CANCELLED, closed_at=Now())
    events.record("trial.cancel", trial, team=trial.project.team, actor=by)


def claimable() -> QuerySet[Trial]:
    """What a worker could take now."""
    dead = Q(state=TrialState.ANSWERING, lease_until__lt=Now())
    return Trial.objects.filter(Q(state=TrialState.WAITING) | dead)


def trainings() -> int:
    """How many are under way: each takes all devices of a worker, for as long as it takes."""
    held = Shard.objects.filter(state=ShardState.LEASED, stage__kind=StageKind.TRAINING, lease_until__gt=Now())
    return held.count()


def claim_next(owner: str, room: Room | None = None) -> Asked | None:
    """Take the one that waits longest, or whose worker is thought dead. None when there is none, or `room` is too small."""
    while claimable().exists() and (taken := _lease_one(owner, room)) is not None:
        try:
            return Asked(taken.pk, taken.attempt, _claim(taken, room), question_of(taken.question))
        except InputError as error:  # its model is gone
            fail(taken.pk, taken.attempt, str(error))
    return None


@transaction.atomic
def _lease_one(owner: str, room: Room | None) -> Trial | None:
    related = ("base", "engine", "checkpoint__run__base")
    waiting = claimable().select_related(*related).select_for_update(skip_locked=True, of=("self",))
    taken: Trial | None = waiting.order_by("pk").first()
    if taken is None or (room is not None and _devices(taken, room) > room.free):
        return None
    move_all(
        Trial.objects.filter(pk=taken.pk), OPEN, TrialState.ANSWERING,
        attempt=F("attempt") + 1, owner=owner[:120], lease_until=Now() + timedelta(seconds=LEASE), loaded_at=None, turns=[],
    )  # fmt: skip
    taken.attempt += 1
    if taken.attempt > MOST_CLAIMS:
        fail(taken.pk, taken.attempt, f"its worker died {MOST_CLAIMS} times; see the worker's log for what ended it")
        return None
    return taken


def _devices(trial: Trial, room: Room | None) -> int:
    """How many it takes: all that the worker has, where those are fewer."""
    wanted = trial.choices.engine_tensor_parallel
    return wanted if room is None else min(wanted, room.owned)


def _claim(taken: Trial, room: Room | None) -> Claim:
    settings = taken.choices
    return Claim(
        shard_id=taken.pk,
        attempt=taken.attempt,
        stage_kind=StageKind(StageKind.EVALUATION),
        run_id=-1,
        iteration_id=-1,
        iteration_number=0,
        versions=(),
        settings=settings,
        engine_kind=taken.engine.kind,
        engine_options=taken.engine.options,
        model=_folder(taken),
        checkpoint_id=taken.checkpoint_id,
        run_seed=settings.seed,
        devices=_devices(taken, room),
    )


def _folder(taken: Trial) -> Path:
    if taken.checkpoint is not None:
        return artifacts.checkpoint_dir(taken.checkpoint)
    return Path() if taken.base is None else artifacts.base_dir(taken.base)


def renew(asked: Asked) -> bool:
    """Prolong the lease. False when it is lost: stop, write nothing."""
    return bool(_held(asked.trial, asked.attempt).update(lease_until=Now() + timedelta(seconds=LEASE)))


def loaded(asked: Asked) -> bool:
    """The model is ready to answer. False, as in all of these, when another has been given the trial since."""
    return bool(_held(asked.trial, asked.attempt).update(loaded_at=Now()))


def store(asked: Asked, turns: Sequence[Turn]) -> bool:
    """Keep the turns that there are so far."""
    return bool(_held(asked.trial, asked.attempt).update(turns=[turn.plain() for turn in turns]))


def complete(asked: Asked, turns: Sequence[Turn], *, agreed: bool) -> bool:
    plain = [turn.plain() for turn in turns]
    return _close(asked.trial, asked.attempt, TrialState.DONE, turns=plain, agreed=agreed)


def fail(pk: int, attempt: int, error: str) -> bool:
    """The trial is over without an answer; `error` says why and what to do."""
    return _close(pk, attempt, TrialState.FAILED, error=error.replace("\x00", "\ufffd")[:ERROR_LENGTH])


def release(asked: Asked) -> bool:
    """Give it back: the worker is to stop."""
    held = _held(asked.trial, asked.attempt)
    return bool(move_all(held, TrialState.ANSWERING, TrialState.WAITING, sent_at=None, loaded_at=None, turns=[]))


def give_up_waiting() -> int:
    """Fail those that no worker has taken within PATIENCE; returns how many."""
    old = Trial.objects.filter(state=TrialState.WAITING, asked_at__lt=timezone.now() - PATIENCE)
    error = "no worker was free within a day; ask again, and if none is running have the operator start one"
    return move_all(old, TrialState.WAITING, TrialState.FAILED, closed_at=Now(), error=error)


def end_dead_leases() -> int:
    """Let those be taken again whose worker is dead; returns how many."""
    return returning.end_dead_leases(Trial.objects.filter(state=TrialState.ANSWERING), LOCK_SPACE)


def _close(pk: int, attempt: int, to: str, **fields: Any) -> bool:
    return bool(move_all(_held(pk, attempt), TrialState.ANSWERING, to, closed_at=Now(), lease_until=None, **fields))


def _held(pk: int, attempt: int) -> QuerySet[Trial]:
    return Trial.objects.filter(pk=pk, attempt=attempt, state=TrialState.ANSWERING)
