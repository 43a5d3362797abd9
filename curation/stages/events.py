"""The log of operations: one row each, written in the operation's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models

from curation.models import Event, Iteration, Run, Shard, Stage, Team, User


def record(
    verb: str,
    subject: models.Model,
    *,
    run_id: int | None = None,
    team: Team | None = None,
    actor: User | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    why: str = "",
) -> Event:
    """Log one operation, e.g. "run.start". `actor` is None when the loop acted by itself.

    The run and its team are found from the subject where it belongs to one and they are not given.
    """
    run_id = run_id if run_id is not None else _run_of(subject)
    team_id = team.pk if team is not None else _team_of(run_id)
    return Event.objects.create(
        team_id=team_id,
        actor=actor,
        verb=verb,
        subject_kind=subject._meta.model_name or "",
        subject_id=subject.pk,
        run_id=run_id,
        before=dict(before or {}),
        after=dict(after or {}),
        why=why,
    )


def _run_of(subject: models.Model) -> int | None:
    if isinstance(subject, Run):
        return subject.pk
    if isinstance(subject, Iteration):
        return subject.run_id
    if isinstance(subject, Stage):
        return subject.iteration.run_id
    if isinstance(subject, Shard):
        return subject.stage.iteration.run_id
    return None


def _team_of(run_id: int | None) -> int | None:
    if run_id is None:
        return None
    return Run.objects.filter(pk=run_id).values_list("project__team_id", flat=True).first()
