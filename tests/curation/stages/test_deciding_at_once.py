"""Deciding at once: two people on one sample, on overlapping filters, and beside the loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from django.db import connection, transaction

from curation.models import Decision, Run, Sample, User, Verdict
from curation.stages import assembly, loop, review, running
from curation.stages.errors import WrongState
from curation.stages.filtering import VerdictFilter

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

POOL = VerdictFilter(0)


class Aside(threading.Thread):
    """A call in a thread with a connection of its own; `outcome` is what it returned or raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.call, self.outcome = call, None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self.call()
        except Exception as error:
            self.outcome = error
        finally:
            connection.close()

    def ended(self) -> Any:
        self.join(20)
        assert not self.is_alive()
        return self.outcome


def wait_until_one_waits() -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    pytest.fail("nobody waits for a lock")


def in_agreement() -> dict[str, str]:
    """The standing decisions on samples; at most one each, and what the verdicts repeat."""
    rows = list(Decision.objects.standing().filter(turn=0).values_list("sample__key", "kind"))
    assert len(rows) == len(dict(rows))
    assert dict(Verdict.objects.filter(turn=0).exclude(decision="").values_list("sample__key", "decision")) == dict(rows)
    return dict(rows)


@pytest.mark.parametrize("earlier", [None, "discuss"])
def test_the_second_of_two_on_one_sample_is_told_that_another_was_first(decide: Any, engineer: User, earlier: str | None) -> None:
    if earlier:
        decide(0, earlier)
    with transaction.atomic():
        decide(0, "keep")
        second = Aside(lambda: decide(0, "drop", by=engineer))
        wait_until_one_waits()
    outcome = second.ended()
    assert isinstance(outcome, WrongState)
    assert "made at the same time; look again" in str(outcome)
    assert in_agreement() == {"sample-0": "keep"}


def test_deciding_and_undoing_one_sample_at_once_leaves_one_of_the_two(decide: Any, reviewer: User, engineer: User) -> None:
    decide(0, "discuss")
    first = decide(0, "keep")
    with transaction.atomic():
        review.undo_event(first.made_by, reviewer)
        second = Aside(lambda: decide(0, "drop", by=engineer))
        wait_until_one_waits()
    assert isinstance(second.ended(), WrongState)
    assert in_agreement() == {"sample-0": "discuss"}


def test_many_people_at_once_end_in_agreement(reviewed_run: Run, decide: Any, reviewer: User, engineer: User) -> None:
    iteration = reviewed_run.iterations.get(number=1)

    def one_by_one(kind: str, by: User) -> list[Exception]:
        refused = []
        for number in (*range(8), *reversed(range(8))):
            try:
                made = decide(number, kind, by=by)
                if number % 3 == 0:
                    review.undo_event(made.made_by, by)
            except WrongState as error:
                refused.append(error)
        return refused

    def on_all(kind: str, by: User) -> list[Exception]:
        refused = []
        for _ in range(6):
            try:
                review.undo_event(review.decide_all(iteration, POOL, kind, by, expected=8), by)
                review.decide_all(iteration, POOL, kind, by, expected=8)
            except WrongState as error:
                refused.append(error)
        return refused

    everybody = [(one_by_one, "keep", reviewer), (one_by_one, "drop", engineer)]
    everybody += [(on_all, "discuss", reviewer), (on_all, "drop", engineer)]
    asides = [Aside(lambda what=what, kind=kind, by=by: what(kind, by)) for what, kind, by in everybody]
    assert [type(aside.ended()) for aside in asides] == [list] * len(asides)
    in_agreement()


def test_a_decision_does_not_wait_for_the_loop(reviewed_run: Run, decide: Any) -> None:
    with transaction.atomic():
        loop.locked(reviewed_run.pk)
        assert Aside(lambda: decide(0, "drop").kind).ended() == "drop"
        assert Aside(lambda: decide(1, "drop", turn=1).kind).ended() == "drop"


def test_a_pairs_decision_is_read_by_the_assembly_or_refused(reviewed_run: Run, decide: Any, engineer: User, hand: Any) -> None:
    iteration = reviewed_run.iterations.get(number=1)
    with transaction.atomic():
        decide(0, "drop", turn=1)
        approved = Aside(lambda: review.approve(iteration, engineer))
        wait_until_one_waits()  # the loop opens the assembly once this decision is there
    approved.ended()
    hand.work_off(1)
    entered = iteration.training_set.rows.filter(kind="refine").values_list("version__sample__key", flat=True)
    assert sorted(entered) == ["sample-1", "sample-2"]


def test_a_drop_is_read_by_the_assembly_that_it_came_before(reviewed_run: Run, decide: Any, engineer: User, hand: Any) -> None:
    iteration = reviewed_run.iterations.get(number=1)
    review.approve(iteration, engineer)
    claim = hand.claim()
    with transaction.atomic():
        decide(0, "drop")
        frozen = Aside(lambda: assembly.store(claim))
        wait_until_one_waits()
    assert frozen.ended().direct == 1
    assert set(iteration.training_set.rows.values_list("version__sample__key", flat=True)) == {"sample-1", "sample-2"}


def test_verdicts_that_were_written_while_somebody_decided_are_settled(
    make_run: Callable[..., Run], hand: Any, reviewer: User
) -> None:
    run = make_run(max_iterations=1)
    running.start_run(run)
    hand.work_off(2)  # the base's evaluation, and one of two shards of the sampling
    iteration = run.iterations.get(number=1)
    keys = list(Verdict.objects.filter(iteration=iteration).values_list("sample__key", flat=True))
    assert len(keys) == 4
    dropped, kept = Sample.objects.get(key=keys[0]), Sample.objects.get(key=keys[1])
    review.decide(run, iteration, dropped, 0, "drop", reviewer)
    Verdict.objects.filter(sample=dropped).update(decision="")  # as its shard left it, having read no decision yet
    Verdict.objects.filter(sample=kept).update(decision="keep")  # … or one that was undone since
    hand.work_off(1)
    assert in_agreement() == {keys[0]: "drop"}
