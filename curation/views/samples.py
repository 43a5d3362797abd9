"""One sample in an iteration, as a page of its own and as the panel beside the pool."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from curation.access import iteration_of
from curation.models import Iteration, RevisionEntry
from curation.models.datasets import Split
from curation.pages.sample_page import sample_panel
from curation.stages.evaluated import own_evaluation
from curation.views.pool import asked, unevaluated, wants


@login_required
@require_GET
def sample(request: HttpRequest, pk: int, number: int, sample: int) -> HttpResponse:
    """A held-out one leads to its item of the evaluation; a page says where there is none yet."""
    iteration = iteration_of(request.user, pk, number)
    if _held_out(iteration, sample):
        evaluation = own_evaluation(iteration)
        return unevaluated(request, iteration) if evaluation is None else redirect("evaluation_item", evaluation.pk, sample)
    panel = sample_panel(iteration, sample, asked(request, 0), request.user)
    return render(request, f"curation/samples/{'_panel' if wants(request, 'panel') else 'page'}.html", {"panel": panel})


def _held_out(iteration: Iteration, sample: int) -> bool:
    entries = RevisionEntry.objects.filter(revision=iteration.run.revision_id, version__sample=sample)
    return entries.filter(version__sample__split=Split.HELDOUT).exists()
