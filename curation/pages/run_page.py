"""The run page: its state, Figure 2, the table of iterations and the stages of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from curation.models import Iteration, Run, Shard, Stage, TrainingStep
from curation.models.runs import RunMode, RunState
from curation.models.shards import ShardState, StageKind, StageState
from curation.pages.figure import Figure, figure
from curation.stages.table import iteration_table

LIVE = {RunState.RUNNING, RunState.PAUSED, RunState.WAITING, RunState.READY}


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage as the stepper shows it; `share` is the part done, 0 to 100, None where there is nothing to count."""

    name: str
    state: str
    label: str
    share: int | None
    detail: str
    seconds: float | None
    error: str


@dataclass(frozen=True, slots=True)
class IterationView:
    number: int
    state: str
    stages: tuple[StageView, ...]


@dataclass(frozen=True, slots=True)
class RunPage:
    run: Run
    live: bool
    rows: list[dict[str, Any]]
    figure: Figure | None
    iterations: tuple[IterationView, ...]
    settings: tuple[tuple[str, Any, bool], ...]  # name, value, whether it is the paper's
    may_start_iteration: bool


def run_page(run: Run, may_start: bool) -> RunPage:
    """Read a run for its page: a fixed number of queries, whatever the number of iterations."""
    rows = iteration_table(run)
    now = timezone.now()
    steps = _last_steps(run)
    shards = Prefetch("shards", Shard.objects.only("stage_id", "state", "versions"))
    stages = Prefetch("stages", Stage.objects.prefetch_related(shards))
    iterations = Iteration.objects.filter(run=run).prefetch_related(stages)
    views = tuple(
        IterationView(it.number, it.state, tuple(_stage(it, stage, steps.get(it.pk), now) for stage in it.stages.all()))
        for it in reversed(iterations)
    )
    may = may_start and run.mode == RunMode.STEP and run.state == RunState.WAITING
    return RunPage(run, run.state in LIVE, rows, figure(rows), views, _settings(run), may)


def _last_steps(run: Run) -> dict[int, TrainingStep]:
    steps = TrainingStep.objects.filter(iteration__run=run).order_by("iteration_id", "-step").distinct("iteration_id")
    return {step.iteration_id: step for step in steps}


def _stage(iteration: Iteration, stage: Stage, step: TrainingStep | None, now: datetime) -> StageView:
    label = StageKind(stage.kind).label
    seconds = ((stage.closed_at or now) - stage.opened_at).total_seconds() if stage.opened_at else None
    if stage.kind == StageKind.TRAINING and step:
        share: int | None = 100 * step.step // max(step.steps, 1)
        detail = f"step {step.step} of {step.steps}, loss {step.loss:.3f}, {step.tokens_per_second:,.0f} tokens/s"
    elif stage.kind == StageKind.SELECTION and iteration.selected is not None:
        share, detail = 100, f"{iteration.selected_direct} direct + {iteration.selected_refine} refine"
    else:
        share, detail = _counted(stage, seconds)
    if stage.state == StageState.DONE:
        share = 100
    return StageView(stage.kind, stage.state, label, share, detail, seconds, stage.error)


def _counted(stage: Stage, seconds: float | None) -> tuple[int | None, str]:
    """Samples done of all, with rate and time left while it runs."""
    shards = list(stage.shards.all())
    total = sum(len(shard.versions) for shard in shards)
    if not total:
        return None, ""
    done = sum(len(shard.versions) for shard in shards if shard.state == ShardState.DONE)
    detail = f"{done} of {total} samples"
    if stage.state == StageState.RUNNING and done and seconds:
        rate = done / seconds
        detail += f", {rate:.1f}/s, about {(total - done) / rate:.0f} s left"
    return 100 * done // total, detail


PAPER = {
    "k": 8,
    "temperature": 1.0,
    "tolerance": 1,
    "refine_turns": 5,
    "training.learning_rate": 1e-4,
    "training.batch_rows": 64,
    "training.lora_rank": 16,
    "training.lora_alpha": 32,
    "training.schedule": "cosine",
    "training.warmup": 0.1,
}


def _settings(run: Run) -> tuple[tuple[str, Any, bool], ...]:
    """Every setting by its dotted name; the flag marks a value other than the paper's."""
    flat = {name: value for name, value in run.settings.items() if name != "training"}
    flat |= {f"training.{name}": value for name, value in run.settings.get("training", {}).items()}
    return tuple((name, value, name in PAPER and value != PAPER[name]) for name, value in flat.items())
