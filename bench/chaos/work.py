"""The work that is disturbed: a run of the loop on the tiny base, and what can be seen of it while it goes on."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from django.conf import settings as django_settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Sum
from django.db.models.functions import Now

from curation.models import DatasetRevision, Engine, Event, Run, Shard, Stage, TrainingStep
from curation.models.runs import RunState
from curation.models.shards import ShardState, StageKind, StageState
from curation.stages import projects, registering, running
from curation.stages.importing import import_dataset
from toolcalls.settings import Settings, Training

Answer = TypeVar("Answer")
LOOK = 0.1  # seconds between two looks
LONGEST = 180.0  # seconds without any work after which a run is given up
GOOD = (RunState.COMPLETED, RunState.SATURATED)
CHECKPOINT_STEPS = 2


@dataclass(frozen=True, slots=True)
class Size:
    train: int
    heldout: int
    iterations: int
    k: int
    shard: int = 6  # samples

    @property
    def settings(self) -> Settings:
        """float32, a fixed number of threads, a shard is a batch: the same rows come out, to the bit."""
        training = Training(
            learning_rate=2e-3, batch_rows=4, device_rows=4, max_length=1024, dtype="float32", checkpoint_steps=CHECKPOINT_STEPS
        )
        limits = {"max_new_tokens": 160, "max_length": 1024, "refine_turns": 1, "shard_samples": self.shard}
        return Settings(k=self.k, max_iterations=self.iterations, engine_dtype="float32", training=training, **limits)


def patiently(ask: Callable[[], Answer], seconds: float = 90.0) -> Answer:
    """The answer of a database that may be on its way down or up."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(LOOK)


def wait_for(happened: Callable[[], Any], run: Run, began: float | None = None) -> float:
    """Seconds since `began` until something has happened. Raises TimeoutError after LONGEST, RuntimeError when the run failed."""
    began = time.monotonic() if began is None else began
    last, moved = time.monotonic(), None
    while not patiently(happened):
        if (now := patiently(lambda: pulse(run))) != moved:
            last, moved = time.monotonic(), now
        if patiently(lambda: is_over(run)) and run.state not in GOOD:
            raise RuntimeError(f"run {run.pk} is {run.state}: {run.why}")
        if time.monotonic() - last > LONGEST:
            raise TimeoutError(f"nobody has worked on run {run.pk} for {LONGEST:.0f} s")
        time.sleep(LOOK)
    return round(time.monotonic() - began, 2)


def import_world(folder: Path, train: int, heldout: int) -> DatasetRevision:
    """Samples of the tiny base's tool world, as a data set. Their lines stay in `folder`, as train.jsonl and heldout.jsonl."""
    project = projects.find_or_create_project("chaos/world")
    for split, count in (("train", train), ("heldout", heldout)):
        out = folder / f"{split}.jsonl"
        options = ["--setting", "easy", "--split", split, "--count", str(count), "--out", str(out)]
        subprocess.run([sys.executable, "-m", "trainer.tiny", "world", *options], check=True, stdout=subprocess.DEVNULL)
        lines = io.BytesIO(out.read_bytes())
        imported = import_dataset(project, "world", lines, format="whetstone", split=split, append=split == "heldout")
    return imported.revision


def start_run(revision: DatasetRevision, engine: Engine, settings: Settings) -> Run:
    base = registering.register_base("tiny", django_settings.MODEL_ROOTS[0] / "checkpoint")
    run = running.create_run(revision.dataset.project, revision=revision, base=base, engine=engine, settings=settings)
    running.start_run(run)
    return run


def is_over(run: Run) -> bool:
    run.refresh_from_db(fields=["state", "why"])
    return run.state != RunState.RUNNING


def held_shards(run: Run) -> dict[str, int]:
    """Owner → the shard that it holds."""
    return dict(Shard.objects.filter(stage__iteration__run=run, state=ShardState.LEASED).values_list("owner", "pk"))


def stage_of(run: Run) -> str:
    """The stage under way."""
    return str(Stage.objects.filter(iteration__run=run, state=StageState.RUNNING).values_list("kind", flat=True).first() or "")


class Pulse(NamedTuple):
    """Moves whenever somebody gets on with a run."""

    claims: int
    done: int
    last_step: datetime | None


def pulse(run: Run) -> Pulse:
    claims = Shard.objects.filter(stage__iteration__run=run).aggregate(sum=Sum("attempt"))["sum"] or 0
    steps = TrainingStep.objects.filter(iteration__run=run).order_by("at").values_list("at", flat=True)
    return Pulse(claims, Event.objects.filter(run_id=run.pk, verb="shard.done").count(), steps.last())


@dataclass(frozen=True, slots=True)
class HeldShard:
    """A shard as it was when its worker was struck."""

    pk: int
    attempt: int
    iteration_id: int
    step: int | None  # the last that its training recorded
    at: datetime  # by the database's clock

    def is_done(self) -> bool:
        return Shard.objects.filter(pk=self.pk, state=ShardState.DONE).exists()

    def is_leased_again(self) -> bool:
        return self.is_done() or Shard.objects.filter(pk=self.pk, attempt__gt=self.attempt).exists()

    def next_step(self) -> int | None:
        """The first step that its training recorded since."""
        later = TrainingStep.objects.filter(iteration=self.iteration_id, at__gt=self.at).order_by("step")
        return later.values_list("step", flat=True).first()


def held_shard(pk: int) -> HeldShard:
    found = Shard.objects.select_related("stage").annotate(now=Now()).get(pk=pk)
    steps = TrainingStep.objects.filter(iteration=found.stage.iteration_id) if found.stage.kind == StageKind.TRAINING else None
    step = steps.order_by("step").values_list("step", flat=True).last() if steps is not None else None
    return HeldShard(pk, found.attempt, found.stage.iteration_id, step, found.now)
