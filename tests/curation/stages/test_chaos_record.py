"""What bench.chaos says of a run that lacks rows, or has some too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.chaos.record import amiss
from curation.models import EvaluationItem, Generation, Run, Verdict
from curation.stages import running

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def finished(make_run: Callable[..., Run], hand: Any) -> Run:
    made = make_run(max_iterations=1)
    running.start_run(made)
    hand.work_off()
    made.refresh_from_db()
    return made


def test_a_run_has_what_was_asked_for_and_nothing_else(finished: Run) -> None:
    assert list(amiss(finished)) == []
    assert Generation.objects.filter(turn=1).exists()


def test_lost_rows_and_those_that_nobody_asked_for_are_counted(finished: Run) -> None:
    direct = Generation.objects.filter(turn=0)
    Generation.objects.filter(turn=1, attempt=0).update(attempt=99)
    refined = Generation.objects.filter(attempt=99).count()
    lost, whole = direct.filter(attempt=1).count(), Generation.objects.count()
    direct.filter(attempt=1).delete()
    Verdict.objects.filter(pk=Verdict.objects.values_list("pk", flat=True)[0]).delete()
    verdicts, items = Verdict.objects.count(), EvaluationItem.objects.count()
    EvaluationItem.objects.filter(pk=EvaluationItem.objects.values_list("pk", flat=True)[0]).delete()
    assert list(amiss(finished)) == [
        f"{lost + refined} of {whole} generations are lost",
        f"{refined} generations are there that nobody asked for",
        f"1 of {verdicts + 1} verdicts are lost",
        f"1 of {items} evaluations are lost",
    ]
