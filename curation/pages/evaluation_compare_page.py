"""Two evaluations beside each other: is one better, by category, and the items that only one has right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from curation.models import Evaluation, EvaluationItem
from curation.pages.answers import LONGEST, CallView, call_views
from curation.pages.average_names import average_label
from curation.pages.evaluation_names import STRATEGIES, benchmark_name, model_name, model_note
from curation.pages.evaluation_scores import ALIKE, by_weight, items_alike
from curation.pages.new_run_page import Option
from curation.pages.project_tabs import ProjectTabs, project_tabs
from curation.pages.sample_card import SampleCard, sample_card
from curation.pages.sample_page import record_of
from curation.stages.evaluated import evaluations_shown
from curation.stages.evaluations_compared import Apart, Pair, apart_page_of, contrast_of, note_of, refine_turns
from toolcalls.comparing import Comparator, comparator_of
from toolcalls.contrasts import Contrast, Difference
from toolcalls.official.averages import averaged
from toolcalls.records import Sample
from toolcalls.strategies import Strategy

LISTED = 100  # evaluations to choose from, the newest
ORDER: tuple[Strategy, ...] = ("adaptive", "direct", "vanilla", "self_consistency")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address says beside the evaluations: `which` alone has the listed items right."""

    strategy: Strategy = "adaptive"
    which: str = "second"
    category: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    evaluation: Evaluation
    name: str
    note: str
    n: int
    href: str


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    name: str
    average: bool
    beside: bool  # a category that takes no part in any average
    change: Difference
    links: Mapping[str, str]  # addresses of the items that only the first, or only the second, has right

    @property
    def notable(self) -> bool:
        return self.change.verdict in ("gain", "loss")


@dataclass(frozen=True, slots=True)
class Answered:
    """One side's answer to an item, beside the truth that is shown."""

    right: bool
    error: str
    text: str
    calls: tuple[CallView, ...]
    href: str

    @property
    def same(self) -> bool:
        return bool(self.calls) and all(call.kind == "same" for call in self.calls)


@dataclass(frozen=True, slots=True)
class ApartView:
    card: SampleCard
    answers: tuple[Answered, Answered]


@dataclass(frozen=True, slots=True)
class Switch:
    label: str
    count: int
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class EvaluationComparePage:
    tabs: ProjectTabs
    benchmark: str
    sides: tuple[Side, ...]
    choices: tuple[tuple[str, tuple[Option, ...]], ...]
    strategies: tuple[Option, ...]
    sentence: str
    tone: str  # "gain" or "loss" of all together, or nothing
    rows: tuple[DifferenceRow, ...]
    only_one: str  # that items are not compared, in words
    other_n: str  # that the two refine another number of times, in words
    switches: tuple[Switch, ...]
    wanted: Wanted
    apart: tuple[ApartView, ...]
    more: str
    url: str


def evaluation_compare_page(evaluations: Sequence[Evaluation], pair: Pair | None, wanted: Wanted) -> EvaluationComparePage:
    """A fixed number of queries. `evaluations`: one or two of the same project, with all that `evaluations_shown` loads."""
    first = evaluations[0]
    sides = tuple(_side(one) for one in evaluations)
    contrast = None if pair is None else contrast_of(pair)
    base = {"evaluation": [one.pk for one in evaluations], "strategy": wanted.strategy}
    url = f"{reverse('evaluation_compare')}?{urlencode(base, doseq=True)}"
    rows = () if contrast is None else tuple(_rows(contrast, url))
    listed = None if pair is None else apart_page_of(pair, wanted.which, category=wanted.category, after=wanted.after)
    return EvaluationComparePage(
        tabs=project_tabs(first.iteration.run.project, "benchmarks"),
        benchmark=benchmark_name(first.revision),
        sides=sides,
        choices=_choices(evaluations),
        strategies=tuple(Option(name, STRATEGIES[name], name == wanted.strategy) for name in ORDER),
        sentence=_sentence(sides, rows, wanted.strategy),
        tone=rows[0].change.verdict if rows and rows[0].notable else "",
        rows=rows,
        only_one="" if contrast is None else _only_one(contrast),
        other_n="" if pair is None else note_of(pair),
        switches=_switches(sides, rows, wanted, url),
        wanted=wanted,
        apart=() if pair is None or listed is None else _apart(pair, listed.rows),
        more="" if listed is None or not listed.next else _listing(url, wanted.which, wanted.category, str(listed.next)),
        url=url,
    )


def _side(evaluation: Evaluation) -> Side:
    address = reverse("evaluation", args=[evaluation.pk])
    return Side(evaluation, model_name(evaluation), model_note(evaluation), refine_turns(evaluation), address)


def _choices(evaluations: Sequence[Evaluation]) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    """Two lists of what was evaluated on the same data, the chosen ones marked. One query."""
    first = evaluations[0]
    found = list(evaluations_shown(first.iteration.run.project, of=first.revision.dataset_id)[:LISTED])
    listed = [*found, *(one for one in evaluations if one.pk not in {each.pk for each in found})]
    chosen = [one.pk for one in evaluations]
    return tuple(
        (label, tuple(Option(str(one.pk), _described(one), chosen[place : place + 1] == [one.pk]) for one in listed))
        for place, label in enumerate(("First", "Second"))
    )


def _described(evaluation: Evaluation) -> str:
    note = model_note(evaluation)
    named = f"{model_name(evaluation)} ({note})" if note else model_name(evaluation)
    return f"{named} · {evaluation.revision} · {evaluation.created_at:%Y-%m-%d %H:%M}"


def _rows(contrast: Contrast, url: str) -> list[DifferenceRow]:
    averages = by_weight(contrast.averages)
    rows = [DifferenceRow(average_label(name), True, False, contrast.averages[name], {}) for name in averages]
    taking_part = averaged(contrast.benchmark, contrast.categories)
    if "overall" not in averages and contrast.categories:
        counts = {name: each.counts for name, each in contrast.categories.items()}
        rows.insert(0, DifferenceRow(ALIKE, True, False, items_alike(counts, taking_part)[1], {}))
    for name in sorted(contrast.categories, key=lambda name: (name not in taking_part, name.startswith("live"), name)):
        links = {which: _listing(url, which, name) for which in ("first", "second")}
        rows.append(DifferenceRow(name or "no category", False, name not in taking_part, contrast.categories[name], links))
    return rows if len(contrast.categories) > 1 else [row for row in rows if not row.average]


def _listing(url: str, which: str, category: str = "", after: str = "") -> str:
    values = {"which": which, "category": category, "after": after}
    return f"{url}&{urlencode({name: value for name, value in values.items() if value})}#apart"


def _sentence(sides: Sequence[Side], rows: Sequence[DifferenceRow], strategy: str) -> str:
    if not rows or len(sides) < 2:
        return ""
    row = rows[0].change
    counts = row.counts
    told = (
        f"{STRATEGIES[strategy]}: of {counts.total:,} items, {counts.only_second:,} are right only in the second and "
        f"{counts.only_first:,} only in the first. That is {100 * row.difference:+.2f} points "
        f"({100 * row.low:+.2f} to {100 * row.high:+.2f}), p = {row.p:.3g}:"
    )
    return {"gain": f"{told} the second is better.", "loss": f"{told} the second is worse."}.get(
        row.verdict, f"{told} no difference that these items show."
    )


def _only_one(contrast: Contrast) -> str:
    parts = (("first", contrast.only_first), ("second", contrast.only_second))
    told = [f"{count:,} that only the {name} has" for name, count in parts if count]
    return f"Items not compared: {' and '.join(told)}." if told else ""


def _switches(sides: Sequence[Side], rows: Sequence[DifferenceRow], wanted: Wanted, url: str) -> tuple[Switch, ...]:
    parts = [row.change.counts for row in rows if not row.average and wanted.category in ("", row.name)]
    names = (("first", sum(each.only_first for each in parts)), ("second", sum(each.only_second for each in parts)))
    return tuple(
        Switch(f"only the {which}, {side.name}", count, _listing(url, which, wanted.category), which == wanted.which)
        for side, (which, count) in zip(sides, names, strict=False)
    )


def _apart(pair: Pair, rows: Sequence[Apart]) -> tuple[ApartView, ...]:
    first, second = ((one, comparator_of(one.iteration.run.choices)) for one in (pair.first, pair.second))
    views = []
    for apart in rows:
        record = record_of(apart.first.version, apart.first.version.sample.key)
        answers = _answered(*first, apart.first, record), _answered(*second, apart.second, record)
        views.append(ApartView(sample_card(record, pk=apart.first.version_id), answers))
    return tuple(views)


def _answered(evaluation: Evaluation, comparator: Comparator, item: EvaluationItem, record: Sample) -> Answered:
    text = item.trace[item.stands]
    return Answered(
        right=item.stands_right,
        error=item.error or "",
        text=text[:LONGEST],
        calls=call_views(record, text, comparator),
        href=reverse("evaluation_item", args=[evaluation.pk, item.version.sample_id]),
    )
