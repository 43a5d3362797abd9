"""One refine pair, as a page of its own and as the panel beside the list of pairs."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from curation.access import iteration_of
from curation.pages.pair_page import pair_panel
from curation.views.pool import asked, wants


@login_required
@require_GET
def pair(request: HttpRequest, pk: int, number: int, sample: int) -> HttpResponse:
    shown = pair_panel(iteration_of(request.user, pk, number), sample, asked(request, 1), request.user)
    name = "_panel" if wants(request, "panel") else "page"
    return render(request, f"curation/pairs/{name}.html", {"pair": shown, "panel": shown.panel})
