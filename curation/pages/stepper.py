"""The stages of an iteration as a stepper: how far each is, how fast, and when it will be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, Sum
from django.utils import timezone

from curation.models import Iteration, Shard, Stage, TrainingStep, Verdict
from curation.models.shards import ShardState, StageKind, StageState

WINDOW = timedelta(minutes=2)  # the rate is that of the shards closed within it


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage; `share` is the part done, 0 to 100, None where there is nothing to count. `left` is in seconds."""

    name: str
    label: str
    state: str
    word: str  # for its state, as people say it
    share: int | None
    detail: str
    left: float | None
    seconds: float | None
    trouble: str  # failed tries so far
    error: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What a stage's shards come to, in samples."""

    total: int = 0
    done: int = 0
    recent: int = 0  # done within WINDOW
    working: int = 0  # workers that hold a shard
    failures: int = 0


def stepper(iteration: Iteration, stages: Sequence[Stage]) -> tuple[StageView, ...]:
    """Three queries at most: shards are summed up where they lie, and only of stages that are not over."""
    now = timezone.now()
    open_ = [stage.pk for stage in stages if stage.state in (StageState.RUNNING, StageState.FAILED)]
    shards = _progress(open_, now)
    return tuple(_view(iteration, stage, shards.get(stage.pk, Progress()), now) for stage in stages)


def _progress(stages: Sequence[int], now: datetime) -> Mapping[int, Progress]:
    if not stages:
        return {}
    done = Q(state=ShardState.DONE)
    sums = (
        Shard.objects.filter(stage__in=stages)
        .order_by()
        .values_list("stage_id")
        .annotate(
            all=Sum("versions__len", default=0),
            done=Sum("versions__len", filter=done, default=0),
            recent=Sum("versions__len", filter=done & Q(closed_at__gt=now - WINDOW), default=0),
            working=Count("owner", filter=Q(state=ShardState.LEASED), distinct=True),
            failed=Sum("failures", default=0),
        )
    )
    return {stage: Progress(*values) for stage, *values in sums}


def _view(iteration: Iteration, stage: Stage, shards: Progress, now: datetime) -> StageView:
    seconds = ((stage.closed_at or now) - stage.opened_at).total_seconds() if stage.opened_at else None
    share, detail, left = _done(iteration, stage, shards, seconds, now)
    if stage.state == StageState.DONE:
        share, left = 100, None
    tries = f"{shards.failures} failed {'try' if shards.failures == 1 else 'tries'}" if shards.failures else ""
    word = _word(iteration, stage)
    return StageView(
        stage.kind, StageKind(stage.kind).label, stage.state, word, share, detail, left, seconds, tries, stage.error
    )  # fmt: skip


def _word(iteration: Iteration, stage: Stage) -> str:
    if waits_for_approval(iteration, stage):
        return "waits for approval"
    if waits_for_generations(stage):
        return "waits for generations"
    return {StageState.CANCELLED: "not done"}.get(StageState(stage.state), stage.state)


def waits_for_approval(iteration: Iteration, stage: Stage) -> bool:
    return (
        stage.kind == StageKind.REVIEW
        and stage.state == StageState.RUNNING
        and iteration.run.settings.get("review") == "required"
    )  # fmt: skip


def waits_for_generations(stage: Stage) -> bool:
    return stage.state == StageState.RUNNING and stage.awaited is not None


def _done(
    iteration: Iteration, stage: Stage, shards: Progress, seconds: float | None, now: datetime
) -> tuple[int | None, str, float | None]:
    """Part done in percent, the words for it, seconds left."""
    if waits_for_generations(stage):
        return 100 * stage.arrived // stage.awaited, f"{stage.arrived:,} of {stage.awaited:,} attempts are here", None
    match stage.kind:
        case StageKind.TRAINING if stage.state in (StageState.RUNNING, StageState.FAILED):
            return _trained(iteration)
        case StageKind.SELECTION if iteration.selected is not None:
            return 100, f"{iteration.selected_direct:,} direct + {iteration.selected_refine or 0:,} refine", None
        case StageKind.REVIEW if stage.state == StageState.RUNNING:
            return None, _decided(iteration), None
    if stage.state == StageState.DONE and stage.total:
        return 100, f"{stage.total:,} {'rows' if stage.kind in _OF_ROWS else 'samples'}", None
    return _counted(shards, seconds) if stage.state == StageState.RUNNING else (None, "", None)


_OF_ROWS = {StageKind.ASSEMBLY, StageKind.TRAINING}


def _counted(shards: Progress, seconds: float | None) -> tuple[int | None, str, float | None]:
    if not shards.total:
        return None, "", None
    words, left = [f"{shards.done:,} of {shards.total:,} samples"], None
    span = min(seconds or 0.0, WINDOW.total_seconds())
    rate = shards.recent / span if shards.recent and span else shards.done / seconds if shards.done and seconds else 0.0
    if rate:
        words.append(f"{rate:,.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min")
        left = (shards.total - shards.done) / rate
    if shards.working > 1:
        words.append(f"{shards.working} workers")
    return 100 * shards.done // shards.total, " · ".join(words), left


def _trained(iteration: Iteration) -> tuple[int | None, str, float | None]:
    steps = TrainingStep.objects.filter(iteration=iteration)
    last = steps.order_by("-step").first()
    if last is None:
        return None, "loading", None
    span = steps.aggregate(first=Min("at"), last=Max("at"), count=Count("pk"))
    each = (span["last"] - span["first"]).total_seconds() / max(span["count"] - 1, 1)
    left = each * (last.steps - last.step) or None
    words = f"step {last.step:,} of {last.steps:,} · loss {last.loss:.3f} · {last.tokens_per_second:,.0f} tokens/s"
    return 100 * last.step // max(last.steps, 1), words, left


def _decided(iteration: Iteration) -> str:
    counts = Verdict.objects.filter(iteration=iteration).exclude(decision="").order_by().values_list("decision")
    found = dict(counts.annotate(Count("pk")))
    return ", ".join(f"{number:,} {kind}" for kind, number in found.items()) or "no decision yet"
