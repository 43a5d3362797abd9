"""Points of a training in the store: whole or not named at all, the last one alone, gone when they are of no use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.models import Checkpoint, Run, TrainingSet
from curation.stages import artifacts, points, running, shards, sweeping, training
from curation.stages.shards import Claim, LostLease
from curation.storage.errors import DamagedFile, StoreError
from curation.storage.store import Store

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["folder", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> str | Path:
    """ARTIFACTS_ROOT, of either kind."""
    of_either: str | Path = tmp_path / "store" if request.param == "folder" else request.getfixturevalue("bucket")
    settings.ARTIFACTS_ROOT = of_either
    return of_either


@pytest.fixture
def claim(root: object, model_root: Path, make_run: Callable[..., Run], hand: Any, settings: Any) -> Claim:
    """The training of iteration 1."""
    settings.ARTIFACTS_ROOT = root
    running.start_run(make_run(max_iterations=1, refine_turns=2))
    hand.work_off(1 + 2 + 2 + 1)
    made: Claim = hand.claim()
    assert made.stage_kind == "training"
    return made


@pytest.fixture
def point(tmp_path: Path) -> Callable[..., Path]:
    """`point(4)`: a folder in which the point after step 4 is, and nothing else."""

    def make(step: int, **files: str) -> Path:
        folder = tmp_path / f"aside-{step}"
        inner = folder / f"checkpoint-{step}"
        inner.mkdir(parents=True)
        for name, text in {"weights": f"weights after {step}", "config": "{}", "whole": f"{step}", **files}.items():
            (inner / name).write_text(text)
        return folder

    return make


def stored() -> set[str]:
    return {found.sha256 for found in artifacts.store().listed()}


def test_another_host_gets_the_last_point_and_the_files_of_the_one_before_go(
    claim: Claim, point: Callable[..., Path], tmp_path: Path
) -> None:
    before = stored()
    assert points.last(claim) == ""
    points.publish(claim, point(4))
    first = stored() - before
    points.publish(claim, point(8))
    assert len(first) == len(stored() - before) == 4  # three files and the manifest
    assert len(first & stored()) == 1  # what both have
    uri = points.last(claim)
    assert points.names_of(uri) == {"checkpoint-8"}
    points.fetch(uri, tmp_path / "here")
    assert (tmp_path / "here" / "checkpoint-8" / "weights").read_text() == "weights after 8"
    assert training.job(claim).stored_point == uri


def test_a_point_that_is_stored_again_stays(claim: Claim, point: Callable[..., Path]) -> None:
    folder = point(4)
    points.publish(claim, folder)
    files = stored()
    points.publish(claim, folder)
    assert stored() == files


def test_a_late_attempt_names_no_point(claim: Claim, point: Callable[..., Path]) -> None:
    points.publish(claim, point(4))
    uri = points.last(claim)
    shards.release(claim)
    with pytest.raises(LostLease):
        points.publish(claim, point(8))
    assert points.last(claim) == uri


def test_a_point_goes_when_its_training_is_published_but_for_what_the_checkpoint_names(
    claim: Claim, point: Callable[..., Path], make_report: Callable[..., dict[str, Any]]
) -> None:
    before = stored()
    report = make_report(claim, training.out_dir(claim), 5)
    points.publish(claim, point(4, adapter="adapter of iteration 1"))
    training.publish(claim, training.out_dir(claim), report)
    assert points.last(claim) == ""
    named = {uri.removeprefix(artifacts.STORED) for uri in checkpoints()}
    named |= {file.sha256 for uri in checkpoints() for file in artifacts.files_of(uri)}
    assert stored() - before == named


def checkpoints() -> list[str]:
    return [uri for uri in Checkpoint.objects.values_list("uri", flat=True) if uri]


def test_a_point_stays_while_its_run_can_go_on(claim: Claim, point: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "UNNAMED", -60.0)
    points.publish(claim, point(4))
    shards.fail(claim, "no more", retry=False)
    sweeping.delete_unnamed()
    assert {file.sha256 for file in artifacts.files_of(points.last(claim))} <= stored()
    running.stop_run(Run.objects.get())
    sweeping.delete_unnamed()
    assert not {file.sha256 for file in artifacts.files_of(points.last(claim))} & stored()


@pytest.mark.parametrize("root", ["folder"], indirect=True)
def test_a_damaged_or_lost_point_is_refused(claim: Claim, point: Callable[..., Path], tmp_path: Path) -> None:
    points.publish(claim, point(4))
    uri = points.last(claim)
    store: Store = artifacts.store()
    assert store.folder is not None
    for found in store.listed():
        path = store.folder / "sha256" / found.sha256[:2] / found.sha256
        if path.read_text() == "weights after 4":
            path.chmod(0o644)
            path.write_text("weights after 5")
    with pytest.raises(DamagedFile):
        points.fetch(uri, tmp_path / "here")
    for found in list(store.listed()):
        store.delete(found.sha256)
    with pytest.raises(StoreError):
        points.fetch(uri, tmp_path / "there")
    assert TrainingSet.objects.get().point_uri == uri
