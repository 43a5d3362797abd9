"""Judging an iteration's stored attempts again, and what comes of it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.access import iteration_of, rejudging_of
from curation.models.verdicts import Outcome
from curation.pages.rejudging_page import rejudging_page, rejudgings_page, rules_typed
from curation.stages import rejudging as stage
from curation.stages.errors import InputError

PARTS = ("turn", "before", "now")


@login_required
@require_http_methods(["GET", "POST"])
def rejudgings(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    iteration = iteration_of(request.user, pk, number)
    problem = ""
    if request.method == "POST":
        try:
            made = stage.begin(iteration, rules_typed(request.POST), request.user)
            return redirect("rejudging", pk, number, made.pk)
        except InputError as error:
            problem = str(error)
    page = rejudgings_page(iteration, request.user, request.POST.dict() if problem else None, problem)
    return render(request, "curation/rejudgings/page.html", {"page": page}, status=422 if problem else 200)


@login_required
@require_GET
def rejudging(request: HttpRequest, pk: int, number: int, rejudging: int) -> HttpResponse:
    """The page, and for htmx, which asks again while the judging goes on, what changes of it."""
    found = rejudging_of(request.user, pk, number, rejudging)
    page = rejudging_page(found, request.user, _move(request), _after(request))
    template = "curation/rejudgings/_report.html" if request.htmx else "curation/rejudgings/one.html"
    return render(request, template, {"page": page})


@login_required
@require_POST
def discard(request: HttpRequest, pk: int, number: int, rejudging: int) -> HttpResponse:
    stage.discard(rejudging_of(request.user, pk, number, rejudging), request.user)
    return redirect("rejudgings", pk, number)


def _move(request: HttpRequest) -> dict[str, str]:
    """The move whose samples are asked for. Raises InputError for one that cannot be."""
    asked = {name: request.GET[name] for name in PARTS if name in request.GET}
    if not asked:
        return {}
    known = set(Outcome.values)
    if len(asked) < len(PARTS) or asked["turn"] not in ("0", "1") or not {asked["before"], asked["now"]} <= known:
        raise InputError("turn, before and now: 0 or 1, and two outcomes, all three or none of them")
    return asked


def _after(request: HttpRequest) -> int:
    said = request.GET.get("after", "0")
    if not (said.isascii() and said.isdigit() and len(said) < 19):
        raise InputError("after: the number that the page before gave is expected")
    return int(said)
