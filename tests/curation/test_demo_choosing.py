"""Which run of the demonstration goes on, and what an interrupted one leaves to the workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.demo import cast, choosing
from curation.demo.cast import Cast
from curation.demo.options import DemoOptions
from curation.models import Dataset, DatasetRevision, Run
from curation.models.runs import RunState
from curation.stages import shards

pytestmark = [pytest.mark.db, pytest.mark.django_db]
SMALL = DemoOptions(pool=8, heldout=4, k=2, iterations=1)
Launch = Callable[[str], Run]


@pytest.fixture
def demo_cast(db: None, settings: Any) -> Cast:
    settings.MODEL_ROOTS = [Path(__file__).resolve().parents[2] / "trainer" / "tiny"]
    return cast.assemble()


@pytest.fixture
def launch(demo_cast: Cast, make_dataset: Callable[..., DatasetRevision]) -> Launch:
    revision = make_dataset()
    Dataset.objects.filter(pk=revision.dataset_id).update(project=demo_cast.project)
    revision = DatasetRevision.objects.get(pk=revision.pk)
    return lambda name: choosing.launch(demo_cast, SMALL, revision, name)


def test_interrupted_controls_are_not_worked_on_beside_the_next_demonstration(demo_cast: Cast, launch: Launch) -> None:
    demo, left_over = launch(choosing.NAME), launch(f"{choosing.CONTROL}main, seed 0")
    choosing.end_controls(demo_cast)
    left_over.refresh_from_db()
    assert (left_over.state, left_over.why) == (RunState.STOPPED, "the controls were interrupted")
    claim = shards.claim_next("worker")
    assert claim is not None
    assert claim.run_id == demo.pk
    assert shards.claim_next("worker") is None


def test_interrupted_demonstration_waits_for_the_controls_and_then_goes_on(
    demo_cast: Cast, launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO", "continue")
    demo = launch(choosing.NAME)
    choosing.pause_demo(demo_cast)
    demo.refresh_from_db()
    assert demo.state == RunState.PAUSED
    assert shards.claim_next("worker") is None
    assert choosing.choose(demo_cast, SMALL, lambda _: None) == demo
    demo.refresh_from_db()
    assert demo.state == RunState.RUNNING
