"""A run over a small tool world, and workers in processes of their own."""

# ruff: noqa: E402 (pytest reads this file before pytest-django sets Django up)

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import django

django.setup()

from django.conf import settings
from django.db import connection

from curation.models import DatasetRevision, Engine, Run
from curation.services.paths import Paths
from curation.services.valkey import EmbeddedValkey
from curation.stages import projects, registering, running
from curation.stages.importing import import_dataset
from toolcalls.rendering import render
from toolcalls.settings import Settings, Training
from toolcalls.wire import sample_from_json

SMALL = Settings(
    k=2,
    max_new_tokens=160,
    max_length=1024,
    max_iterations=1,
    refine_turns=1,
    shard_samples=6,
    engine_dtype="float32",
    training=Training(learning_rate=2e-3, batch_rows=2, device_rows=2, max_length=1024, dtype="float32", checkpoint_steps=2),
)


@pytest.fixture
def small() -> Settings:
    """One iteration that takes seconds."""
    return SMALL


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], bytes]:
    """`world("train", 24)`: samples of the tiny base's tool world as JSON lines."""
    folder = tmp_path_factory.mktemp("world")

    def draw(split: str, count: int) -> bytes:
        out = folder / f"{split}-{count}.jsonl"
        if not out.exists():
            values = ["--setting", "easy", "--split", split, "--count", str(count), "--out", str(out)]
            subprocess.run([sys.executable, "-m", "trainer.tiny", "world", *values], check=True, stdout=subprocess.DEVNULL)
        return out.read_bytes()

    return draw


@pytest.fixture
def revision(transactional_db: None, world: Callable[[str, int], bytes]) -> DatasetRevision:
    """24 samples to train on and 4 held out."""
    project = projects.find_or_create_project("tests/worker")
    import_dataset(project, "world", io.BytesIO(world("train", 24)), format="whetstone", split="train")
    heldout = io.BytesIO(world("heldout", 4))
    return import_dataset(project, "world", heldout, format="whetstone", split="heldout", append=True).revision


@pytest.fixture
def make_run(revision: DatasetRevision) -> Callable[..., Run]:
    """`make_run(engine, settings, mode=…)`: a run on the tiny base, ready to start."""

    def make(engine: Engine, chosen: Settings = SMALL, **options: Any) -> Run:
        base = registering.register_base("tiny", settings.MODEL_ROOTS[0] / "checkpoint")
        project = revision.dataset.project
        return running.create_run(project, revision=revision, base=base, engine=engine, settings=chosen, **options)

    return make


@pytest.fixture
def start(make_run: Callable[..., Run]) -> Callable[..., Run]:
    """`start(engine, settings, mode=…)`: a run on the tiny base, started."""

    def begin(engine: Engine, chosen: Settings = SMALL, **options: Any) -> Run:
        run = make_run(engine, chosen, **options)
        running.start_run(run)
        return run

    return begin


@pytest.fixture
def script(tmp_path: Path, transactional_db: None) -> Callable[..., Engine]:
    """`script(samples, die_at=3)`: a scripted engine that knows the truths of these samples (JSON lines) and of no other."""

    def write(known: bytes = b"", **keys: Any) -> Engine:
        samples = [sample_from_json(json.loads(line)) for line in known.splitlines()]
        rules = [
            {"contains": f"<|user|>{one.messages[-1].content}<|end|>", "answers": [render(one.truth or ())]} for one in samples
        ]
        path = tmp_path / f"script-{Engine.objects.count()}.json"
        path.write_text(json.dumps({"rules": rules, "default": ["[nothing(like=1)]"], **keys}))
        return registering.register_engine(path.stem, "scripted", {"script": str(path)})

    return write


@pytest.fixture
def tiny_engine(transactional_db: None) -> Engine:
    return registering.register_engine("transformers", "transformers")


class Worker:
    """`python -m celery -A worker.app worker` on the test's database."""

    def __init__(self, redis_url: str, log: Path, *options: str) -> None:
        named = connection.settings_dict
        database = f"postgresql://{named['USER']}@/{named['NAME']}?host={named['HOST']}"
        environ = {**os.environ, "DATABASE_URL": database, "REDIS_URL": redis_url, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "celery", "-A", "worker.app", "worker", "-P", "threads", "-c", "1", "-Q", "celery"]
        self.log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen([*command, *options], env=environ, stdout=file, stderr=file, start_new_session=True)

    def kill(self) -> None:
        """kill -9, which no handler hears of."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 20.0) -> None:
        """SIGTERM."""
        self.process.terminate()
        self.process.wait(seconds)


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """`wait_for(condition, seconds=60)`: the condition's value once it is true."""

    def wait(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.05)
        return value

    return wait


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey of the test's own, which it may stop and start. What the test process itself sends does not reach it."""
    server = EmbeddedValkey(Paths(tmp_path / "var"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def start_worker(broker: EmbeddedValkey, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """`start_worker("--devices", "0,1")` starts a worker, which the fixture ends."""
    workers: list[Worker] = []

    def begin(*options: str) -> Worker:
        workers.append(Worker(broker.url, tmp_path / "worker.log", *options))
        return workers[-1]

    yield begin
    for worker in workers:
        with suppress(subprocess.TimeoutExpired):
            worker.stop()
        worker.kill()
