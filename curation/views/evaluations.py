"""One evaluation, its items, one of them, and two evaluations beside each other."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from curation.access import evaluation_of
from curation.pages.evaluation_compare_page import Wanted, evaluation_compare_page
from curation.pages.evaluation_item_page import item_panel
from curation.pages.evaluation_items_page import items_page
from curation.pages.evaluation_page import evaluation_page
from curation.stages.errors import InputError
from curation.stages.evaluation_items import ItemFilter, item_filter_from
from curation.stages.evaluations_compared import WHICH, pair_of
from curation.stages.verdict_filter import one, read_value
from curation.views.pool import wants
from toolcalls.strategies import STRATEGIES, Strategy


@login_required
@require_GET
def evaluation(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "curation/evaluations/page.html", {"page": evaluation_page(evaluation_of(request.user, pk))})


@login_required
@require_GET
def items(request: HttpRequest, pk: int) -> HttpResponse:
    """htmx gets the rows of the next page alone."""
    params = dict(request.GET.lists())
    page = items_page(evaluation_of(request.user, pk), _filter(request), one(params, "after"))
    name = "_rows" if wants(request, "more") else "items"
    return render(request, f"curation/evaluations/{name}.html", {"page": page})


@login_required
@require_GET
def item(request: HttpRequest, pk: int, sample: int) -> HttpResponse:
    """The page, and for htmx the panel beside the list."""
    panel = item_panel(evaluation_of(request.user, pk), sample, _filter(request), request.user)
    name = "_item" if wants(request, "panel") else "item"
    return render(request, f"curation/evaluations/{name}.html", {"panel": panel})


def _filter(request: HttpRequest) -> ItemFilter:
    """The filter of the address. Raises InputError."""
    return item_filter_from({name: values for name, values in request.GET.lists() if name != "after"})


@login_required
@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """`?evaluation=1&evaluation=2`: the second against the first; 404 when one of them is not the user's to see."""
    params = dict(request.GET.lists())
    asked = [number for number in params.get("evaluation", []) if number]
    if wrong := [number for number in asked if not (number.isascii() and number.isdigit() and len(number) < 19)]:
        raise InputError(f"evaluation={wrong[0][:40]}: the number of an evaluation expected")
    if len(asked) not in (1, 2):
        raise InputError(f"{len(asked)} evaluations are given; give the two that are to be compared")
    found = [evaluation_of(request.user, int(number)) for number in asked]
    wanted = _wanted({name: one(params, name) for name in ("strategy", "which", "category", "after")})
    pair = pair_of(found[0], found[1], wanted.strategy) if len(found) == 2 else None
    page = evaluation_compare_page(found, pair, wanted)
    return render(request, "curation/evaluations/compare.html", {"page": page})


def _wanted(asked: dict[str, str]) -> Wanted:
    for name, known in (("strategy", STRATEGIES), ("which", tuple(WHICH))):
        if asked[name] not in ("", *known):
            raise InputError(f"{name} {asked[name][:60]!r} is not known; choose of {', '.join(known)}")
    strategy: Strategy = next((each for each in STRATEGIES if each == asked["strategy"]), "adaptive")
    return Wanted(strategy, asked["which"] or "second", read_value("category", asked["category"]), asked["after"])
