"""An iteration judged again: which rules, what moved from where to where, and the samples that moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from curation import access
from curation.models import ChangedVerdict, Iteration, Rejudging, Role, User, Verdict
from curation.models.rejudging import RejudgingState
from curation.models.verdicts import UNKNOWN
from curation.pages.choices import DEFAULTS, GROUPS, Choice
from curation.pages.new_run_page import Field, parsed, setting_field, written
from curation.pages.pool_page import ROUTES
from curation.pages.run_tabs import RunTabs, run_tabs
from curation.pages.verdict_words import tone_of
from curation.stages import rejudging
from curation.stages.facets import label_of
from curation.stages.rejudging import RULES

LISTED = 50  # changed verdicts of a page
TURNS = ("Direct", "Refine")
HITS = ("exact", "approximate")


@dataclass(frozen=True, slots=True)
class Line:
    """A re-judging in a list. `gained` and `lost`: verdicts that would be selected, or would no more."""

    rejudging: Rejudging
    state: str
    label: str
    error: str
    share: int  # percent judged
    differs: tuple[str, ...]  # the rules that are not the run's, in words
    gained: int
    lost: int
    unknown: int  # stopped at a hit that is none now
    changed: int


@dataclass(frozen=True, slots=True)
class RejudgingsPage:
    iteration: Iteration
    tabs: RunTabs
    lines: tuple[Line, ...]
    fields: tuple[Field, ...]
    comparators: tuple[str, ...]  # versions that the iteration's verdicts were judged by
    problem: str
    may_judge: bool
    judged: bool  # whether there is anything to judge again


@dataclass(frozen=True, slots=True)
class Move:
    """From one outcome to another; `tone`: good where it is selected now, bad where it no longer is."""

    before: str
    now: str
    before_tone: str
    now_tone: str
    tone: str
    count: int
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Turn:
    name: str
    before: int  # selected
    now: int  # at least, where some are unknown
    unknown: int
    same: int  # verdicts that come out as before
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    href: str
    turn: str
    before: str
    before_tone: str
    now: str
    now_tone: str
    hits_before: int
    hits: int
    attempts: int


@dataclass(frozen=True, slots=True)
class RejudgingPage:
    iteration: Iteration
    tabs: RunTabs
    line: Line
    turns: tuple[Turn, ...]
    rows: tuple[Row, ...]
    next: str
    all_href: str  # the list without the chosen move; empty where none is chosen
    may_judge: bool


def rejudgings_page(
    iteration: Iteration, user: User, typed: Mapping[str, str] | None = None, problem: str = ""
) -> RejudgingsPage:
    """`typed`: what the form said, where it was refused."""
    known = Rejudging.objects.filter(iteration=iteration).exclude(state=RejudgingState.DISCARDED).select_related("by")
    current = {name: written(value) for name, value in rejudging.rules_of(iteration.run.choices).items()}
    versions = Verdict.objects.filter(iteration=iteration).order_by().values_list("comparator", flat=True).distinct()
    return RejudgingsPage(
        iteration=iteration,
        tabs=run_tabs(iteration.run, "iteration", iteration),
        lines=tuple(_line(one, iteration) for one in known.order_by("-pk")),
        fields=tuple(setting_field(choice, typed or current, "") for choice in _choices()),
        comparators=tuple(versions),
        problem=problem,
        may_judge=access.may(user, iteration.run.project.team_id, Role.REVIEWER),
        judged=bool(versions),
    )


def rejudging_page(found: Rejudging, user: User, chosen: Mapping[str, str], after: int = 0) -> RejudgingPage:
    """`chosen`: turn, before and now of the move whose samples are listed; without it all are."""
    iteration = found.iteration
    rows = list(_chosen(found, chosen).filter(pk__gt=after).select_related("sample").order_by("pk")[: LISTED + 1])
    here = reverse("rejudging", args=[iteration.run_id, iteration.number, found.pk])
    more = {**chosen, "after": str(rows[LISTED - 1].pk)} if len(rows) > LISTED else {}
    return RejudgingPage(
        iteration=iteration,
        tabs=run_tabs(iteration.run, "iteration", iteration),
        line=_line(found, iteration),
        turns=tuple(_turn(found, turn, chosen, here) for turn in range(len(TURNS)) if str(turn) in found.counts),
        rows=tuple(_row(row, iteration) for row in rows[:LISTED]),
        next=f"{here}?{urlencode(more)}" if more else "",
        all_href=here if chosen else "",
        may_judge=access.may(user, iteration.run.project.team_id, Role.REVIEWER),
    )


def rules_typed(typed: Mapping[str, str]) -> dict[str, Any]:
    """The rules as the form says them; what is no number stays a text, which the stage refuses in words."""
    rules: dict[str, Any] = {}
    for choice in _choices():
        text = typed.get(choice.name, "false" if choice.kind == "bool" else "")
        try:
            rules[choice.name] = parsed(choice, text)
        except ValueError:
            rules[choice.name] = text
    return rules


def _choices() -> list[Choice]:
    return [choice for group in GROUPS for choice in group.choices if choice.name in RULES]


def _chosen(found: Rejudging, chosen: Mapping[str, str]) -> Any:
    rows = ChangedVerdict.objects.filter(rejudging=found)
    if chosen:
        rows = rows.filter(turn=chosen["turn"], outcome_before=chosen["before"], outcome=chosen["now"])
    return rows


def _line(found: Rejudging, iteration: Iteration) -> Line:
    state, error = rejudging.standing(found)
    moves = [(before, now, count) for of in found.counts.values() for before, to in of.items() for now, count in to.items()]
    return Line(
        rejudging=found,
        state=state,
        label=str(RejudgingState(state).label),
        error=error,
        share=100 * found.judged // max(1, found.total),
        differs=_differs(found.rules, iteration),
        gained=sum(count for before, now, count in moves if now in HITS and before not in HITS),
        lost=sum(count for before, now, count in moves if before in HITS and now not in (*HITS, UNKNOWN)),
        unknown=sum(count for _, now, count in moves if now == UNKNOWN),
        changed=ChangedVerdict.objects.filter(rejudging=found).count(),
    )


def _differs(rules: Mapping[str, Any], iteration: Iteration) -> tuple[str, ...]:
    usual = rejudging.rules_of(iteration.run.choices)
    labels = {choice.name: choice.label for choice in _choices()}
    changed = [name for name, value in rules.items() if usual.get(name, DEFAULTS.get(name)) != value]
    return tuple(f"{labels.get(name, name)}: {written(rules[name])}" for name in changed)


def _turn(found: Rejudging, turn: int, chosen: Mapping[str, str], here: str) -> Turn:
    of = found.counts[str(turn)]
    moves = [(count, before, now) for before, to in of.items() for now, count in to.items()]
    before, now = rejudging.selected(found.counts, turn)
    moved = tuple(_move(turn, *move, chosen, here) for move in sorted(moves, reverse=True) if move[1] != move[2])
    unknown = sum(count for count, _, other in moves if other == UNKNOWN)
    return Turn(TURNS[turn], before, now, unknown, sum(count for count, one, other in moves if one == other), moved)


def _move(turn: int, count: int, before: str, now: str, chosen: Mapping[str, str], here: str) -> Move:
    asked = {"turn": str(turn), "before": before, "now": now}
    return Move(
        before=label_of("outcome", before),
        now=label_of("outcome", now),
        before_tone=tone_of(before),
        now_tone=tone_of(now),
        tone=_tone(before, now),
        count=count,
        href=f"{here}?{urlencode(asked)}",
        current=asked == dict(chosen),
    )


def _tone(before: str, now: str) -> str:
    if now in HITS:
        return "" if before in HITS else "good"
    return "bad" if before in HITS and now != UNKNOWN else ""


def _row(row: ChangedVerdict, iteration: Iteration) -> Row:
    return Row(
        key=row.sample.key,
        href=reverse(ROUTES[row.turn][2], args=[iteration.run_id, iteration.number, row.sample_id]),
        turn=TURNS[row.turn],
        before=label_of("outcome", row.outcome_before),
        before_tone=tone_of(row.outcome_before),
        now=label_of("outcome", row.outcome),
        now_tone=tone_of(row.outcome),
        hits_before=row.hits_before,
        hits=row.hits,
        attempts=row.attempts,
    )
