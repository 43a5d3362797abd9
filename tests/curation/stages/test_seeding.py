"""The database that the benches of the site look at: deterministic, and such that the site's own counts hold."""

from __future__ import annotations

from typing import Any

import pytest

from bench import scale
from bench.web.seeding import Seeded, seed
from curation.models import Decision, EvaluationItem, Generation, Iteration, RefinePair, Run, SampleWords, Verdict
from curation.stages import selection

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

COLUMNS = ("version__sample__key", "iteration__number", "turn", "outcome", "approximate_hits", "other_answer", "decision")


def rows_of(made: Seeded) -> list[Any]:
    return sorted(Verdict.objects.filter(iteration__in=made.iterations).values_list(*COLUMNS), key=str)


def test_the_same_arguments_seed_the_same_rows() -> None:
    first, second = (seed(samples=100, k=3, iterations=2, seed=7) for _ in range(2))
    assert first.run != second.run
    assert rows_of(first) == rows_of(second)
    assert rows_of(first) != rows_of(seed(samples=100, k=3, iterations=2, seed=8))


def test_the_counts_add_up() -> None:
    made = seed(samples=100, k=3, iterations=2)
    last = Iteration.objects.get(pk=made.iterations[-1])
    assert Generation.objects.filter(iteration=last.pk, turn=0).count() == 300
    assert Verdict.objects.filter(turn=0).count() == 200
    assert RefinePair.objects.filter(iteration=last).count() == Verdict.objects.filter(iteration=last, turn=1).count()
    assert SampleWords.objects.count() == 102
    assert EvaluationItem.objects.filter(iteration=last).count() == 2
    assert Decision.objects.standing().count() == 2
    assert Run.objects.get(pk=made.run).state == "running"
    Decision.objects.all().delete()
    counted = selection.count(last)
    assert (last.selected_direct, last.selected_refine) == (
        counted.direct,
        Verdict.objects.filter(iteration=last).selected().refine().count(),
    )


def test_the_bench_of_scale_writes_every_attempt_once() -> None:
    made = seed(samples=20, k=3, iterations=2, attempts=False)
    assert not Generation.objects.exists()
    opened = list(Iteration.objects.select_related("run__revision").filter(pk__in=made.iterations))
    for _ in range(2):
        written = scale.write_attempts(opened, samples=20, k=3)
    assert Generation.objects.count() == 20 * 3 * 2 * 2
    assert written["generations"] == 0, "what is there is not written again"
    per_sample = Generation.objects.filter(iteration=opened[0].pk).values_list("version_id", "turn", "attempt")
    assert len(set(per_sample)) == 20 * 2 * 3
