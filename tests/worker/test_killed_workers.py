"""kill -9 of the worker in the middle of real work on the tiny base: the run goes on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from curation.models import Checkpoint, Engine, Generation, Run, Shard, TrainingStep
from curation.models.checkpoints import CheckpointKind
from curation.models.runs import RunState
from curation.models.shards import ShardState, StageKind
from curation.stages import artifacts

pytestmark = pytest.mark.chaos

StartWorker = Callable[[], Any]
WaitFor = Callable[..., Any]


def shards(run: Run, kind: StageKind, state: ShardState) -> int:
    return Shard.objects.filter(stage__iteration__run=run, stage__kind=kind, state=state).count()


def in_the_middle_of_sampling(run: Run) -> bool:
    done = shards(run, StageKind.SAMPLING, ShardState.DONE)
    return bool(done and shards(run, StageKind.SAMPLING, ShardState.LEASED))


def in_the_middle_of_training(run: Run) -> bool:
    steps = TrainingStep.objects.filter(iteration__run=run).count()
    return steps > 4 and bool(shards(run, StageKind.TRAINING, ShardState.LEASED))


def is_over(run: Run) -> bool:
    run.refresh_from_db()
    assert run.state in (RunState.RUNNING, RunState.COMPLETED), run.why
    return run.state == RunState.COMPLETED


def generations(run: Run) -> list[tuple[Any, ...]]:
    rows = Generation.objects.filter(iteration__run=run).order_by("iteration__number", "version_id", "turn", "attempt")
    return list(rows.values_list("iteration__number", "version_id", "turn", "attempt", "seed", "text"))


def adapter(run: Run) -> Checkpoint:
    return Checkpoint.objects.get(run=run, kind=CheckpointKind.ADAPTER)


def test_run_is_the_same_when_its_worker_was_killed_in_sampling_and_in_training(
    start: Callable[..., Run], tiny_engine: Engine, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    disturbed = start(tiny_engine)
    for middle in (in_the_middle_of_sampling, in_the_middle_of_training):
        worker = start_worker()
        wait_for(lambda middle=middle: middle(disturbed), 120)
        worker.kill()
    recorded = TrainingStep.objects.filter(iteration__run=disturbed).count()
    worker = start_worker()
    wait_for(lambda: is_over(disturbed), 120)
    undisturbed = start(tiny_engine)
    wait_for(lambda: is_over(undisturbed), 120)

    assert Shard.objects.get(stage__iteration__run=disturbed, stage__kind=StageKind.TRAINING).attempt == 2
    assert Shard.objects.filter(stage__iteration__run=disturbed, stage__kind=StageKind.SAMPLING, attempt__gt=1).exists()
    assert Shard.objects.filter(stage__iteration__run=undisturbed, attempt__gt=1).count() == 0
    assert generations(disturbed) == generations(undisturbed)
    by_turn = [Generation.objects.filter(iteration__run=disturbed, turn=turn).count() for turn in (0, 1)]
    assert by_turn[0] == 24 * 2
    assert by_turn[1] % 2 == 0
    assert adapter(disturbed).sha256 == adapter(undisturbed).sha256
    assert adapter(disturbed).meta["losses"] == adapter(undisturbed).meta["losses"]
    assert (adapter(disturbed).meta["began_after"] >= 4, adapter(undisturbed).meta["began_after"]) == (True, 0)
    assert recorded - adapter(disturbed).meta["began_after"] <= disturbed.choices.training.checkpoint_steps
    left = artifacts.run_dir(disturbed, 1, 2).parent
    assert [path.name for path in left.iterdir()] == ["training-set.jsonl"]
    steps = TrainingStep.objects.filter(iteration__run=disturbed)
    assert steps.count() == steps[0].steps
