"""How trainings went, as a browser draws it: at most MOST points a curve, each the mean of the steps that it stands for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Avg, F, Max, QuerySet

from curation.models import Iteration, TrainingStep

MOST = 600  # points of a curve
VALUES = ("loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes")

Curve = dict[str, Any]


def curves(iterations: Sequence[Iteration]) -> list[Curve]:
    """One curve per iteration that was trained: {"iteration", "steps" (planned), "step", "loss", "learning_rate", "grad_norm",
    "tokens_per_second", "memory_bytes"}, the last six as lists of equal length. Two queries."""
    steps = TrainingStep.objects.filter(iteration__in=iterations)
    stride = math.ceil((steps.aggregate(last=Max("step"))["last"] or 1) / MOST)
    numbers = {iteration.pk: iteration.number for iteration in iterations}
    found: dict[int, Curve] = {}
    for pk, last, planned, *values in _points(steps, stride):
        curve = found.setdefault(pk, {"iteration": numbers[pk], "steps": planned, "step": [], **{name: [] for name in VALUES}})
        curve["step"].append(last)
        for name, value in zip(VALUES, values, strict=True):
            curve[name].append(_finite(value))
    return list(found.values())


def _points(steps: QuerySet[TrainingStep], stride: int) -> Iterator[tuple[Any, ...]]:
    """(iteration, last step, planned steps, mean of each value) of every `stride` steps, in order."""
    buckets = steps.annotate(bucket=(F("step") - 1) / stride).order_by("iteration_id", "bucket")
    grouped = buckets.values_list("iteration_id", "bucket").annotate(Max("step"), Max("steps"), *map(Avg, VALUES))
    return ((pk, *values) for pk, _, *values in grouped)


def _finite(value: float | None) -> float | None:
    """JSON knows no NaN: a loss that diverged is a gap."""
    return value if value is not None and math.isfinite(value) else None
