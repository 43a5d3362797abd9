"""A run whose artifacts are in a bucket, worked on by two hosts that share no folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from django.db import connection
from django.test import Client
from django.urls import reverse

from curation.models import Checkpoint, Engine, Run, TrainingSet, TrainingStep, User
from curation.models.runs import RunState
from curation.stages import artifacts, masks, running
from curation.stages.model_folder import weights_sha256
from toolcalls.settings import Settings
from worker.tasks import station, wake_up

pytestmark = [pytest.mark.process, pytest.mark.long]


@pytest.fixture
def host(bucket: str, tmp_path: Path, settings: Any) -> Iterable[Callable[[str], None]]:
    """`host("a")`: from now on this process is that host, with its own folders and the bucket."""
    settings.ARTIFACTS_ROOT, settings.ARTIFACTS_MERGED, settings.ARTIFACTS_POINTS = bucket, False, True

    def be(name: str) -> None:
        station.engines.end()
        settings.VAR, settings.ARTIFACTS_CACHE = tmp_path / name, tmp_path / name / "cache"

    yield be
    station.engines.end()


def test_two_hosts_without_a_shared_folder_make_one_run(
    start: Callable[..., Run], small: Settings, tiny_engine: Engine, host: Any, client: Client
) -> None:
    host("a")
    run = start(tiny_engine, replace(small, max_iterations=2), mode="step")
    wake_up()
    running.start_iteration(Run.objects.get())
    wake_up()
    run.refresh_from_db()
    assert run.state == RunState.WAITING, run.why
    adapter, merged = Checkpoint.objects.order_by("kind")
    assert [file.name for file in artifacts.files_of(adapter.uri)] == ["adapter_config.json", "adapter_model.safetensors"]
    assert merged.uri == ""
    first = artifacts.checkpoint_dir(merged)
    assert weights_sha256(first) == merged.sha256  # where it was trained it is at hand
    host("b")
    assert artifacts.checkpoint_dir(merged) != first
    assert not artifacts.checkpoint_dir(merged).exists()
    running.start_iteration(run)
    wake_up()
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED, run.why
    assert weights_sha256(artifacts.checkpoint_dir(merged)) == merged.sha256  # merged here
    assert Checkpoint.objects.filter(iteration__number=2, parent=merged).count() == 2
    _any_host_tells_of_it(run, host, client)


def test_another_host_goes_on_with_a_training_whose_host_is_gone(
    start: Callable[..., Run], small: Settings, tiny_engine: Engine, host: Any, wait_for: Callable[..., Any], monkeypatch: Any
) -> None:
    monkeypatch.setattr("worker.points.TICK", 0.05)
    chosen = replace(small, training=replace(small.training, batch_rows=1, device_rows=1))
    host("a")
    run = start(tiny_engine, chosen)
    working = threading.Thread(target=_work_and_hang_up)
    working.start()
    wait_for(lambda: TrainingSet.objects.exclude(point_uri="").exists(), 120)
    station.stopping.set()
    working.join()
    station.stopping.clear()
    assert not Checkpoint.objects.exists()
    host("b")
    wake_up()
    host("c")
    undisturbed = start(tiny_engine, chosen)
    wake_up()
    one, other = (Checkpoint.objects.get(run=each, kind="adapter") for each in (run, undisturbed))
    assert one.meta["began_after"] >= 2 > other.meta["began_after"]
    assert one.sha256 == other.sha256
    steps = TrainingStep.objects.filter(iteration__run=run)
    assert steps.count() == steps[0].steps
    assert set(TrainingSet.objects.values_list("point_uri", flat=True)) == {""}


def _work_and_hang_up() -> None:
    """In a thread of its own."""
    try:
        wake_up()
    finally:
        connection.close()


def _any_host_tells_of_it(run: Run, host: Any, client: Client) -> None:
    """A web host has neither: it streams the adapter and the tokens from the bucket, and says where a merged model is."""
    host("web")
    row = run.iterations.get(number=2).training_set.rows.order_by("position").first()
    assert masks.mask_of(run.iterations.get(number=2), row.version_id, row.kind)
    client.force_login(User.objects.create_superuser("operator@example.org", "secret of the operator"))
    run.project.team.memberships.create(user=User.objects.get(), role="viewer")
    address = reverse("model", args=[run.pk, 2])
    answer = client.post(address, {"kind": "adapter"})
    assert sum(map(len, answer.streaming_content)) == int(answer["Content-Length"]) > 10_000
    page = client.get(address).content.decode()
    assert "Download Adapter" in page
    assert "keeps adapters alone" in page
