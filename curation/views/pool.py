"""The pool of an iteration and its refine pairs (turn 0 and 1): a list and its facets. Held-out samples are evaluated items."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from curation.access import iteration_of
from curation.models import Iteration
from curation.pages.facets_view import facets_view
from curation.pages.pool_page import pool_page, verdict_list, with_query
from curation.pages.unevaluated_page import unevaluated_page
from curation.stages.evaluated import own_evaluation
from curation.stages.evaluation_items import item_filter_from, item_query
from curation.stages.filtering import VerdictFilter, filter_from
from curation.stages.verdict_filter import one

NOT_FILTERS = ("after", "split")  # names of the address that are no filter


def asked(request: HttpRequest, turn: int) -> VerdictFilter:
    """The filter of the address. Raises InputError."""
    return filter_from({name: values for name, values in request.GET.lists() if name not in NOT_FILTERS}, turn)


def wants(request: HttpRequest, target: str) -> bool:
    """Whether htmx asks for the fragment that it puts into `target`."""
    return bool(request.htmx) and not request.htmx.history_restore_request and request.htmx.target == target


@login_required
@require_GET
def verdicts(request: HttpRequest, pk: int, number: int, turn: int) -> HttpResponse:
    """htmx gets the list alone, or the rows of the next page alone."""
    iteration, params = iteration_of(request.user, pk, number), dict(request.GET.lists())
    if not turn and one(params, "split") == "heldout":
        return _heldout(request, iteration)
    f, after = asked(request, turn), one(params, "after")
    if wants(request, "list") or wants(request, "more"):
        name = "_list" if wants(request, "list") else "_rows"
        return render(request, f"curation/pool/{name}.html", {"list": verdict_list(iteration, f, after), "turn": turn})
    return render(request, "curation/pool/page.html", {"page": pool_page(iteration, f, after)})


@login_required
@require_GET
def facets(request: HttpRequest, pk: int, number: int, turn: int) -> HttpResponse:
    view = facets_view(iteration_of(request.user, pk, number), asked(request, turn), request.user)
    return render(request, "curation/pool/_facets.html", {"view": view})


def _heldout(request: HttpRequest, iteration: Iteration) -> HttpResponse:
    """Leads to the items of the evaluation, by the same filter; else a page says why there are none yet."""
    f = item_filter_from({name: values for name, values in request.GET.lists() if name not in NOT_FILTERS})
    evaluation = own_evaluation(iteration)
    if evaluation is None:
        return unevaluated(request, iteration)
    return redirect(with_query(reverse("evaluation_items", args=[evaluation.pk]), item_query(f)))


def unevaluated(request: HttpRequest, iteration: Iteration) -> HttpResponse:
    return render(request, "curation/pool/unevaluated.html", {"page": unevaluated_page(iteration)})
