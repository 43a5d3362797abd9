"""Points of a training on their way to the store and from there, by made-up ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.models import Engine, Iteration, Run, Shard, Stage, TrainingSet
from curation.models.shards import ShardState, StageKind
from curation.stages import artifacts, points, shards
from curation.stages.shards import Claim
from curation.stages.training import TrainingJob
from trainer.points import adopt, mark_whole, step_of, whole
from worker.points import gather, publishing


@pytest.fixture
def claim(make_run: Callable[..., Run], script: Callable[..., Engine], settings: Any, tmp_path: Path) -> Claim:
    """A training that is held."""
    settings.ARTIFACTS_ROOT, settings.ARTIFACTS_POINTS = tmp_path / "store", True
    run = make_run(script())
    iteration = Iteration.objects.create(run=run, number=1)
    stage = Stage.objects.create(iteration=iteration, kind=StageKind.TRAINING, position=0, state="running")
    shard = Shard.objects.create(stage=stage, number=0, state=ShardState.LEASED, attempt=1)
    TrainingSet.objects.create(iteration=iteration, sha256="0" * 64, direct=1, refine=0)
    return Claim(shard.pk, 1, StageKind.TRAINING, run.pk, iteration.pk, 1, (), run.choices, "scripted", {}, tmp_path, None, 0)


@pytest.fixture
def job(claim: Claim, tmp_path: Path) -> Callable[..., TrainingJob]:
    """`job("b")`: the training on a host that has nothing but what is in its folder b."""

    def make(host: str) -> TrainingJob:
        here, stored = tmp_path / host / "points", points.last(claim)
        return TrainingJob(tmp_path, tmp_path, None, claim.settings.training, 0, tmp_path / host / "out", here, (), stored)

    return make


def make_point(folder: Path, step: int) -> Path:
    point = folder / f"checkpoint-{step}"
    point.mkdir(parents=True)
    (point / "weights").write_text(f"after {step}")
    mark_whole(point, {"training": "this one"})
    return point


def until_published(claim: Claim, step: int) -> None:
    deadline = time.monotonic() + 20
    while not (uri := points.last(claim)) or points.names_of(uri) != {f"checkpoint-{step}"}:
        assert time.monotonic() < deadline, uri
        time.sleep(0.05)


def test_the_last_whole_point_is_published_while_the_training_goes_on(
    claim: Claim, job: Callable[..., TrainingJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.points.TICK", 0.05)
    folder = tmp_path / "a" / "points"
    with publishing(claim, folder):
        make_point(folder, 2)
        until_published(claim, 2)
        (folder / "checkpoint-6").mkdir()  # being written
        make_point(folder, 4)
        until_published(claim, 4)
    make_point(folder, 8)
    time.sleep(0.3)
    assert points.names_of(points.last(claim)) == {"checkpoint-4"}  # over is over
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["points"]
    taken_over = job("b")
    gather(taken_over, lambda: None)
    assert [point.name for point in whole(taken_over.points)] == ["checkpoint-4"]
    assert sorted(path.name for path in taken_over.points.iterdir()) == ["checkpoint-4"]


def test_nothing_is_published_where_all_hosts_see_the_folder_or_the_shard_is_lost(
    claim: Claim, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.points.TICK", 0.05)
    make_point(tmp_path / "points", 2)
    settings.ARTIFACTS_POINTS = False
    with publishing(claim, tmp_path / "points"):
        time.sleep(0.3)
    settings.ARTIFACTS_POINTS = True
    shards.release(claim)
    with publishing(claim, tmp_path / "points"):
        time.sleep(0.5)
    assert points.last(claim) == ""


def test_the_later_one_of_this_host_s_and_the_store_s_is_gone_on_from(
    claim: Claim, job: Callable[..., TrainingJob], tmp_path: Path
) -> None:
    aside = tmp_path / "aside"
    make_point(aside, 4)
    points.publish(claim, aside)
    for here, found in ((2, [4, 2]), (6, [6])):
        on = job(f"host-{here}")
        adopt_into(on.points, make_point(tmp_path / f"earlier-{here}", here).parent)
        gather(on, lambda: None)
        assert [step_of(point) for point in whole(on.points)] == found


def adopt_into(folder: Path, source: Path) -> None:
    folder.mkdir(parents=True)
    adopt(source, folder)


def test_a_store_that_lost_the_point_costs_steps_and_not_the_training(
    claim: Claim, job: Callable[..., TrainingJob], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    aside = tmp_path / "aside"
    make_point(aside, 4)
    points.publish(claim, aside)
    for found in list(artifacts.store().listed()):
        artifacts.store().delete(found.sha256)
    on = job("b")
    gather(on, lambda: None)
    assert list(on.points.iterdir()) == []
    assert "goes on without its last point" in caplog.text
