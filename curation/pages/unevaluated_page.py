"""Held-out samples that an iteration's model was not asked yet, or not all of them: why there is no list of its answers."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from curation.models import EvaluationItem, Iteration, Stage
from curation.models.runs import IterationState
from curation.pages.run_tabs import RunTabs, run_tabs

ENDED = {
    IterationState.FAILED: "failed",
    IterationState.STOPPED: "was stopped",
    IterationState.SELECTION_ONLY: "ended with its selection",
}


@dataclass(frozen=True, slots=True)
class UnevaluatedPage:
    iteration: Iteration
    tabs: RunTabs
    why: str
    others: tuple[tuple[int, str], ...]  # iterations that were evaluated: number, address of their held-out samples
    pool_url: str


def unevaluated_page(iteration: Iteration) -> UnevaluatedPage:
    run = iteration.run
    evaluated = run.iterations.filter(evaluations__revision=run.revision_id).values_list("number", flat=True)
    return UnevaluatedPage(
        iteration=iteration,
        tabs=run_tabs(run, "pool", iteration),
        why=_why(iteration),
        others=tuple((number, heldout_address(run.pk, number)) for number in evaluated),
        pool_url=reverse("pool", args=[run.pk, iteration.number]),
    )


def heldout_address(run: int, number: int) -> str:
    """Leads to the items of the evaluation on the run's own data, once there is one."""
    return f"{reverse('pool', args=[run, number])}?split=heldout"


def _why(iteration: Iteration) -> str:
    run, model = iteration.run, "The model of this iteration" if iteration.number else "The model"
    if not run.revision.heldout:
        return f"{run.revision} has no held-out samples: there is nothing to evaluate on."
    if iteration.state in ENDED:
        return f"Iteration {iteration.number} {ENDED[iteration.state]} before its model was evaluated."
    answered = EvaluationItem.objects.filter(iteration=iteration, revision=run.revision_id).count()
    if answered:
        return f"{model} is being evaluated: {answered:,} of {run.revision.heldout:,} samples are answered so far."
    if not Stage.objects.filter(iteration=iteration, kind="evaluation").exists():
        selects = not run.trains and not run.only_evaluates
        return "This run only selects: it trains no model to evaluate." if selects else f"{model} is not evaluated in this run."
    return f"{model} has not been evaluated yet{'' if iteration.number == 0 else ': that follows its training'}."
