"""Undoing: exactly what an operation did, whatever was decided before and since."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from curation.models import Decision, Event, Iteration, Run, Sample, User, Verdict
from curation.stages import review, running
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.filtering import VerdictFilter, filter_from

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

POOL, PAIRS = VerdictFilter(0), VerdictFilter(1)


@pytest.fixture
def iteration(reviewed_run: Run) -> Iteration:
    return reviewed_run.iterations.get(number=1)


@pytest.fixture
def decide_all(iteration: Iteration, reviewer: User) -> Callable[..., Event]:
    """`decide_all("drop", 8)`: on all 8 samples, or on what a filter finds."""

    def make(kind: str, expected: int, f: VerdictFilter = POOL, by: User = reviewer, why: str = "") -> Event:
        return review.decide_all(iteration, f, kind, by, expected=expected, why=why)

    return make


def shown(turn: int = 0) -> dict[str, str]:
    """What the verdicts repeat of the decisions that stand, checked against those."""
    verdicts = dict(Verdict.objects.filter(turn=turn).exclude(decision="").values_list("sample__key", "decision"))
    standing = dict(Decision.objects.standing().filter(turn=turn).values_list("sample__key", "kind"))
    assert verdicts == standing
    return verdicts


def every(kind: str) -> dict[str, str]:
    return {f"sample-{number}": kind for number in range(8)}


def test_an_operation_that_would_mark_too_many_verdicts_is_refused(
    decide_all: Any, iteration: Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "MOST_MARKED", 8)
    assert decide_all("drop", 8)
    Iteration.objects.create(run=iteration.run, number=2, state="done")
    assert review.most_at_once(iteration, turn=1) == 8  # pairs are marked in their own iteration alone
    with pytest.raises(InputError, match="8 match, and at most 4 are decided at once"):
        decide_all("keep", 8)
    assert shown() == every("drop")


def test_an_operation_on_many_is_one_event_and_is_undone_whole(decide_all: Any, reviewer: User, engineer: User) -> None:
    event = decide_all("drop", 8, why="all wrong")
    assert shown() == every("drop")
    assert event.after == {"kind": "drop", "turn": 0, "iteration": 1, "filter": "", "count": 8}
    assert (len(event.before["samples"]), event.before["decisions"], event.why) == (8, [], "all wrong")
    undone = review.undo_event(event, engineer)
    assert (undone.taken_back, undone.restored, undone.left) == (8, 0, 0)
    assert shown() == {}
    assert (undone.event.verb, undone.event.actor, undone.event.before["by"]) == ("review.undo", engineer, reviewer.pk)


def test_what_it_replaced_stands_again_as_it_was(decide: Any, decide_all: Any, reviewer: User) -> None:
    earlier = [decide(0, "keep", why="right"), decide(1, "discuss"), decide(2, "drop")]
    event = decide_all("drop", 8)
    assert event.after["count"] == 7  # sample-2 was dropped already, and stays so by its own decision
    assert [row[1:] for row in event.before["decisions"]] == [[earlier[0].pk, "keep"], [earlier[1].pk, "discuss"]]
    undone = review.undo_event(event, reviewer)
    assert (undone.taken_back, undone.restored, undone.left) == (7, 2, 0)
    assert list(Decision.objects.standing().order_by("pk")) == earlier
    assert Decision.objects.standing().first().why == "right"  # type: ignore[union-attr]
    assert shown() == {"sample-0": "keep", "sample-1": "discuss", "sample-2": "drop"}


def test_what_others_decided_since_stays_and_is_counted(decide: Any, decide_all: Any, reviewer: User, engineer: User) -> None:
    decide(0, "discuss")
    event = decide_all("drop", 8)
    since = decide(0, "keep", by=engineer)
    undone = review.undo_event(event, reviewer)
    assert (undone.taken_back, undone.restored, undone.left) == (7, 0, 1)
    assert shown() == {"sample-0": "keep"}
    review.undo_event(since.made_by, engineer)
    assert shown() == {"sample-0": "discuss"}  # the drop was taken back: it does not come back with the keep


def test_a_filter_says_what_is_decided_on(decide_all: Any) -> None:
    event = decide_all("keep", 6, filter_from({"hits": ["0"]}, 0))
    assert shown() == {f"sample-{number}": "keep" for number in range(2, 8)}
    assert event.after["filter"] == "hits=0"


def test_pairs_are_decided_on_as_pairs(decide_all: Any, reviewer: User) -> None:
    event = decide_all("drop", 3, filter_from({"outcome": ["exact"]}, 1))
    assert (shown(0), shown(1)) == ({}, {f"sample-{number}": "drop" for number in range(3)})
    assert review.undo_event(event, reviewer).taken_back == 3
    assert shown(1) == {}


def test_nothing_is_changed_when_another_number_matches_by_now(decide: Any, decide_all: Any) -> None:
    with pytest.raises(WrongState, match="8 match by now, not 7"):
        decide_all("drop", 7)
    assert not Decision.objects.exists()
    decide(3, "drop")
    with pytest.raises(WrongState, match="every one is decided so already"):
        decide_all("drop", 1, filter_from({"decision": ["drop"]}, 0))
    with pytest.raises(WrongState, match="nothing to change"):
        decide_all("drop", 0, filter_from({"hits": ["7"]}, 0))


@pytest.mark.parametrize("kind", ["fix", "burn", ""])
def test_only_keep_drop_and_discuss_are_decided_on_many(decide_all: Any, kind: str) -> None:
    with pytest.raises(InputError, match="decide keep, drop, discuss"):
        decide_all(kind, 8)


@pytest.mark.parametrize("person", ["viewer", "outsider"])
def test_only_reviewers_decide_on_many_and_undo(decide_all: Any, person: str, request: pytest.FixtureRequest) -> None:
    user, event = request.getfixturevalue(person), decide_all("drop", 8)
    with pytest.raises(NotPermitted):
        decide_all("keep", 8, by=user)
    with pytest.raises(NotPermitted):
        review.undo_event(event, user)
    assert shown() == every("drop")


def test_an_undo_is_undone_by_deciding_again(decide: Any, reviewer: User) -> None:
    made = decide(0, "drop")
    undone = review.undo_event(made.made_by, reviewer)
    counts = {"taken_back": 1, "restored": 0, "left": 0}
    assert undone.event.after == {"turn": 0, "iteration": 1, "sample": made.sample_id, "kind": "", **counts}
    with pytest.raises(InputError, match=r"review\.undo cannot be undone"):
        review.undo_event(undone.event, reviewer)


def test_an_operation_that_was_replaced_whole_is_not_undone(decide: Any, decide_all: Any, reviewer: User) -> None:
    first = decide(0, "keep")
    decide_all("drop", 8)
    with pytest.raises(WrongState, match="none of it stands any more"):
        review.undo_event(first.made_by, reviewer)
    assert shown() == every("drop")


def test_a_pair_is_undone_until_its_training_set_is_frozen_and_a_sample_until_the_run_ends(
    reviewed_run: Run, iteration: Iteration, decide: Any, engineer: User, hand: Any
) -> None:
    sample, pair = decide(5, "drop"), decide(0, "drop", turn=1)
    review.approve(iteration, engineer)
    with pytest.raises(WrongState, match="training set of iteration 1 is frozen"):  # assembling has begun
        review.undo_event(pair.made_by, engineer)
    hand.work_off(1)
    with pytest.raises(WrongState, match="training set of iteration 1 is frozen"):
        review.undo_event(pair.made_by, engineer)
    assert review.undo_event(sample.made_by, engineer).taken_back == 1
    again = decide(5, "drop")
    running.stop_run(reviewed_run)
    with pytest.raises(WrongState, match="stopped"):
        review.undo_event(again.made_by, engineer)


@pytest.mark.parametrize("seed", range(6))
def test_undoing_in_any_order_leaves_what_the_other_operations_made(
    seed: int, iteration: Iteration, reviewed_run: Run, reviewer: User
) -> None:
    """The model: each sample has a pile of decisions; an undo takes an operation's out of every pile it lies in."""
    draw = random.Random(seed)
    samples = {sample.key: sample for sample in Sample.objects.filter(split="train")}
    piles: dict[str, list[tuple[int, str]]] = {key: [] for key in samples}
    made: dict[int, Event] = {}
    for _ in range(25):
        action, kind = draw.choice(("one", "many", "undo", "undo")), draw.choice(("keep", "drop", "discuss"))
        if action == "one":
            key = draw.choice(sorted(samples))
            event = review.decide(reviewed_run, iteration, samples[key], 0, kind, reviewer).made_by
            piles[key].append((event.pk, kind))
        elif action == "many":
            hits = draw.choice(("0", "1"))
            found = [key for key, number in Verdict.objects.filter(turn=0).values_list("sample__key", "approximate_hits")
                     if str(number) == hits]  # fmt: skip
            changed = [key for key in found if not piles[key] or piles[key][-1][1] != kind]
            if not changed:
                continue
            f = filter_from({"hits": [hits]}, 0)
            event = review.decide_all(iteration, f, kind, reviewer, expected=len(found))
            for key in changed:
                piles[key].append((event.pk, kind))
        elif made:
            event = made[draw.choice(sorted(made))]
            lying = {key for key, pile in piles.items() if any(number == event.pk for number, _ in pile)}
            tops = {key for key in lying if piles[key][-1][0] == event.pk}
            if not tops:
                with pytest.raises(WrongState):
                    review.undo_event(event, reviewer)
                continue
            undone = review.undo_event(event, reviewer)
            assert (undone.taken_back, undone.left) == (len(tops), len(lying) - len(tops))
            assert undone.restored == sum(len(piles[key]) > 1 for key in tops)
            for key in lying:
                piles[key] = [entry for entry in piles[key] if entry[0] != event.pk]
        else:
            continue
        made[event.pk] = event
        assert shown() == {key: pile[-1][1] for key, pile in piles.items() if pile}
