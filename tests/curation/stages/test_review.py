"""Review: decisions stand beside the verdicts, hold where they should, and decide what enters training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from curation.models import Decision, Event, Run, Sample, TrainingRow, User, Verdict
from curation.stages import assembly, review, running
from curation.stages.errors import InputError, NotPermitted, WrongState

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def run(reviewed_run: Run) -> Run:
    return reviewed_run


@pytest.fixture
def rows(run: Run, engineer: User, hand: Any) -> Callable[[], dict[tuple[str, str], bool]]:
    """`rows()` approves iteration 1 and says what entered training: (sample, kind) → whether it was forced."""

    def read() -> dict[tuple[str, str], bool]:
        review.approve(run.iterations.get(number=1), engineer)
        hand.work_off(1)
        entered = TrainingRow.objects.values_list("version__sample__key", "kind", "forced")
        return {(key, kind): forced for key, kind, forced in entered}

    return read


SELECTED = {(f"sample-{number}", "direct"): False for number in (0, 1)} | {
    (f"sample-{number}", "refine"): False for number in (0, 1, 2)
}


def without(*left_out: tuple[str, str]) -> dict[tuple[str, str], bool]:
    return {row: forced for row, forced in SELECTED.items() if row not in left_out}


def test_undecided_rows_enter_training(rows: Any) -> None:
    assert rows() == SELECTED


def test_a_dropped_sample_enters_with_neither_row(decide: Any, rows: Any) -> None:
    decide(0, "drop")
    assert rows() == without(("sample-0", "direct"), ("sample-0", "refine"))


def test_a_dropped_pair_leaves_its_sample_in(decide: Any, rows: Any) -> None:
    decide(0, "drop", turn=1)
    assert rows() == without(("sample-0", "refine"))


def test_a_row_under_discussion_stays_out_and_the_run_goes_on(decide: Any, rows: Any) -> None:
    decide(1, "discuss")
    decide(2, "discuss", turn=1)
    assert rows() == without(("sample-1", "direct"), ("sample-1", "refine"), ("sample-2", "refine"))


def test_a_kept_sample_enters_though_it_was_not_selected_and_is_marked(decide: Any, rows: Any) -> None:
    decide(5, "keep")
    decide(6, "keep", turn=1)
    decide(0, "keep")
    assert rows() == SELECTED | {("sample-5", "direct"): True, ("sample-6", "refine"): True}


def test_a_decision_that_was_undone_decides_nothing(decide: Any, rows: Any, reviewer: User) -> None:
    review.undo_event(decide(0, "drop").made_by, reviewer)
    assert rows() == SELECTED


def test_a_new_decision_replaces_the_standing_one(decide: Any, rows: Any) -> None:
    first = decide(0, "drop")
    second = decide(0, "keep", why="the truth is fine")
    assert list(Decision.objects.standing()) == [second]
    event = Event.objects.filter(verb="review.decide").last()
    assert event is not None
    assert (event.before, event.why) == ({"decision": first.pk, "kind": "drop"}, "the truth is fine")
    assert rows() == SELECTED


def test_a_dropped_sample_is_not_sampled_again_until_that_is_undone(
    run: Run, decide: Any, rows: Any, hand: Any, reviewer: User
) -> None:
    dropped, pair = decide(7, "drop"), decide(0, "drop", turn=1)
    rows()
    hand.work_off()
    second = run.iterations.get(number=2)
    assert (second.pool, pair.iteration.number) == (7, 1)
    assert not Verdict.objects.filter(iteration=second, version__sample=dropped.sample).exists()
    assert Verdict.objects.filter(iteration=second, version__sample=pair.sample).count() == 2
    review.undo_event(dropped.made_by, reviewer)
    assert not assembly.direct_entrants(second).forced


def test_a_dropped_sample_does_not_count_as_selected(make_run: Callable[..., Run], hand: Any, reviewer: User) -> None:
    run = make_run(max_iterations=1)
    running.start_run(run)
    hand.work_off(1 + 2)
    iteration = run.iterations.get(number=1)
    review.decide(run, iteration, Sample.objects.get(key="sample-0"), 0, "drop", reviewer)
    hand.work_off()
    iteration.refresh_from_db()
    assert (iteration.selected_direct, iteration.selected_refine, iteration.pool) == (1, 2, 8)


@pytest.mark.parametrize("person", ["viewer", "outsider"])
def test_only_reviewers_decide_and_approve(run: Run, decide: Any, person: str, request: pytest.FixtureRequest) -> None:
    user, made = request.getfixturevalue(person), decide(0, "drop")
    iteration = run.iterations.get(number=1)
    with pytest.raises(NotPermitted):
        review.decide(run, iteration, made.sample, 0, "keep", user)
    with pytest.raises(NotPermitted):
        review.undo_event(made.made_by, user)
    with pytest.raises(NotPermitted):
        review.approve(iteration, user)
    assert list(Decision.objects.standing()) == [made]


def test_what_was_decided_twice_over_is_refused(run: Run, decide: Any, rows: Any, reviewer: User, engineer: User) -> None:
    made = decide(0, "drop")
    review.undo_event(made.made_by, reviewer)
    with pytest.raises(WrongState, match="none of it stands any more"):
        review.undo_event(made.made_by, reviewer)
    rows()
    with pytest.raises(WrongState, match="is done"):
        review.approve(run.iterations.get(number=1), engineer)


@pytest.mark.parametrize(("number", "kind", "turn"), [(0, "burn", 0), (0, "drop", 2), (8, "drop", 1)])
def test_a_decision_on_what_is_not_there_is_refused(decide: Any, number: int, kind: str, turn: int) -> None:
    with pytest.raises(InputError):
        decide(number, kind, turn)
    assert not Decision.objects.exists()


def test_a_decision_that_comes_too_late_is_refused(run: Run, decide: Any, rows: Any) -> None:
    rows()
    with pytest.raises(WrongState, match="training set of iteration 1 is frozen"):
        decide(0, "drop", turn=1)
    running.stop_run(run)
    with pytest.raises(WrongState, match="stopped"):
        decide(0, "drop")
