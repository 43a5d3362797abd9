"""One sample in an iteration: what was asked, the truth, the attempts, why it was selected or not, and what people say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import Http404
from django.urls import reverse

from curation import access
from curation.models import Decision, Generation, Iteration, Rejudgement, Role, Sample, SampleVersion, User, Verdict
from curation.pages.answers import AnswerGroup, CallView, answer_groups, between
from curation.pages.comments_view import CommentView, comments_of
from curation.pages.mask_strip import MaskStrip, mask_strip
from curation.pages.pool_page import ROUTES, with_query
from curation.pages.run_tabs import RunTabs, run_tabs
from curation.pages.sample_card import SampleCard, sample_card
from curation.pages.strips import Fared, Strip, strip
from curation.pages.truth_editor import truth_editor
from curation.pages.verdict_words import DECIDED, DECISION_TONES, Rule, outcome_of, rule, score, tone_of
from curation.stages.facets import label_of
from curation.stages.filtering import VerdictFilter, filter_query, neighbours
from curation.stages.standing import ENDED
from toolcalls.comparing import comparator_of
from toolcalls.prompts import run_messages
from toolcalls.records import Message
from toolcalls.records import Sample as SampleRecord
from toolcalls.wire import sample_from_json


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, or a re-judgement under a corrected truth."""

    outcome: str
    tone: str
    hits: int
    exact: int
    attempts: int
    score: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class DecisionView:
    kind: str
    label: str
    tone: str
    by: str
    at: datetime
    why: str
    stands: bool
    undo: str  # address that takes it back, empty where that is not offered


@dataclass(frozen=True, slots=True)
class Corrected:
    """The truth as a person corrected it: how it differs from the one judged, and what the attempts come to under it."""

    number: int
    calls: tuple[CallView, ...]
    text: str
    judged: Judged | None


@dataclass(frozen=True, slots=True)
class SamplePanel:
    """What a sample's page and the panel beside a list both show. `turn` says whose decisions are made here."""

    iteration: Iteration
    turn: int
    sample: Sample
    version: SampleVersion
    card: SampleCard
    judged: Judged
    strips: tuple[tuple[str, Strip], ...]
    groups: tuple[AnswerGroup, ...]
    prompt: tuple[Message, ...]
    decision: DecisionView | None
    decisions: tuple[DecisionView, ...]
    closed: str  # why nothing can be decided any more; empty while it can
    may_decide: bool
    comments: tuple[CommentView, ...]
    corrected: Corrected | None
    mask: MaskStrip | None
    change: str  # how far A₁ is from A, of a pair
    editor: dict[str, Any]
    here: str  # address of the page
    back: str
    before: str
    after: str
    other: str  # the address of its refine pair, or of its sample; empty where there is none
    tabs: RunTabs


def sample_panel(iteration: Iteration, sample: int, f: VerdictFilter, user: User) -> SamplePanel:
    """Raises Http404 for a sample that the iteration did not judge in the filter's turn."""
    verdicts = verdicts_of(iteration, sample)
    here = {one.turn: one for one in verdicts if one.iteration_id == iteration.pk}
    if f.turn not in here:
        raise Http404("this iteration did not judge such a sample")
    return _panel(iteration, here[f.turn], verdicts, f, user)


def verdicts_of(iteration: Iteration, sample: int) -> list[Verdict]:
    """Of the run on the sample, in both turns, in order of iteration."""
    rows = Verdict.objects.filter(iteration__run=iteration.run_id, sample=sample).select_related("sample", "iteration")
    return list(rows.order_by("iteration__number", "turn"))


def _panel(iteration: Iteration, verdict: Verdict, verdicts: list[Verdict], f: VerdictFilter, user: User) -> SamplePanel:
    run, sample = iteration.run, verdict.sample
    version = SampleVersion.objects.get(pk=verdict.version_id)
    record = record_of(version, sample.key)
    role = access.role_in(user, run.project.team_id)
    decisions = _decisions(iteration, sample.pk, f.turn)
    route, query = ROUTES[f.turn], filter_query(f)
    before, after = neighbours(iteration, f, verdict)
    place = (run.pk, iteration.number)
    return SamplePanel(
        iteration=iteration,
        turn=f.turn,
        sample=sample,
        version=version,
        card=sample_card(record, version=version.number, pk=version.pk),
        judged=judged_view(verdict, iteration),
        strips=strips_of(iteration, verdicts),
        groups=answer_groups(attempts(iteration, verdict.version_id, f.turn), record, run),
        prompt=run_messages(record, run.choices),
        decision=next((one for one in decisions if one.stands), None),
        decisions=decisions,
        closed=_closed(iteration, f.turn),
        may_decide=role is not None and role.covers(Role.REVIEWER),
        comments=comments_of(run, sample.pk, user, role),
        corrected=_corrected(iteration, verdict, record),
        mask=mask_strip(iteration, verdict.version_id, f.turn),
        change=verdict.change,
        editor=truth_editor(record),
        here=with_query(reverse(route[2], args=[*place, sample.pk]), query),
        back=with_query(reverse(route[0], args=place), query),
        before=with_query(reverse(route[2], args=[*place, before]), query) if before else "",
        after=with_query(reverse(route[2], args=[*place, after]), query) if after else "",
        other=reverse(ROUTES[1 - f.turn][2], args=[*place, sample.pk]) if _has_other_turn(iteration, f.turn, verdicts) else "",
        tabs=run_tabs(run, route[0], iteration),
    )


def record_of(version: SampleVersion, key: str) -> SampleRecord:
    return replace(sample_from_json(version.content, f"sample {key}"), id=key)


def attempts(iteration: Iteration, version: int, turn: int) -> list[Generation]:
    return list(Generation.objects.filter(iteration=iteration, version_id=version, turn=turn))


def judged_view(found: Verdict | Rejudgement, iteration: Iteration) -> Judged:
    outcome = outcome_of(found)
    words = label_of("outcome", outcome)
    told = rule(found, iteration.run)
    told_hits = score(found.approximate_hits, found.attempts, found.censored)
    return Judged(words, tone_of(outcome), found.approximate_hits, found.exact_hits, found.attempts, told_hits, told)


def strips_of(iteration: Iteration, verdicts: list[Verdict]) -> tuple[tuple[str, Strip], ...]:
    rows = [
        (one.turn, Fared(one.iteration.number, one.approximate_hits, one.attempts, one.outcome, one.censored)) for one in verdicts
    ]
    turns = ((name, [row for turn, row in rows if turn == place]) for place, name in enumerate(("Direct", "Refine")))
    return tuple((name, strip(each, iteration.number)) for name, each in turns if each)


def _has_other_turn(iteration: Iteration, turn: int, verdicts: list[Verdict]) -> bool:
    return any(one.iteration_id == iteration.pk and one.turn != turn for one in verdicts)


def _decisions(iteration: Iteration, sample: int, turn: int) -> tuple[DecisionView, ...]:
    """Those that stand and those that were taken back, the newest first."""
    rows = Decision.objects.filter(run=iteration.run_id, sample=sample, turn=turn).select_related("by").order_by("-id")
    if turn:
        rows = rows.filter(iteration=iteration)
    return tuple(
        DecisionView(
            row.kind,
            DECIDED[row.kind],
            DECISION_TONES[row.kind],
            str(row.by),
            row.at,
            row.why,
            row.undone_at is None,
            reverse("undo", args=[row.run_id, row.made_by_id]) if row.undone_at is None and row.made_by_id else "",
        )
        for row in rows
    )


def _closed(iteration: Iteration, turn: int) -> str:
    """Why a decision would change nothing; the stages say so too, to whoever tries."""
    run = iteration.run
    if run.state in ENDED:
        return f"The run is {run.get_state_display().lower()}: a decision would change nothing."
    if turn and iteration.stages.filter(kind="assembly", state__in=("running", "done")).exists():
        return f"The training set of iteration {iteration.number} is frozen: a decision on its pairs would change nothing."
    return ""


def _corrected(iteration: Iteration, verdict: Verdict, record: SampleRecord) -> Corrected | None:
    """The corrected truth that stands, where it is another than the one judged."""
    fix = Decision.objects.standing().filter(run=iteration.run_id, sample=verdict.sample_id, turn=0).exclude(version=None)
    decision = fix.select_related("version").first()
    if decision is None or decision.version_id == verdict.version_id:
        return None
    made = record_of(decision.version, record.id)
    again = Rejudgement.objects.filter(iteration=iteration, version=decision.version_id, turn=verdict.turn).first()
    calls = between(record.truth or (), made.truth, made, comparator_of(iteration.run.choices)) if made.truth is not None else ()
    text = made.truth_text or "" if made.truth is None else ""
    return Corrected(decision.version.number, calls, text, judged_view(again, iteration) if again else None)
