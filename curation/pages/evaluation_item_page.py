"""One item of an evaluation: what was asked, what is accepted, and every answer of the trace with its official verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse

from curation import access
from curation.models import Evaluation, EvaluationItem, Role, User
from curation.pages.answers import LONGEST, CallView, call_views
from curation.pages.comments_view import CommentView, comments_of
from curation.pages.evaluation_names import benchmark_name, model_name
from curation.pages.pool_page import with_query
from curation.pages.project_tabs import ProjectTabs, project_tabs
from curation.pages.sample_card import SampleCard, sample_card
from curation.pages.sample_page import record_of
from curation.stages.evaluation_items import ItemFilter, beside, item_query, items_of
from toolcalls.benchmarks.items import Item
from toolcalls.benchmarks.judging import judge
from toolcalls.comparing import comparator_of
from toolcalls.errors import InputError
from toolcalls.records import Sample


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One answer of the trace; `copied` where it is the text before it again. `calls`: beside the truth that is shown."""

    number: int
    text: str
    right: bool | None  # None where it was not judged
    error: str
    reasons: tuple[str, ...]  # the official scorer's sentences
    calls: tuple[CallView, ...]
    copied: bool
    stops: bool  # adaptive self-refine ends with this one
    frequent: bool  # self-consistency gives this one
    tokens: str

    @property
    def same(self) -> bool:
        return bool(self.calls) and all(call.kind == "same" for call in self.calls)


@dataclass(frozen=True, slots=True)
class ItemPanel:
    evaluation: Evaluation
    tabs: ProjectTabs
    model: str
    benchmark: str
    card: SampleCard
    sample: int
    accepted: str  # what the official scorer judges by, as JSON
    direct_right: bool
    adaptive_right: bool
    turns: int
    answers: tuple[AnswerView, ...]
    comments: tuple[CommentView, ...]
    may_comment: bool
    here: str
    back: str
    before: str
    after: str


def item_panel(evaluation: Evaluation, sample: int, f: ItemFilter, user: User) -> ItemPanel:
    """Raises Http404 for a sample that the model was not evaluated on."""
    found = items_of(evaluation).filter(version__sample=sample).select_related("version__sample", "version__official")
    item = found.first()
    if item is None:
        raise Http404("this evaluation has no such item")
    record = record_of(item.version, item.version.sample.key)
    official = _official(evaluation, item, record)
    before, after = beside(evaluation, f, item.version_id)
    query, run = item_query(f), evaluation.iteration.run
    role = access.role_in(user, run.project.team_id)
    return ItemPanel(
        evaluation=evaluation,
        tabs=project_tabs(run.project, "benchmarks"),
        model=model_name(evaluation),
        benchmark=benchmark_name(evaluation.revision),
        card=sample_card(record, version=item.version.number, pk=item.version_id),
        sample=sample,
        accepted="" if official is None else json.dumps(official.answer, ensure_ascii=False, indent=1),
        direct_right=item.direct_right,
        adaptive_right=item.adaptive_right,
        turns=item.turns,
        answers=answer_views(evaluation, item, record, official),
        comments=comments_of(run, sample, user, role),
        may_comment=role is not None and role.covers(Role.REVIEWER),
        here=_address(evaluation, sample, query),
        back=with_query(reverse("evaluation_items", args=[evaluation.pk]), query),
        before=_address(evaluation, before, query),
        after=_address(evaluation, after, query),
    )


def _official(evaluation: Evaluation, item: EvaluationItem, record: Sample) -> Item | None:
    """With what the benchmark's own scorer judges by; None for a project's own data, which is judged by its truth."""
    found = getattr(item.version, "official", None)
    benchmark = evaluation.revision.dataset.benchmark
    return None if found is None else Item(record.id, benchmark, record.category, record, found.answer)


def _address(evaluation: Evaluation, sample: int | None, query: str) -> str:
    return "" if sample is None else with_query(reverse("evaluation_item", args=[evaluation.pk, sample]), query)


def answer_views(evaluation: Evaluation, item: EvaluationItem, record: Sample, official: Item | None) -> tuple[AnswerView, ...]:
    """The verdicts are those that were stored; the official sentences are asked for anew, once for each different answer."""
    comparator = comparator_of(evaluation.iteration.run.choices)
    views: list[AnswerView] = []
    reasons: dict[str, tuple[str, ...]] = {}
    for number, text in enumerate(item.trace):
        right = _right(item, number)
        if text not in reasons:
            reasons[text] = () if right is not False or official is None else _reasons(official, text, _mode(evaluation))
        views.append(
            AnswerView(
                number=number,
                text=text[:LONGEST],
                right=right,
                error=(item.error_types[number] or "") if item.error_types else "",
                reasons=reasons[text],
                calls=call_views(record, text, comparator),
                copied=bool(number) and text == item.trace[number - 1],
                stops=number == item.turns,
                frequent=number == item.majority,
                tokens=_tokens(item, number),
            )
        )
    return tuple(views)


def _right(item: EvaluationItem, number: int) -> bool | None:
    """Of before answers were judged one by one: what is known of the direct one and of adaptive's, and of the same texts."""
    if item.right:
        return bool(item.right[number])
    if item.trace[number] == item.trace[0]:
        return bool(item.direct_right)
    return bool(item.adaptive_right) if item.trace[number] == item.trace[item.turns] else None


def _mode(evaluation: Evaluation) -> str:
    return str((evaluation.outputs or {}).get("mode", "prompt"))


def _reasons(official: Item, text: str, mode: str) -> tuple[str, ...]:
    """None where the scorer gives none, or what it needs is not installed here."""
    try:
        return judge(official, text, mode).reasons
    except InputError:
        return ()


def _tokens(item: EvaluationItem, number: int) -> str:
    prompt, written = item.prompt_tokens or [], item.completion_tokens or []
    return f"{prompt[number]} → {written[number]} tokens" if number < min(len(prompt), len(written)) and prompt[number] else ""
