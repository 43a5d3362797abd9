"""What an iteration trained, to take home."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from curation.access import iteration_of
from curation.pages.model_page import model_page
from curation.stages import model_files, sweeping
from curation.streaming import model_response


@login_required
@require_http_methods(["GET", "POST"])
def model(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """The page; a post downloads, because it is put on record, or chooses the model, so that no sweep takes it."""
    iteration = iteration_of(request.user, pk, number)
    if request.method == "POST" and "keep" in request.POST:
        sweeping.keep(iteration, kept=request.POST["keep"] == "1", by=request.user)
        return redirect("model", pk, number)
    if request.method == "POST":
        return model_response(model_files.begin(iteration, request.POST.get("kind", ""), request.user))
    return render(request, "curation/model/page.html", {"page": model_page(iteration, request.user)})
