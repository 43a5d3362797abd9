"""What the things that a page of events speaks of are called: a query for each kind of thing, however many events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from curation.models import Dataset, Event, Invitation, Iteration, Project, Run, Sample, Shard, Stage, Upload, User


@dataclass(frozen=True, slots=True)
class Names:
    """By primary key. What is gone, or was never named, is missing."""

    runs: dict[int, Run]
    iterations: dict[int, Iteration]
    stages: dict[int, Stage]
    shards: dict[int, Shard]
    samples: dict[int, Sample]
    users: dict[int, User]
    datasets: dict[int, Dataset]
    uploads: dict[int, Upload]
    projects: dict[int, Project]
    invitations: dict[int, Invitation]


def names_of(events: Sequence[Event]) -> Names:
    """Those that the events need; a kind that none of them needs costs no query."""
    samples = {*_subjects(events, "sample"), *_told(events, "sample")}
    return Names(
        runs=_found(Run.objects.all(), {event.run_id for event in events if event.run_id is not None}),
        iterations=_found(Iteration.objects.all(), _subjects(events, "iteration")),
        stages=_found(Stage.objects.select_related("iteration"), _subjects(events, "stage")),
        shards=_found(Shard.objects.select_related("stage__iteration"), _subjects(events, "shard")),
        samples=_found(Sample.objects.all(), samples),
        users=_found(User.objects.all(), {*_told(events, "user"), *_subjects(events, "user")}),
        datasets=_found(Dataset.objects.all(), _subjects(events, "dataset")),
        uploads=_found(Upload.objects.select_related("project__team"), _subjects(events, "upload")),
        projects=_found(Project.objects.select_related("team"), _subjects(events, "project")),
        invitations=_found(Invitation.objects.all(), _subjects(events, "invitation")),
    )


def _subjects(events: Iterable[Event], kind: str) -> set[int]:
    return {event.subject_id for event in events if event.subject_kind == kind}


def _told(events: Iterable[Event], name: str) -> set[int]:
    """Keys that stand in the events' own words."""
    values = (words.get(name) for event in events for words in (event.shown_before, event.after))
    return {value for value in values if isinstance(value, int)}


def _found(things: models.QuerySet[Any], keys: set[int]) -> dict[int, Any]:
    return things.in_bulk(keys) if keys else {}
