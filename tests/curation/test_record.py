"""What the database itself refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django.db import IntegrityError, connection, transaction

from curation.models import (
    Dataset,
    DatasetRevision,
    Decision,
    Engine,
    Iteration,
    Membership,
    Project,
    Run,
    Sample,
    SampleVersion,
    Shard,
    Stage,
    Team,
    User,
    Verdict,
)
from curation.stages import people, projects

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def refused(name: str) -> Any:
    return pytest.raises(IntegrityError, match=name)


def check_now() -> None:
    """Constraints that wait for the commit are checked at once."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_run_takes_no_data_set_of_another_project(make_run: Callable[..., Run], project: Project) -> None:
    run = make_run()
    other = projects.create_project(project.team, "Other", None)
    with refused("run_dataset_of_project"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(project=other)
        check_now()


def test_run_takes_no_revision_of_another_data_set(
    make_run: Callable[..., Run], make_dataset: Callable[..., DatasetRevision]
) -> None:
    run, other = make_run(), make_dataset(name="other")
    with refused("run_revision_of_dataset"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(revision=other)
        check_now()


def test_run_moves_with_data_set_and_revision_together(
    make_run: Callable[..., Run], make_dataset: Callable[..., DatasetRevision]
) -> None:
    run, other = make_run(), make_dataset(name="other")
    Run.objects.filter(pk=run.pk).update(revision=other, dataset=other.dataset)
    check_now()


@pytest.mark.parametrize(
    ("model", "column", "constraint"),
    [
        (Run, "state", "run_state_known"),
        (Run, "mode", "run_mode_known"),
        (Iteration, "state", "iteration_state_known"),
        (Stage, "state", "stage_state_known"),
        (Stage, "kind", "stage_kind_known"),
        (Shard, "state", "shard_state_known"),
        (Sample, "split", "sample_split_known"),
        (Engine, "kind", "engine_kind_known"),
        (Membership, "role", "membership_role_known"),
    ],
)
def test_unknown_word_is_refused(
    make_run: Callable[..., Run], owner: User, model: type[Any], column: str, constraint: str
) -> None:
    iteration = Iteration.objects.create(run=make_run(), number=0)
    Shard.objects.create(stage=Stage.objects.create(iteration=iteration, kind="evaluation", position=0), number=0)
    with refused(constraint), transaction.atomic():
        model.objects.update(**{column: "nonsense"})


def test_iteration_has_one_open_at_a_time(make_run: Callable[..., Run]) -> None:
    run = make_run()
    Iteration.objects.create(run=run, number=0)
    with refused("iteration_one_open"), transaction.atomic():
        Iteration.objects.create(run=run, number=1)


def test_iteration_has_one_running_stage(make_run: Callable[..., Run]) -> None:
    iteration = Iteration.objects.create(run=make_run(), number=1)
    Stage.objects.create(iteration=iteration, kind="sampling", position=0, state="running")
    with refused("stage_one_running"), transaction.atomic():
        Stage.objects.create(iteration=iteration, kind="refinement", position=1, state="running")


@pytest.mark.parametrize(("attempts", "approximate", "exact"), [(2, 3, 0), (2, 1, 2)])
def test_hits_add_up(make_run: Callable[..., Run], attempts: int, approximate: int, exact: int) -> None:
    iteration = Iteration.objects.create(run=make_run(), number=1)
    version = SampleVersion.objects.first()
    with refused("verdict_hits_add_up"), transaction.atomic():
        Verdict.objects.create(
            iteration=iteration, version=version, sample=version.sample, outcome="exact", turn=0,
            attempts=attempts, approximate_hits=approximate, exact_hits=exact,
        )  # fmt: skip


def test_sample_has_one_standing_decision_in_a_run(make_run: Callable[..., Run], reviewer: User) -> None:
    run = make_run()
    iteration = Iteration.objects.create(run=run, number=1)
    values = {"run": run, "iteration": iteration, "sample": Sample.objects.first(), "turn": 0, "by": reviewer}
    Decision.objects.create(kind="drop", **values)
    with refused("decision_one_sample"), transaction.atomic():
        Decision.objects.create(kind="keep", **values)


@pytest.mark.parametrize("email", ["owner@example.org", "OWNER@example.org"])
def test_address_belongs_to_one_account(owner: User, email: str) -> None:
    with refused("email"), transaction.atomic():
        User.objects.create_user(email)


def test_member_has_one_role_in_a_team(team: Team, owner: User) -> None:
    with refused("membership_unique"), transaction.atomic():
        Membership.objects.create(team=team, user=owner, role="viewer")


def test_sample_key_is_unique_in_its_data_set_only(make_dataset: Callable[..., DatasetRevision]) -> None:
    first, second = make_dataset(), make_dataset(name="other")
    assert Sample.objects.filter(key="sample-0").count() == 2
    with refused("sample_key_unique"), transaction.atomic():
        Sample.objects.create(dataset=first.dataset, key="sample-0", split="train")
    assert first.dataset != second.dataset


def test_content_is_one_version_of_its_sample(make_dataset: Callable[..., DatasetRevision]) -> None:
    make_dataset()
    version = SampleVersion.objects.first()
    with refused("sample_version_content_unique"), transaction.atomic():
        SampleVersion.objects.create(sample=version.sample, number=2, sha256=version.sha256, content={})


def test_projects_and_data_sets_have_one_address(project: Project) -> None:
    Dataset.objects.create(project=project, name="Data", slug="data")
    with refused("dataset_slug_unique"), transaction.atomic():
        Dataset.objects.create(project=project, name="Data again", slug="data")
    with refused("project_slug_unique"), transaction.atomic():
        Project.objects.create(team=project.team, name="Again", slug="weather")
    assert projects.create_project(people.create_team("Others", None), "Weather", None).slug == "weather"


def test_content_keeps_the_order_of_its_keys(make_dataset: Callable[..., DatasetRevision]) -> None:
    make_dataset()
    version = SampleVersion.objects.first()
    version.content = {"zebra": 1, "a": {"days": 1, "city": "Rome"}}
    version.save()
    assert list(SampleVersion.objects.get(pk=version.pk).content) == ["zebra", "a"]
    assert list(SampleVersion.objects.get(pk=version.pk).content["a"]) == ["days", "city"]
