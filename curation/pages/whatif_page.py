"""What if: sliders for k and tolerance, what would be selected, how that grows with k, and the samples that change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from curation.models import Iteration
from curation.models.verdicts import UNKNOWN
from curation.pages.pool_page import ROUTES
from curation.pages.run_tabs import RunTabs, run_tabs
from curation.pages.verdict_words import tone_of
from curation.stages import whatif
from curation.stages.facets import label_of
from curation.stages.saturation import Bounds, Saturation
from curation.stages.whatif import ChangeKind, Question, Stored, TurnAnswer, WhatIf

TURNS = ("Direct", "Refine")
WORDS = {UNKNOWN: "not known", whatif.NO_PAIR: "no pair"}
LISTED = 50  # changes of a page
MOST_MOVES = 5  # of a turn; what is rarer is one line
BARS = 64  # of a curve; of more attempts every so many-th is shown
STEPS = 4  # of the slider beyond the run's own tolerance
HEIGHT = 40  # of a curve, in its own units


@dataclass(frozen=True, slots=True)
class Listed:
    """Which changes: of a turn, gained or lost or both, from beyond the verdict `after`."""

    turn: int = 0
    change: ChangeKind | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """What the first k attempts select; `chosen` is the k of the sliders."""

    k: int
    x: int
    y: float
    height: float
    chosen: bool
    title: str


@dataclass(frozen=True, slots=True)
class Curve:
    """`before_at`: where what the run selected stands, from the top. `words` for those who do not see it."""

    bars: tuple[Bar, ...]
    width: int
    before_at: float
    words: str


@dataclass(frozen=True, slots=True)
class Move:
    before: str
    now: str
    before_tone: str
    now_tone: str
    tone: str
    count: int


@dataclass(frozen=True, slots=True)
class Turn:
    """`share`: of what the run selected, in percent, with its sign. `moves` are the most frequent from a hit or to one."""

    name: str
    before: int
    now: int
    share: str
    gained: int
    lost: int
    unknown: int
    gained_href: str
    lost_href: str
    moves: tuple[Move, ...]
    rest: int  # verdicts that move otherwise, most of them from one miss to another
    same: int
    curve: Curve


@dataclass(frozen=True, slots=True)
class Ends:
    """Whether the run ends with the iteration, in words, and by which numbers; `changed`: otherwise than the run itself."""

    words: str
    why: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Slider:
    name: str
    label: str
    least: int
    most: int
    value: int
    own: int


@dataclass(frozen=True, slots=True)
class Panel:
    """`is_own`: the sliders stand where the run stood."""

    iteration: Iteration
    url: str
    sliders: tuple[Slider, ...]
    answer: WhatIf
    words: str
    is_own: bool
    turns: tuple[Turn, ...]
    ends: Ends | None
    changes: str  # address of the list of what changes
    rejudge: str
    judged: bool


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    href: str
    change: ChangeKind
    before: str
    before_tone: str
    now: str
    now_tone: str


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class WhatIfPage:
    panel: Panel
    tabs: RunTabs
    choices: tuple[Choice, ...]  # which changes are listed
    hidden: tuple[tuple[str, str], ...]  # the same as form fields
    rows: tuple[Row, ...]
    next: str


def what_if_panel(iteration: Iteration, question: Question) -> Panel:
    return _panel(iteration, question, Stored(iteration))


def what_if_page(iteration: Iteration, question: Question, listed: Listed) -> WhatIfPage:
    stored = Stored(iteration)
    panel = _panel(iteration, question, stored)
    found = stored.changes(question, turn=listed.turn, change=listed.change, after=listed.after, limit=LISTED + 1)
    more = replace(listed, after=found[LISTED - 1].id) if len(found) > LISTED else None
    return WhatIfPage(
        panel=panel,
        tabs=run_tabs(iteration.run, "iteration", iteration),
        choices=tuple(_choices(panel, question, listed)),
        hidden=(("turn", str(listed.turn)), ("change", listed.change or "")),
        rows=tuple(_row(changed, iteration) for changed in found[:LISTED]),
        next=_address(panel.url, question, more) if more else "",
    )


def _panel(iteration: Iteration, question: Question, stored: Stored) -> Panel:
    answer, within = stored.answer(question), [iteration.run_id, iteration.number]
    url, own = reverse("what_if", args=within), answer.own
    most = max(min(whatif.most_tolerance(iteration), own.tolerance + STEPS), question.tolerance)
    return Panel(
        iteration=iteration,
        url=url,
        sliders=(
            Slider("k", "Attempts", 1, own.k, question.k, own.k),
            Slider("tolerance", "Tolerance", 0, most, question.tolerance, own.tolerance),
        ),
        answer=answer,
        words=words_of(question, own),
        is_own=question == own,
        turns=tuple(_turn(turn, question, url) for turn in answer.turns),
        ends=None if answer.saturation is None else _ends(answer.saturation, iteration.number),
        changes=_address(url, question, Listed()),
        rejudge=reverse("rejudgings", args=within),
        judged=any(turn.counts for turn in answer.turns),
    )


def _ends(saturation: Saturation, number: int) -> Ends:
    words = {True: f"ends with iteration {number}", False: "goes on", None: "ends here or goes on: too few attempts are stored"}
    now = _bounds(saturation.current)
    grown = f" × {1 + saturation.epsilon:g}" if saturation.epsilon else ""
    compared = {True: "is not more than", False: "is more than", None: "against"}[saturation.now]
    why = f"{now} selected in the first iteration"
    if saturation.previous is not None:
        why = f"{now} {compared} the {_bounds(saturation.previous)}{grown} of iteration {number - 1}"
    return Ends(words[saturation.now], why, saturation.now not in (None, saturation.before))


def _bounds(bounds: Bounds) -> str:
    return f"{bounds.least:,}" if bounds.least == bounds.most else f"{bounds.least:,} to {bounds.most:,}"


def words_of(question: Question, own: Question) -> str:
    """The question in words."""
    some = f"the first {question.k} of {own.k} attempts" if question.k > 1 else f"the first of {own.k} attempts"
    k = some if question.k < own.k else f"all {own.k} attempts"
    n = question.tolerance
    rule = "exact answers alone" if not n else f"at most {n} differing parameter{'s' if n > 1 else ''} in a call"
    return f"{k}, {rule}"


def _address(url: str, question: Question, listed: Listed) -> str:
    asked: dict[str, Any] = {"k": question.k, "tolerance": question.tolerance, "turn": listed.turn}
    asked |= {"change": listed.change} if listed.change else {}
    asked |= {"after": listed.after} if listed.after else {}
    return f"{url}?{urlencode(asked)}"


def _choices(panel: Panel, question: Question, listed: Listed) -> Iterator[Choice]:
    for turn in panel.answer.turns:
        for change in whatif.CHANGES:
            if number := turn.gained if change == "gained" else turn.lost:
                here = turn.turn == listed.turn and listed.change in (None, change)
                address = _address(panel.url, question, Listed(turn.turn, change))
                yield Choice(f"{TURNS[turn.turn]}, {change}: {number:,}", address, here)


def _turn(turn: TurnAnswer, question: Question, url: str) -> Turn:
    moves = [(number, before, now) for before, to in turn.counts.items() for now, number in to.items()]
    moved = sorted((move for move in moves if move[1] != move[2]), reverse=True)
    told = [move for move in moved if {move[1], move[2]} & {*whatif.HITS, UNKNOWN}][:MOST_MOVES]
    return Turn(
        name=TURNS[turn.turn],
        before=turn.before,
        now=turn.now,
        share=_share(turn),
        gained=turn.gained,
        lost=turn.lost,
        unknown=turn.unknown,
        gained_href=_address(url, question, Listed(turn.turn, "gained")),
        lost_href=_address(url, question, Listed(turn.turn, "lost")),
        moves=tuple(_move(*move) for move in told),
        rest=sum(number for number, _, _ in moved) - sum(number for number, _, _ in told),
        same=sum(number for number, before, now in moves if before == now),
        curve=_curve(turn, question),
    )


def _share(turn: TurnAnswer) -> str:
    if not turn.before or turn.now == turn.before:
        return ""
    return f"{100 * (turn.now - turn.before) / turn.before:+.1f} %".replace("-", "−")


def _move(count: int, before: str, now: str) -> Move:
    was, will = before in whatif.HITS, now in whatif.HITS
    tone = "good" if will and not was else "bad" if was and not will and now != UNKNOWN else ""
    return Move(_label(before), _label(now), tone_of(before), tone_of(now), tone, count)


def _label(outcome: str) -> str:
    return WORDS.get(outcome) or label_of("outcome", outcome)


def _curve(turn: TurnAnswer, question: Question) -> Curve:
    top = max(1, turn.before, *turn.by_k)
    shown = _shown(len(turn.by_k), question.k)
    bars = tuple(_bar(place, k, turn.by_k[k - 1], top, k == question.k) for place, k in enumerate(shown))
    words = ", ".join(f"{bar.title}" for bar in bars)
    return Curve(bars, len(bars), round(HEIGHT * (1 - turn.before / top), 2), f"Selected by attempts: {words}")


def _shown(most: int, chosen: int) -> Sequence[int]:
    """The numbers of attempts that get a bar."""
    step = -(-most // BARS)
    return sorted({*range(step, most + 1, step), 1, chosen, most})


def _bar(place: int, k: int, selected: int, top: int, chosen: bool) -> Bar:
    height = round(HEIGHT * selected / top, 2)
    return Bar(k, place, round(HEIGHT - height, 2), height, chosen, f"{k}: {selected:,}")


def _row(changed: whatif.Changed, iteration: Iteration) -> Row:
    return Row(
        key=changed.key,
        href=reverse(ROUTES[changed.turn][2], args=[iteration.run_id, iteration.number, changed.sample]),
        change=changed.change,
        before=_label(changed.outcome_before),
        before_tone=tone_of(changed.outcome_before),
        now=_label(changed.outcome),
        now_tone=tone_of(changed.outcome),
    )
