"""A worker measures a sample of a pool with a real engine child, before any shard."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django.conf import settings

from curation.models import DatasetRevision, Engine, Generation, Measuring, Run
from curation.models.measuring import MeasuringState
from curation.stages import measuring, registering, returning
from curation.stages.estimating import estimate
from curation.stages.measured import Found, found_from
from toolcalls.settings import Settings
from worker.station import Station
from worker.tasks import measuring as task
from worker.tasks import station, wake_up

BYTES = Settings(k=2, max_new_tokens=1000, max_length=50_000, max_iterations=2, refine_turns=2, shard_samples=6)


@pytest.fixture(autouse=True)
def end_engines() -> object:
    yield
    station.engines.end()


def ask(revision: DatasetRevision, engine: Engine, chosen: Settings = BYTES) -> Measuring:
    base = registering.register_base("tiny", settings.MODEL_ROOTS[0] / "checkpoint")
    return measuring.begin(revision.dataset.project, revision, base, engine, chosen)


def after(made: Measuring) -> tuple[Measuring, Found]:
    made = Measuring.objects.select_related("revision", "base", "engine", "project").get(pk=made.pk)
    assert made.state == MeasuringState.DONE, made.error
    return made, found_from(made.found)


def test_the_sample_is_answered_refined_and_traced_and_nothing_of_it_is_kept(
    revision: DatasetRevision, script: Callable[..., Engine], world: Callable[[str, int], bytes]
) -> None:
    made = ask(revision, script(b"\n".join(world("train", 24).splitlines()[:12])))
    wake_up()
    made, found = after(made)
    assert found.samples == 24 and found.direct.answers == found.refine.answers == 48
    assert found.direct.selected == found.refine.selected == 12
    assert len(found.evaluation.prompt_tokens) == 24 and found.evaluation.answers == 48  # a second turn, that says the same
    assert min(found.direct.prompt_tokens) > 100 and found.direct.seconds > 0 and found.bytes_per_answer > 10
    assert not Generation.objects.exists()
    assert estimate(made).generations.likely == 2 * 24 * 2 * 2


def test_real_tokens_are_measured_on_the_tiny_base(revision: DatasetRevision, tiny_engine: Engine) -> None:
    small = dataclasses.replace(BYTES, max_new_tokens=30, max_length=1024, refine_turns=0, engine_dtype="float32")
    made = ask(revision, tiny_engine, small)
    wake_up()
    _, found = after(made)
    assert found.load_seconds > 0 and 0 < max(found.direct.completion_tokens) <= 2 * 30
    assert all(0 < tokens < 1024 for tokens in found.direct.prompt_tokens)


def test_an_engine_that_fails_says_why(revision: DatasetRevision, script: Callable[..., Engine]) -> None:
    made = ask(revision, script(fail_at=2))
    wake_up()
    made.refresh_from_db()
    assert made.state == MeasuringState.FAILED and "The script fails at request 2" in made.error


def test_one_that_takes_too_long_is_ended(
    revision: DatasetRevision, script: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "LIMIT", 1.0)
    made = ask(revision, script(seconds=30))
    wake_up()
    made.refresh_from_db()
    assert made.state == MeasuringState.FAILED and "longer than 1 s" in made.error


def test_a_worker_that_stops_gives_it_back(revision: DatasetRevision, script: Callable[..., Engine], tmp_path: Path) -> None:
    made = ask(revision, script(seconds=30))
    leaving = Station({}, tmp_path, task.work)
    job = measuring.claim_next(leaving.owner)
    assert job is not None
    leaving.stopping.set()
    task.work(leaving, job)
    made.refresh_from_db()
    assert made.state == MeasuringState.WAITING
    (keeper,) = leaving.engines._keepers.values()
    assert keeper._child is not None and not keeper._child.alive
    leaving.engines.end()


@pytest.mark.chaos
@pytest.mark.process
def test_one_whose_worker_was_killed_is_finished_by_another(
    revision: DatasetRevision, script: Callable[..., Engine], start_worker: Callable[[], Any], wait_for: Callable[..., Any]
) -> None:
    engine = script(seconds=30)
    made = ask(revision, engine)
    worker = start_worker()
    wait_for(lambda: made.pk in (returning.locks_held(measuring.LOCK_SPACE) or ()))
    worker.kill()
    quick = Path(engine.options["script"])
    quick.write_text(json.dumps({**json.loads(quick.read_text()), "seconds": 0}))
    start_worker()
    wait_for(lambda: Measuring.objects.filter(pk=made.pk).exclude(state=MeasuringState.MEASURING).exists())
    made, found = after(made)
    assert made.attempt == 2 and found.samples == 24


def test_a_measuring_comes_before_the_shards_of_a_run(
    revision: DatasetRevision, start: Callable[..., Run], script: Callable[..., Engine]
) -> None:
    engine = script()
    run = start(engine, dataclasses.replace(BYTES, max_iterations=1, review="required"))
    made = ask(revision, engine)
    wake_up()
    made, _ = after(made)
    first = run.iterations.order_by("number").first()
    assert first is not None and made.closed_at < first.stages.get(kind="evaluation").closed_at
