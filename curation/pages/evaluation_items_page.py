"""The items of an evaluation: a list with filters, each item right or wrong by strategy, with the error that was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from curation.models import Evaluation, EvaluationItem, Iteration
from curation.pages.comments_view import comment_counts
from curation.pages.evaluation_names import benchmark_name, model_name
from curation.pages.pool_page import Chip, with_query
from curation.pages.project_tabs import ProjectTabs, project_tabs
from curation.pages.sample_page import record_of
from curation.pages.verdict_rows import one_line, truth_line
from curation.stages.evaluation_items import CLOSED, ItemFilter, item_facets, item_page_of, item_query

QUERY, TRUTH = 320, 200  # characters that a row shows
MOST = 40  # values of a facet that are shown
LABELS = {
    "direct": "Direct",
    "adaptive": "Adaptive",
    "vanilla": "Vanilla",
    "self_consistency": "Self-consistency",
    "change": "Changed by refining",
    "turns": "Adaptive stops at turn",
    "category": "Category",
    "error": "Error of the direct answer",
    "left": "Error of adaptive's answer",
}
REFINED = ("adaptive", "change", "turns", "left")  # that need a refine turn
REPEATED = ("vanilla", "self_consistency")  # that need two


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    count: int
    url: str
    active: bool


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    label: str
    choices: tuple[Choice, ...]
    short: bool  # two short values, which fit beside each other


@dataclass(frozen=True, slots=True)
class ItemRow:
    sample: int
    href: str
    key: str
    query: str
    truth: str
    category: str
    direct_right: bool
    adaptive_right: bool
    turns: int
    error: str  # of the answer where adaptive stops, else of the direct one
    comments: int


@dataclass(frozen=True, slots=True)
class ItemsPage:
    evaluation: Evaluation
    tabs: ProjectTabs
    model: str
    benchmark: str
    rows: list[ItemRow]
    more: str
    total: int
    groups: tuple[ChoiceGroup, ...]
    chips: tuple[Chip, ...]
    q: str
    hidden: tuple[tuple[str, str], ...]
    url: str
    iterations: tuple[tuple[int, str, bool], ...]  # of the run, evaluated on the same: number, address, whether it is this one
    pool_url: str  # of the iteration that trained the model, where the items are its run's held-out samples


def items_page(evaluation: Evaluation, f: ItemFilter, after: str = "") -> ItemsPage:
    """Four queries for the list and its filters, one more for a search."""
    url = reverse("evaluation_items", args=[evaluation.pk])
    found, facets = item_page_of(evaluation, f, after=after), item_facets(evaluation, f)
    chosen = [(name, value) for name in (*LABELS, "q") if (value := getattr(f, name))]
    run = evaluation.iteration.run
    return ItemsPage(
        evaluation=evaluation,
        tabs=project_tabs(run.project, "benchmarks"),
        model=model_name(evaluation),
        benchmark=benchmark_name(evaluation.revision),
        rows=_rows(evaluation, found.rows, item_query(f)),
        more=_address(url, f, after=found.next) if found.next else "",
        total=facets.total,
        groups=tuple(_group(url, f, name, facets.counts[name]) for name in _shown(f, run.choices.refine_turns, facets.counts)),
        chips=tuple(Chip(LABELS.get(name, "Search"), value, _toggled(url, f, name, value)) for name, value in chosen),
        q=f.q,
        hidden=tuple((name, value) for name, value in chosen if name != "q"),
        url=url,
        iterations=_iterations(evaluation, f),
        pool_url="" if run.only_evaluates or evaluation.revision_id != run.revision_id else _pool(evaluation.iteration),
    )


def _iterations(evaluation: Evaluation, f: ItemFilter) -> tuple[tuple[int, str, bool], ...]:
    same = Evaluation.objects.filter(iteration__run=evaluation.iteration.run_id, revision=evaluation.revision_id)
    found = same.order_by("iteration__number").values_list("pk", "iteration__number")
    return tuple(
        (number, with_query(reverse("evaluation_items", args=[pk]), item_query(f)), pk == evaluation.pk) for pk, number in found
    )


def _pool(iteration: Iteration) -> str:
    """Iteration 0, the base's, has none."""
    return reverse("pool", args=[iteration.run_id, iteration.number]) if iteration.number else ""


def _shown(f: ItemFilter, turns: int, counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What the items can be told apart by; without refine turns adaptive is direct, and with one all that refine agree."""
    same = (*(REPEATED if turns < 2 else ()), *(REFINED if not turns else ()))
    return [name for name in LABELS if getattr(f, name) or (counts[name] and name not in same)]


def _rows(evaluation: Evaluation, items: Sequence[EvaluationItem], query: str) -> list[ItemRow]:
    said = comment_counts(evaluation.iteration.run_id, [item.version.sample_id for item in items])
    return [_row(evaluation, item, query, said.get(item.version.sample_id, 0)) for item in items]


def _row(evaluation: Evaluation, item: EvaluationItem, query: str, comments: int) -> ItemRow:
    record = record_of(item.version, item.version.sample.key)
    address = reverse("evaluation_item", args=[evaluation.pk, item.version.sample_id])
    return ItemRow(
        sample=item.version.sample_id,
        href=with_query(address, query),
        key=record.id,
        query=one_line(record.messages[-1].content, QUERY) if record.messages else "",
        truth=one_line(truth_line(record), TRUTH),
        category=record.category,
        direct_right=item.direct_right,
        adaptive_right=item.adaptive_right,
        turns=item.turns,
        error=_error(item),
        comments=comments,
    )


def _error(item: EvaluationItem) -> str:
    errors = item.error_types or [None]
    last = errors[item.turns] if item.turns < len(errors) else None
    return (None if item.adaptive_right else last) or (None if item.direct_right else errors[0]) or ""


def _address(url: str, f: ItemFilter, **more: Any) -> str:
    return with_query(url, "&".join(part for part in (item_query(f), urlencode(more)) if part))


def _toggled(url: str, f: ItemFilter, name: str, value: str) -> str:
    changed: Any = {name: "" if getattr(f, name) == value else value}
    return _address(url, replace(f, **changed))


def _group(url: str, f: ItemFilter, name: str, counts: Mapping[str, int]) -> ChoiceGroup:
    own = getattr(f, name)
    known = dict(counts) | ({own: counts.get(own, 0)} if own else {})
    choices = (Choice(value, known[value], _toggled(url, f, name, value), value == own) for value in _order(name, known))
    return ChoiceGroup(LABELS[name], tuple(choices), short=name in CLOSED)


def _order(name: str, counts: Mapping[str, int]) -> list[str]:
    """Turns by number, closed lists as they are, others the most frequent first."""
    if name == "turns":
        return sorted(counts, key=int)
    if name in CLOSED:
        return [value for value in CLOSED[name] if value in counts]
    return sorted(counts, key=lambda value: (-counts[value], value))[:MOST]
