"""What a person does to a run takes effect within five seconds: the work ends, and the engine's process with it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django.core.management import call_command
from django.test import Client

from curation.celery import app
from curation.models import DatasetRevision, Engine, EvaluationItem, Event, Role, Run, Shard
from curation.models.runs import RunMode, RunState
from curation.models.shards import ShardState
from curation.services.valkey import EmbeddedValkey
from curation.stages import people, running
from curation.stages.reconciling import Reconciler
from worker.tasks import station, wake_up

pytestmark = [pytest.mark.chaos, pytest.mark.process]

Start = Callable[..., Run]
StartWorker = Callable[[], Any]
WaitFor = Callable[..., Any]
Script = Callable[..., Engine]

SOON = 5.0  # seconds
ANSWER = 1.5  # seconds for a page


@pytest.fixture
def engineer(revision: DatasetRevision) -> Client:
    user, client = people.create_user("engineer@example.org", "engineer"), Client()
    people.add_member(revision.dataset.project.team, user, Role.ENGINEER, None)
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def end_engines() -> object:
    yield
    station.engines.end()


def engines_of(worker: int) -> list[int]:
    """Process ids of the engine children of a process."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == worker and b"\0serve\0" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (OSError, ValueError, IndexError):
            continue
    return found


def shard_state() -> str:
    return str(Shard.objects.values_list("state", flat=True).get())


def by_page(client: Client, run: Run, action: str) -> None:
    assert client.post(f"/runs/{run.pk}/{action}/").status_code == 302


def by_rest(client: Client, run: Run, action: str) -> None:
    answer = client.post(f"/api/v1/runs/{run.pk}/changes", {"change": action}, content_type="application/json")
    assert answer.status_code == 200, answer.content


def by_command(_client: Client, run: Run, action: str) -> None:
    call_command("change_run", str(run.pk), action)


def test_changes_take_effect_within_five_seconds_and_free_the_device(
    start: Start, script: Script, start_worker: StartWorker, wait_for: WaitFor, engineer: Client
) -> None:
    run = start(script(seconds=30), mode=RunMode.STEP)
    worker = start_worker().process.pid

    def at_work() -> bool:
        return shard_state() == ShardState.LEASED and bool(engines_of(worker))

    wait_for(at_work)
    for pause, resume in ((by_page, by_rest), (by_rest, by_command), (by_command, by_page)):
        pause(engineer, run, "pause")
        wait_for(lambda: shard_state() == ShardState.PENDING and not engines_of(worker), SOON)
        resume(engineer, run, "resume")
        wait_for(at_work, SOON)
    by_rest(engineer, run, "stop")
    wait_for(lambda: not engines_of(worker), SOON)
    assert shard_state() == ShardState.CANCELLED
    assert not EvaluationItem.objects.exists()


def test_an_engine_that_waits_for_work_ends_when_its_run_is_paused(start: Start, script: Script) -> None:
    run = start(script(), mode=RunMode.STEP)
    wake_up()
    station.beat()
    (engine,) = engines_of(os.getpid())
    run.refresh_from_db()
    running.stop_run(run)
    station.beat()
    assert engine not in engines_of(os.getpid())


@pytest.mark.parametrize("broker_is", ["gone", "frozen"])
def test_start_and_pause_answer_at_once_without_a_broker_and_take_effect_when_it_is_back(
    broker_is: str,
    broker: EmbeddedValkey,
    start_worker: StartWorker,
    make_run: Callable[..., Run],
    script: Script,
    wait_for: WaitFor,
    engineer: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(app.conf, "broker_url", broker.url)
    worker = start_worker().process.pid
    run = make_run(script(seconds=1), mode=RunMode.STEP)
    wait_for(lambda: "ready" in (Path(f"/proc/{worker}/fd/2").resolve()).read_text())
    assert broker.process is not None
    if broker_is == "gone":
        broker.stop()
    else:
        broker.process.send_signal(signal.SIGSTOP)
    for action, state in (("start", RunState.RUNNING), ("pause", RunState.PAUSED), ("resume", RunState.RUNNING)):
        began = time.monotonic()
        by_page(engineer, run, action)
        assert time.monotonic() - began < ANSWER
        run.refresh_from_db()
        assert run.state == state
    if broker_is == "gone":
        broker.start()
    else:
        broker.process.send_signal(signal.SIGCONT)
    wait_for(lambda: Run.objects.get().state == RunState.WAITING, 60)
    assert EvaluationItem.objects.count() == 4


@pytest.fixture
def reconciler(broker: EmbeddedValkey, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One in this process, elected before any worker's."""
    monkeypatch.setitem(app.conf, "broker_url", broker.url)
    ours = Reconciler()
    ours.start()
    yield
    ours.stop()
    ours.join()


def test_a_worker_that_was_stopped_and_wakes_after_its_lease_writes_nothing(
    start: Start, script: Script, reconciler: None, start_worker: StartWorker, wait_for: WaitFor
) -> None:
    run = start(script(seconds=0.5), mode=RunMode.STEP)
    asleep = start_worker()
    wait_for(lambda: shard_state() == ShardState.LEASED and engines_of(asleep.process.pid))
    asleep.process.send_signal(signal.SIGSTOP)
    Shard.objects.update(lease_until="2000-01-01T00:00:00Z")
    start_worker()
    wait_for(lambda: Run.objects.get().state == RunState.WAITING)
    items = list(EvaluationItem.objects.order_by("pk").values())
    asleep.process.send_signal(signal.SIGCONT)
    wait_for(lambda: "given up" in asleep.log.read_text(), 15)
    assert list(EvaluationItem.objects.order_by("pk").values()) == items
    assert Shard.objects.get().attempt == 2
    assert Event.objects.filter(run_id=run.pk, verb="shard.done").count() == 1
