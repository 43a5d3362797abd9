"""The pool of an iteration, or its refine pairs: the list that a filter finds, and the filter itself as links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse

from curation.models import Iteration
from curation.pages.run_tabs import RunTabs, run_tabs
from curation.pages.unevaluated_page import heldout_address
from curation.pages.verdict_rows import VerdictRow, verdict_rows
from curation.stages.facets import LABELS, label_of
from curation.stages.filtering import VerdictFilter, filter_query, page_of
from curation.stages.verdict_filter import facet_names, written

ORDER_LABELS = {
    "id": "as sampled",
    "-id": "last sampled first",
    "hits": "fewest hits first",
    "-hits": "most hits first",
    "-other_count": "most agreed on another answer",
    "other_count": "least agreed on another answer",
}
LIMIT = 30  # rows of a page; the next ones come as one scrolls
ROUTES = {0: ("pool", "pool_facets", "sample"), 1: ("pairs", "pairs_facets", "pair")}  # list, facets and detail of a turn


@dataclass(frozen=True, slots=True)
class Chip:
    """One chosen value; `url` is the list without it."""

    label: str
    value: str
    url: str


@dataclass(frozen=True, slots=True)
class VerdictList:
    """A page of the list. `query` is the filter as the address writes it."""

    query: str
    q: str
    rows: list[VerdictRow]
    more: str
    chips: tuple[Chip, ...]
    clear: str
    export: str  # the exports page, which then offers what the filter finds
    url: str
    detail: str  # address of a row's page, less the sample and the query
    hidden: tuple[tuple[str, str], ...]  # the filter as form fields, without search and order


@dataclass(frozen=True, slots=True)
class PoolPage:
    iteration: Iteration
    tabs: RunTabs
    turn: int
    title: str
    list: VerdictList
    facets_url: str
    heldout_url: str
    what_if_url: str
    orders: tuple[tuple[str, str, bool], ...]
    order: str
    others: tuple[tuple[int, str, bool], ...]  # iterations: number, address, whether it is this one
    facts: tuple[str, ...]


def pool_page(iteration: Iteration, f: VerdictFilter, after: str = "") -> PoolPage:
    run, (route, facets, _) = iteration.run, ROUTES[f.turn]
    iterations = list(run.iterations.filter(number__gt=0).only("number", "run", "identical_exact", "selected_refine"))
    numbers = [each.number for each in iterations]
    found = verdict_list(iteration, f, after)
    return PoolPage(
        iteration=iteration,
        tabs=run_tabs(run, route, iteration),
        turn=f.turn,
        title="Refine pairs" if f.turn else "Pool",
        list=found,
        facets_url=with_query(reverse(facets, args=[run.pk, iteration.number]), found.query),
        heldout_url="" if f.turn else heldout_address(run.pk, iteration.number),
        what_if_url=reverse("what_if", args=[run.pk, iteration.number]) if run.choices.selection == "on" else "",
        orders=tuple((name, label, name == f.order) for name, label in ORDER_LABELS.items()),
        order=f.order,
        others=tuple((n, with_query(reverse(route, args=[run.pk, n]), found.query), n == iteration.number) for n in numbers),
        facts=(*_facts(iteration), *(_stop_share(iterations) if f.turn else ())),
    )


def _facts(iteration: Iteration) -> tuple[str, ...]:
    chosen, before = iteration.run.choices, iteration.number - 1
    model = f"model of iteration {before}" if before > 0 else f"base {iteration.run.base_name}"
    return (f"sampled by the {model}", f"k = {chosen.k}", f"T = {chosen.temperature:g}", iteration.get_state_display().lower())


def _stop_share(iterations: Sequence[Iteration]) -> tuple[str, ...]:
    """How many of the selected pairs teach to stop, iteration by iteration."""
    shares = [100 * (each.identical_exact or 0) / each.selected_refine for each in iterations if each.selected_refine]
    return (f"A₁ = A in {' → '.join(f'{share:.0f} %' for share in shares)} of the selected",) if shares else ()


def verdict_list(iteration: Iteration, f: VerdictFilter, after: str = "") -> VerdictList:
    """A page of rows: six queries at most, whatever the number of rows."""
    run, (route, _, detail) = iteration.run, ROUTES[f.turn]
    url = reverse(route, args=[run.pk, iteration.number])
    page, query = page_of(iteration, f, after=after, limit=LIMIT), filter_query(f)
    more = with_query(url, f"{query}&{urlencode({'after': page.next})}".lstrip("&")) if page.next else ""
    return VerdictList(
        query=query,
        q=f.q,
        rows=verdict_rows(iteration, f.turn, page.rows),
        more=more,
        chips=_chips(url, f),
        clear=with_query(url, filter_query(VerdictFilter(f.turn, order=f.order))),
        export=f"{reverse('run_exports', args=[run.pk])}?iteration={iteration.number}&kind={route}{'&' if query else ''}{query}",
        url=url,
        detail=reverse(detail, args=[run.pk, iteration.number, 0]).removesuffix("0/"),
        hidden=tuple((name, written(name, value)) for name in facet_names(f.turn) for value in getattr(f, name)),
    )


def _chips(url: str, f: VerdictFilter) -> tuple[Chip, ...]:
    chosen = [
        Chip(LABELS[name], label_of(name, value), with_query(url, filter_query(f.toggled(name, value))))
        for name in facet_names(f.turn)
        for value in getattr(f, name)
    ]
    search = [Chip("Search", f.q, with_query(url, filter_query(replace(f, q=""))))] if f.q else []
    return (*search, *chosen)


def with_query(url: str, query: str) -> str:
    return f"{url}?{query}" if query else url
