"""The page of an iteration, and its fragments that follow the work."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from curation.access import iteration_of
from curation.pages.iteration_page import iteration_live, iteration_page, iteration_results


@login_required
@require_GET
def iteration(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    shown = iteration_of(request.user, pk, number)
    return render(request, "curation/iterations/page.html", {"page": iteration_page(shown, request.user)})


@login_required
@require_GET
def live(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Stages and buttons."""
    shown = iteration_live(iteration_of(request.user, pk, number), request.user)
    return render(request, "curation/iterations/_live.html", {"shown": shown})


@login_required
@require_GET
def results(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Funnel, histograms, changes and scores."""
    shown = iteration_results(iteration_of(request.user, pk, number))
    return render(request, "curation/iterations/_results.html", {"shown": shown})
