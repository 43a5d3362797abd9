"""Runs side by side."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from curation.access import run_of
from curation.pages.compare_page import MOST, compare_page
from curation.stages.errors import InputError


@login_required
@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """`?run=1&run=2`: each run once, in the order of the address; 404 when one of them is not the user's to see."""
    asked = list(dict.fromkeys(request.GET.getlist("run")))
    if len(asked) > MOST:
        raise InputError(f"{len(asked)} runs are too many to tell apart: compare {MOST} at most")
    if wrong := [number for number in asked if not (number.isascii() and number.isdigit() and len(number) < 19)]:
        raise InputError(f"run={wrong[0][:40]}: the number of a run expected")
    runs = [run_of(request.user, int(number)) for number in asked]
    return render(request, "curation/compare/page.html", {"page": compare_page(request.user, runs)})
