"""Held-out samples of an iteration: the list, right or wrong direct and by adaptive self-refine, and one sample's trace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import Http404
from django.urls import reverse

from curation import access
from curation.models import EvaluationItem, Iteration, Role, User
from curation.pages.answers import CallView, call_views
from curation.pages.comments_view import CommentView, comments_of
from curation.pages.pool_page import Chip, with_query
from curation.pages.run_tabs import RunTabs, run_tabs
from curation.pages.sample_card import SampleCard, sample_card
from curation.pages.sample_page import record_of
from curation.pages.verdict_rows import one_line, truth_line
from curation.stages.heldout import SCORES, HeldoutFilter, heldout_matching, heldout_page_of, heldout_query

QUERY, TRUTH = 320, 200  # characters that a row shows


@dataclass(frozen=True, slots=True)
class HeldoutRow:
    sample: int
    key: str
    query: str
    truth: str
    category: str
    direct_right: bool
    adaptive_right: bool
    turns: int


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
    short: bool = False  # two short values, which fit beside each other


@dataclass(frozen=True, slots=True)
class HeldoutPage:
    iteration: Iteration
    tabs: RunTabs
    rows: list[HeldoutRow]
    more: str
    total: int
    groups: tuple[ChoiceGroup, ...]
    chips: tuple[Chip, ...]
    q: str
    hidden: tuple[tuple[str, str], ...]
    pool_url: str
    url: str
    detail: str
    others: tuple[tuple[int, str, bool], ...]


def heldout_page(iteration: Iteration, f: HeldoutFilter, after: str = "") -> HeldoutPage:
    run = iteration.run
    url = reverse("pool", args=[run.pk, iteration.number])
    page = heldout_page_of(iteration, f, after=after)
    numbers = run.iterations.values_list("number", flat=True)
    return HeldoutPage(
        iteration=iteration,
        tabs=run_tabs(run, "pool", iteration),
        rows=[_row(item) for item in page.rows],
        more=_address(url, f, after=page.next) if page.next else "",
        total=heldout_matching(iteration, f).count(),
        groups=_groups(iteration, url, f),
        chips=(Chip("Search", f.q, _address(url, replace(f, q=""))),) if f.q else (),
        q=f.q,
        hidden=tuple((name, value) for name in ("direct", "adaptive", "category") if (value := getattr(f, name))),
        pool_url=url,
        url=url,
        detail=reverse("sample", args=[run.pk, iteration.number, 0]).removesuffix("0/"),
        others=tuple(
            (n, _address(reverse("pool", args=[run.pk, n]), f), n == iteration.number) for n in numbers
        ),
    )  # fmt: skip


def _address(url: str, f: HeldoutFilter, **more: Any) -> str:
    query = "&".join(part for part in ("split=heldout", heldout_query(f), urlencode(more)) if part)
    return with_query(url, query)


def _row(item: EvaluationItem) -> HeldoutRow:
    record = record_of(item.version, item.version.sample.key)
    query = one_line(record.messages[-1].content, QUERY) if record.messages else ""
    truth = one_line(truth_line(record), TRUTH)
    sample = item.version.sample_id
    return HeldoutRow(
        sample, record.id, query, truth, record.category, item.direct_right, item.adaptive_right, item.turns
    )  # fmt: skip


def _groups(iteration: Iteration, url: str, f: HeldoutFilter) -> tuple[ChoiceGroup, ...]:
    """Right and wrong, direct and adaptive, and the categories; each counted under the other choices."""
    groups = [_scores(iteration, url, f, name, label) for name, label in (("direct", "Direct"), ("adaptive", "Adaptive"))]
    others = heldout_matching(iteration, replace(f, category="")).order_by()
    counts = dict(others.values_list("version__category").annotate(Count("pk")))
    if len(counts) > 1 or f.category:
        found = [
            Choice(name or "(none given)", number, _toggled(url, f, "category", name), name == f.category)
            for name, number in sorted(counts.items(), key=lambda pair: -pair[1])
            if name
        ]
        groups.append(ChoiceGroup("Category", tuple(found)))
    return tuple(groups)


def _scores(iteration: Iteration, url: str, f: HeldoutFilter, name: str, label: str) -> ChoiceGroup:
    others: Any = {name: ""}
    rows = heldout_matching(iteration, replace(f, **others)).order_by().values_list(f"{name}_right").annotate(Count("pk"))
    counts = dict(rows)
    choices = (
        Choice(score, counts.get(score == "right", 0), _toggled(url, f, name, score), getattr(f, name) == score)
        for score in SCORES
    )
    return ChoiceGroup(label, tuple(choices))


def _toggled(url: str, f: HeldoutFilter, name: str, value: str) -> str:
    changed: Any = {name: "" if getattr(f, name) == value else value}
    return _address(url, replace(f, **changed))


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One answer of the trace A₀ … Aₙ; `copied` where the model gave the same text again and was not asked further."""

    number: int
    text: str
    calls: tuple[CallView, ...]
    same: bool
    copied: bool
    stops: bool  # adaptive self-refine ends with this one


@dataclass(frozen=True, slots=True)
class HeldoutPanel:
    iteration: Iteration
    card: SampleCard
    sample: int
    direct_right: bool
    adaptive_right: bool
    turns: int
    steps: tuple[TraceStep, ...]
    comments: tuple[CommentView, ...]
    may_decide: bool
    here: str
    back: str
    tabs: RunTabs


def heldout_panel(iteration: Iteration, sample: int, user: User) -> HeldoutPanel:
    """Raises Http404 for a sample that the iteration's model was not evaluated on."""
    own = EvaluationItem.objects.filter(iteration=iteration, revision=iteration.run.revision_id)
    items = own.filter(version__sample=sample).select_related("version__sample")
    item = items.first()
    if item is None:
        raise Http404("this iteration has no such sample")
    record = record_of(item.version, item.version.sample.key)
    place, role = (iteration.run_id, iteration.number), access.role_in(user, iteration.run.project.team_id)
    return HeldoutPanel(
        iteration=iteration,
        card=sample_card(record, version=item.version.number, pk=item.version_id),
        sample=sample,
        direct_right=item.direct_right,
        adaptive_right=item.adaptive_right,
        turns=item.turns,
        steps=_steps(item, record, iteration),
        comments=comments_of(iteration.run, sample, user, role),
        may_decide=role is not None and role.covers(Role.REVIEWER),
        here=with_query(reverse("sample", args=[*place, sample]), "split=heldout"),
        back=with_query(reverse("pool", args=place), "split=heldout"),
        tabs=run_tabs(iteration.run, "pool", iteration),
    )


def _steps(item: EvaluationItem, record: Any, iteration: Iteration) -> tuple[TraceStep, ...]:
    steps, before = [], None
    for place, text in enumerate(item.trace):
        views = call_views(record, text, iteration.run)
        same = bool(views) and all(view.kind == "same" for view in views)
        steps.append(TraceStep(place, text, views, same, text == before, place == item.turns))
        before = text
    return tuple(steps)
