"""Another k or tolerance of an iteration: the panel of the pool page, its numbers, and the page that lists what changes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from curation.access import iteration_of
from curation.pages.whatif_page import Listed, what_if_page, what_if_panel
from curation.stages import whatif
from curation.stages.errors import InputError
from curation.views.asked import number_asked
from curation.views.pool import wants

PANEL, NUMBERS = "what-if", "what-if-numbers"  # elements that htmx fills


@login_required
@require_GET
def what_if(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The page; for htmx the panel of the pool page, or the numbers alone."""
    iteration = iteration_of(request.user, pk, number)
    question = whatif.ask(iteration, number_asked(request, "k"), number_asked(request, "tolerance"))
    if wants(request, PANEL) or wants(request, NUMBERS):
        name = "_panel" if wants(request, PANEL) else "_numbers"
        return render(request, f"curation/whatif/{name}.html", {"shown": what_if_panel(iteration, question)})
    return render(request, "curation/whatif/page.html", {"page": what_if_page(iteration, question, _listed(request))})


def _listed(request: HttpRequest) -> Listed:
    """Which changes are listed. Raises InputError."""
    turn, change = number_asked(request, "turn") or 0, request.GET.get("change", "")
    if turn not in (0, 1) or change not in ("", *whatif.CHANGES):
        raise InputError("turn: 0 or 1; change: gained or lost")
    return Listed(turn, change or None, number_asked(request, "after") or 0)
