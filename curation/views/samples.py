"""One sample in an iteration, as a page of its own and as the panel beside the pool."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from curation.access import iteration_of
from curation.models import EvaluationItem
from curation.pages.heldout_page import heldout_panel
from curation.pages.sample_page import sample_panel
from curation.views.pool import asked, wants


@login_required
@require_GET
def sample(request: HttpRequest, pk: int, number: int, sample: int) -> HttpResponse:
    iteration = iteration_of(request.user, pk, number)
    fragment = wants(request, "panel")
    if EvaluationItem.objects.filter(iteration=iteration, version__sample=sample).exists():
        trace = heldout_panel(iteration, sample, request.user)
        return render(request, f"curation/samples/{'_heldout' if fragment else 'heldout'}.html", {"panel": trace})
    panel = sample_panel(iteration, sample, asked(request, 0), request.user)
    return render(request, f"curation/samples/{'_panel' if fragment else 'page'}.html", {"panel": panel})
