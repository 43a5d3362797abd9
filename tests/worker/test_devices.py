"""Device groups: locks by file, lending, and which processes see which devices. The devices are made up: only CUDA would ask."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django.db import connection

from curation.models import Engine, Event, Iteration, Run, Shard, Stage
from curation.models.runs import RunState
from curation.models.shards import ShardState, StageKind
from curation.services.errors import ServiceError
from curation.stages import registering, shards, workforce
from curation.stages.shards import Room
from toolcalls.settings import Settings, Training
from worker.children import Child
from worker.devices import DeviceGroup, device_names, on_devices
from worker.leases import Lease
from worker.station import Station
from worker.tasks import station as the_station
from worker.tasks import training

Start = Callable[..., Run]
Script = Callable[..., Engine]


def test_names_are_numbers_or_uuids() -> None:
    assert device_names("0, 1,GPU-8f2c") == ("0", "1", "GPU-8f2c")
    assert device_names("") == ()
    for wrong in ("0,0", "a/b", "../x", "0 1"):
        with pytest.raises(ServiceError, match="write numbers or UUIDs"):
            device_names(wrong)


def test_a_device_belongs_to_one_worker_of_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.devices.WAIT", 0.1)
    first, second = DeviceGroup(["0", "1"]), DeviceGroup(["1", "2"])
    first.lock(tmp_path)
    with pytest.raises(ServiceError, match=f"device 1 belongs to another worker \\(process {os.getpid()}\\)"):
        second.lock(tmp_path)
    first.unlock()
    second.lock(tmp_path)
    second.unlock()


def test_devices_are_lent_and_come_back() -> None:
    group = DeviceGroup("0123")
    one, other = group.take(2), group.take(2)
    assert (one, other, group.room()) == (("0", "1"), ("2", "3"), Room(0, 4))
    with pytest.raises(ValueError, match="1 devices of 0 free ones"):
        group.take(1)
    group.give_back(one)
    assert group.take(1) == ("0",)
    assert group.busy


def test_a_group_without_names_is_lent_as_a_whole() -> None:
    group = DeviceGroup()
    assert (group.lanes, group.room(), group.take(8), group.busy) == (1, None, (), True)


@pytest.mark.process
def test_children_see_their_devices_alone() -> None:
    ask = [sys.executable, "-c", "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))"]
    for devices, seen in ((("2", "3"), "2,3\n"), ((), f"{os.environ.get('CUDA_VISIBLE_DEVICES')}\n")):
        assert subprocess.run(on_devices(devices, ask), capture_output=True, text=True, check=True).stdout == seen


def test_shards_are_taken_in_order_and_by_those_who_have_the_devices(start: Start, script: Script) -> None:
    start(script())
    Stage.objects.update(devices=2)
    assert shards.claim_next("too small", room=Room(1, 1)) is None
    assert shards.claim_next("busy", room=Room(1, 4)) is None
    claim = shards.claim_next("free", room=Room(3, 4))
    assert claim is not None and claim.devices == 2
    shards.release(claim)
    Stage.objects.update(kind=StageKind.TRAINING)
    Iteration.objects.update(number=1)
    assert shards.claim_next("busy", room=Room(3, 4)) is None
    claim = shards.claim_next("free", room=Room(4, 4))
    assert claim is not None and claim.devices == 4


def test_stages_state_the_devices_that_they_need(start: Start) -> None:
    chosen = Settings(engine_tensor_parallel=4, training=Training(devices=8))
    start(registering.register_engine("vllm", "vllm"), chosen)
    assert Stage.objects.get(state="running").devices == 4


class Watching:
    """A task that notes which devices are at work together, and waits for as many lanes as it is told to."""

    def __init__(self, lanes: int) -> None:
        self.together = threading.Barrier(lanes)
        self.seen: list[tuple[str, ...]] = []

    def __call__(self, station: Station, lease: Lease) -> str:
        self.seen.append(lease.devices)
        self.together.wait(20)
        return "seen"


@pytest.mark.parametrize(
    ("owned", "needed", "lanes", "seen"),
    [("0123", 1, 4, {"0": 1, "1": 1, "2": 1, "3": 1}), ("01234", 2, 2, {"01": 2, "23": 2})],
    ids=["four engines", "two engines and a device left over"],
)
def test_as_many_shards_are_at_work_as_the_devices_serve(
    start: Start, script: Script, tmp_path: Path, owned: str, needed: int, lanes: int, seen: dict[str, int]
) -> None:
    run = start(script(), Settings(shard_samples=1, refine_turns=0))
    Stage.objects.update(devices=needed)
    watching = Watching(lanes)

    def done(station: Station, lease: Lease) -> str:
        words = watching(station, lease)
        Shard.objects.filter(pk=lease.claim.shard_id).update(state=ShardState.DONE)
        connection.close()
        return words

    station = Station({StageKind.EVALUATION: done}, tmp_path)
    station.own(tuple(owned), tmp_path / "locks")
    assert station.work_off() == 4
    assert Counter("".join(devices) for devices in watching.seen) == seen
    assert not station.group.busy
    assert run.state == RunState.RUNNING
    station.group.unlock()


@pytest.fixture
def owning(tmp_path: Path) -> Iterator[Station]:
    """The worker's station, as if it had been given four devices."""
    before = the_station.group
    the_station.own(("0", "1", "2", "3"), tmp_path / "locks")
    yield the_station
    the_station.engines.end()
    the_station.group.unlock()
    the_station.group = before


@pytest.mark.process
def test_a_run_on_a_group_is_the_one_on_a_single_device(start: Start, script: Script, owning: Station) -> None:
    """Four engines sample; what they answer does not depend on who did."""
    run = start(script(seconds=0.2), Settings(k=1, max_new_tokens=1000, max_length=50_000, max_iterations=1, shard_samples=2))
    owning.work_off()
    run.refresh_from_db()
    assert run.state == RunState.SATURATED, run.why
    logs = {path.name for path in owning.logs.glob(f"engine-{os.getpid()}-*.log")}
    assert logs == {f"engine-{os.getpid()}-{device}.log" for device in range(4)}
    done = Event.objects.filter(run_id=run.pk, verb="shard.done").values_list("subject_id", flat=True)
    assert len(done) == len(set(done)) == Shard.objects.filter(stage__iteration__run=run).count()


@pytest.mark.process
def test_a_training_on_one_device_needs_no_launcher() -> None:
    assert training.launched(("3",), ["train"]) == ["env", "CUDA_VISIBLE_DEVICES=3", "train"]
    assert training.launched((), ["train"]) == ["train"]


@pytest.mark.process
def test_a_training_on_a_group_is_one_process_a_device_and_they_die_with_their_launcher(tmp_path: Path) -> None:
    program = """
        import json, os, sys, time
        said = {name: os.environ[name] for name in ("RANK", "WORLD_SIZE", "CUDA_VISIBLE_DEVICES")}
        sys.stdout.write(json.dumps({**said, "pid": os.getpid()}) + "\\n")
        sys.stdout.flush()
        time.sleep(120)
    """
    command = training.launched(("4", "7"), [sys.executable, "-c", textwrap.dedent(program)])
    child = Child(command, name="the training", log=tmp_path / "training.log")
    try:
        lines = child.lines()
        said: list[dict[str, Any]] = [next(lines), next(lines)]
        assert sorted(one["RANK"] for one in said) == ["0", "1"]
        assert {(one["WORLD_SIZE"], one["CUDA_VISIBLE_DEVICES"]) for one in said} == {("2", "4,7")}
    finally:
        child.end(patience=0)
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{one['pid']}").exists() for one in said) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [one for one in said if Path(f"/proc/{one['pid']}").exists()]


@pytest.mark.chaos
@pytest.mark.process
def test_a_worker_is_given_its_devices_and_refuses_what_is_anothers(
    start: Start, script: Script, start_worker: Callable[..., Any], wait_for: Callable[..., Any], tmp_path: Path
) -> None:
    start(script(seconds=30), Settings(k=1, max_new_tokens=1000, max_length=50_000, shard_samples=2))
    worker = start_worker("--devices", "5,6")
    wait_for(lambda: Shard.objects.filter(state=ShardState.LEASED).count() == 2)
    wait_for(lambda: seen_by_engines(worker.process.pid) == {"5", "6"})
    wait_for(lambda: workforce.devices_owned() == (2,))
    other = start_worker("--devices", "6,6")
    assert other.process.wait(30) == 1
    assert "6 is no device, or twice there" in other.log.read_text()


def seen_by_engines(worker: int) -> set[str]:
    """CUDA_VISIBLE_DEVICES of the children of a process."""
    seen = set()
    for folder in Path("/proc").iterdir():
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == worker:
                environ = dict(pair.split("=", 1) for pair in (folder / "environ").read_text().split("\0") if "=" in pair)
                seen.add(environ["CUDA_VISIBLE_DEVICES"])
        except (OSError, ValueError, IndexError, KeyError):
            continue
    return seen
