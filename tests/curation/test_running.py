"""A run's own moves: who may make them, what they leave behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django.utils import timezone

from curation.models import Base, DatasetRevision, Engine, Event, Iteration, Project, Run, Shard, Stage, User
from curation.models.runs import IterationState, RunState
from curation.models.shards import ShardState, StageKind, StageState
from curation.stages import loop, people, projects, running, waking
from curation.stages.errors import InputError, NotPermitted, WrongState
from toolcalls.settings import Settings

pytestmark = [pytest.mark.db, pytest.mark.django_db]
MakeRun = Callable[..., Run]


def fail(run: Run) -> None:
    """As the loop does it when a shard cannot be done."""
    Shard.objects.filter(stage__iteration__run=run).update(state=ShardState.FAILED, failures=3, error="the engine died")
    loop.fail(loop.locked(run.pk), Stage.objects.get(iteration__run=run, state=StageState.RUNNING), "the engine died")
    run.refresh_from_db()


def test_start_opens_the_evaluation_of_the_base(make_run: MakeRun, engineer: User) -> None:
    run = make_run()
    running.start_run(run, engineer)
    assert run.state == RunState.RUNNING
    assert run.started_at is not None
    stage = Stage.objects.get()
    assert (stage.iteration.number, stage.kind, stage.state) == (0, StageKind.EVALUATION, StageState.RUNNING)
    assert sum(len(shard.versions) for shard in Shard.objects.all()) == 4
    assert Event.objects.get(verb="run.start").actor == engineer


def test_names_fit_however_long_those_are_that_they_are_made_of(make_run: MakeRun, make_dataset: Callable[..., Any]) -> None:
    run = make_run(make_dataset(name="long " * 23 + "name!"))
    assert len(run.name) == 120 and run.name.startswith("long long")
    with pytest.raises(InputError, match="the data set's name has 121 letters; give it 1 to 120"):
        make_dataset(name="x" * 121)
    with pytest.raises(InputError, match="the run's name has 121 letters"):
        running.create_run(run.project, run.revision, run.base, run.engine, Settings(), name="x" * 121)


def test_run_starts_once(make_run: MakeRun) -> None:
    run = make_run()
    running.start_run(run)
    with pytest.raises(WrongState, match="is running already; it becomes running only from ready"):
        running.start_run(run)
    assert Iteration.objects.count() == 1
    assert Event.objects.filter(verb="run.start").count() == 1


@pytest.mark.parametrize("verb", ["start_run", "start_iteration", "pause_run", "resume_run", "stop_run", "retry_run"])
def test_only_engineers_move_a_run(make_run: MakeRun, reviewer: User, viewer: User, outsider: User, verb: str) -> None:
    run = make_run()
    for user in (reviewer, viewer, outsider):
        with pytest.raises(NotPermitted):
            getattr(running, verb)(run, by=user)
    assert Run.objects.get().state == RunState.READY


@pytest.mark.parametrize("verb", ["start_iteration", "pause_run", "resume_run", "retry_run"])
def test_ready_run_can_only_be_started_or_stopped(make_run: MakeRun, owner: User, verb: str) -> None:
    with pytest.raises(WrongState):
        getattr(running, verb)(make_run(), by=owner)


def test_paused_run_goes_on_where_it_was(make_run: MakeRun, engineer: User) -> None:
    run = make_run()
    running.start_run(run)
    shards = list(Shard.objects.values_list("pk", "state"))
    running.pause_run(run, engineer, why="the GPU is needed")
    assert (run.state, run.why) == (RunState.PAUSED, "the GPU is needed")
    running.resume_run(run, engineer)
    assert (run.state, run.why) == (RunState.RUNNING, "")
    assert list(Shard.objects.values_list("pk", "state")) == shards


def test_workers_are_woken_anew_after_a_pause(make_run: MakeRun) -> None:
    run = make_run()
    running.start_run(run)
    Shard.objects.update(sent_at=timezone.now())  # a message that a worker took during the pause is spent
    running.pause_run(run)
    running.resume_run(run)
    assert waking.unsent_shards() == list(Shard.objects.values_list("pk", flat=True))


def test_stop_ends_the_run_and_all_its_work(make_run: MakeRun, engineer: User) -> None:
    run = make_run()
    running.start_run(run)
    Shard.objects.filter(pk=Shard.objects.first().pk).update(state=ShardState.LEASED)
    running.stop_run(run, engineer, why="enough")
    assert (run.state, run.why, run.final_checkpoint) == (RunState.STOPPED, "enough", None)
    assert run.ended_at is not None
    assert Iteration.objects.get().state == IterationState.STOPPED
    assert set(Stage.objects.values_list("state", flat=True)) == {StageState.CANCELLED}
    assert set(Shard.objects.values_list("state", flat=True)) == {ShardState.CANCELLED}
    with pytest.raises(WrongState):
        running.resume_run(run, engineer)


def test_retry_tries_what_failed_and_keeps_what_is_done(make_run: MakeRun, engineer: User) -> None:
    run = make_run(shard_samples=1)
    running.start_run(run)
    fail(run)
    assert run.state == RunState.FAILED
    assert "the engine died" in run.why
    done = Shard.objects.first()
    Shard.objects.filter(pk=done.pk).update(state=ShardState.DONE)
    running.retry_run(run, engineer)
    assert (run.state, run.why, run.ended_at) == (RunState.RUNNING, "", None)
    assert Iteration.objects.get().state == IterationState.OPEN
    assert (Stage.objects.get().state, Stage.objects.get().error) == (StageState.RUNNING, "")
    again = Shard.objects.exclude(pk=done.pk)
    assert set(again.values_list("state", "failures", "error")) == {(ShardState.PENDING, 0, "")}
    assert Shard.objects.get(pk=done.pk).state == ShardState.DONE


def test_failed_run_can_be_stopped(make_run: MakeRun) -> None:
    run = make_run()
    running.start_run(run)
    fail(run)
    running.stop_run(run)
    assert Iteration.objects.get().state == IterationState.STOPPED


def test_event_says_from_what_to_what_and_why(make_run: MakeRun, engineer: User) -> None:
    run = make_run()
    running.start_run(run, engineer)
    running.stop_run(run, engineer, why="enough")
    event = Event.objects.get(verb="run.stop")
    assert (event.before, event.after, event.why) == ({"state": "running"}, {"state": "stopped"}, "enough")
    assert (event.run_id, event.team) == (run.pk, run.project.team)


def test_run_keeps_its_settings(make_run: MakeRun, engineer: User) -> None:
    run = make_run(k=3, seed=7, by=engineer)
    assert Run.objects.get(pk=run.pk).choices == Settings(k=3, seed=7, max_new_tokens=32, max_length=512, shard_samples=4)
    assert run.created_by == engineer


def test_data_of_another_project_are_refused(
    make_dataset: Callable[..., DatasetRevision], base: Base, engine: Engine, project: Project
) -> None:
    other = projects.create_project(people.create_team("Others", None), "Weather", None)
    with pytest.raises(InputError, match="belongs to another project"):
        running.create_run(other, make_dataset(), base, engine, Settings())


@pytest.mark.parametrize(
    ("train", "heldout", "problem"), [(0, 2, "no sample to train on"), (2, 0, "no held-out sample to evaluate on")]
)
def test_empty_split_is_refused(
    make_run: MakeRun, make_dataset: Callable[..., DatasetRevision], train: int, heldout: int, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        make_run(make_dataset(train=train, heldout=heldout))
    assert not Run.objects.exists()


def test_settings_that_leave_no_room_are_refused(make_run: MakeRun) -> None:
    with pytest.raises(InputError, match="leaves no room for a prompt"):
        make_run(max_new_tokens=512, max_length=512)


def test_more_devices_than_an_engine_has_are_refused(make_run: MakeRun) -> None:
    run = make_run()
    split = Settings(engine_tensor_parallel=2)
    with pytest.raises(InputError, match="leave it at 1"):
        running.create_run(run.project, run.revision, run.base, run.engine, split)
    vllm = Engine.objects.create(name="split", kind="vllm")
    assert running.create_run(run.project, run.revision, run.base, vllm, split).settings["engine_tensor_parallel"] == 2


def test_unknown_mode_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(InputError, match="mode 'manual' is unknown"):
        make_run(mode="manual")
