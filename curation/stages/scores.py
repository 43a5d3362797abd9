"""The sum of an iteration's evaluation: how many held-out samples its model gets right, direct and adaptive."""

from __future__ import annotations

from django.db.models import Avg, Count, Q

from curation.models import Evaluation, EvaluationItem, Iteration
from curation.stages import artifacts
from curation.stages.pool import comparator_of


def summarise(iteration: Iteration) -> Evaluation | None:
    """Write the iteration's Evaluation from its items; None, and no row, when there were no held-out samples."""
    sums = EvaluationItem.objects.filter(iteration=iteration).aggregate(
        total=Count("pk"),
        direct=Count("pk", filter=Q(direct_right=True)),
        adaptive=Count("pk", filter=Q(adaptive_right=True)),
        turns=Avg("turns"),
    )
    if not sums["total"]:
        return None
    evaluation, _ = Evaluation.objects.get_or_create(
        iteration=iteration,
        defaults={
            "checkpoint": artifacts.evaluated_checkpoint(iteration),
            "comparator": comparator_of(iteration.run.choices).version,
            "total": sums["total"],
            "direct_right": sums["direct"],
            "adaptive_right": sums["adaptive"],
            "mean_turns": sums["turns"],
        },
    )
    return evaluation
