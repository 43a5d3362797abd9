"""What reads a whole iteration looks at rows in proportion to the pool: counted, not timed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.web.seeding import seed
from curation.models import Iteration
from curation.stages import entering, selection

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]
SAMPLES, MOST = 200, 12  # of the small pool; times the rows for ten times the pool


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def looked_at(work: Callable[[Iteration], object], iteration: Iteration) -> float:
    """Rows that the queries of `work` read or threw away, each as often as that was done."""
    with CaptureQueriesContext(connection) as asked:
        work(iteration)
    rows = 0.0
    for query in asked:
        _, found, words = query["sql"].partition("SELECT")
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {found}{words}".replace("%", "%%"))
            (plans,) = cursor.fetchone()
        for node in nodes((json.loads(plans) if isinstance(plans, str) else plans)[0]["Plan"]):
            thrown = sum(count for name, count in node.items() if name.startswith("Rows Removed"))
            rows += node["Actual Loops"] * (node["Actual Rows"] + thrown)
    return rows


@pytest.mark.parametrize("work", [selection.count, entering.direct_entrants, entering.refine_entrants])
def test_ten_times_the_pool_is_about_ten_times_the_rows(work: Callable[[Iteration], object]) -> None:
    found = []
    for samples in (SAMPLES, 10 * SAMPLES):
        made = seed(samples=samples, k=2, iterations=1, attempts=False)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE curation_verdict, curation_decision, curation_revisionentry, curation_refinepair")
        found.append(looked_at(work, Iteration.objects.select_related("run__revision").get(pk=made.iterations[-1])))
    assert found[1] <= MOST * found[0]
