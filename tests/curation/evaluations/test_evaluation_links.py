"""A run's evaluations on its own pages: lines by iteration, and a link to each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Benchmark, Evaluation, Iteration, Run, User
from curation.pages.evaluation_links import benchmark_curves, evaluation_links
from curation.stages.benchmark_import import import_benchmark
from tests.curation.evaluations.made_up import items
from toolcalls.benchmarks.catalogue import Benchmark as Read

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def run(make_run: Callable[..., Run], benchmark: Benchmark, work_off: Callable[..., None]) -> Run:
    """Two iterations, evaluated on a benchmark each."""
    made = make_run(benchmarks=[benchmark], max_iterations=1, refine_turns=3, shard_samples=20)
    work_off(made)
    return made


def test_a_run_draws_its_benchmarks_by_iteration(client: Client, run: Run, viewer: User) -> None:
    curves = benchmark_curves(run)
    assert curves is not None and curves.names == ("BFCL",) and [number for number, _ in curves.rows] == [0, 1]
    found = Evaluation.objects.get(iteration__run=run, iteration__number=1, revision__dataset__benchmark="bfcl")
    cell = curves.rows[1][1][0]
    assert cell is not None and cell.adaptive == found.figures["averages"]["overall"]["adaptive"]
    assert f"BFCL, iteration 1: {100 * cell.adaptive:.2f} %." in curves.chart.summary
    client.force_login(viewer)
    for name in ("run", "run_live"):
        page = client.get(reverse(name, args=[run.pk])).content.decode()
        assert f'href="{reverse("evaluation", args=[found.pk])}"' in page and 'class="figure2"' in page


def test_an_iteration_leads_to_the_evaluations_of_its_model(client: Client, run: Run, viewer: User) -> None:
    own, official = evaluation_links(Iteration.objects.select_related("run").get(run=run, number=1))
    assert (own.name, own.own, own.direct) == ("Held-out split", True, 1.0)
    assert (official.name, official.own) == ("BFCL", False) and 0 < official.direct < official.adaptive < 1
    client.force_login(viewer)
    page = client.get(reverse("iteration", args=[run.pk, 1])).content.decode()
    assert own.href in page and official.href in page
    assert client.get(own.href).status_code == 200  # a held-out split has the same page


def test_of_a_part_of_a_benchmark_the_share_of_right_answers_is_told(run: Run) -> None:
    for one in Evaluation.objects.filter(iteration__run=run):
        one.figures["averages"] = {"overall": {"direct": None, "adaptive": None}}
        one.save()
    found = Evaluation.objects.get(iteration__run=run, iteration__number=0, revision__dataset__benchmark="bfcl")
    curves = benchmark_curves(run)
    assert curves is not None and curves.rows[0][1][0] is not None
    assert curves.rows[0][1][0].direct == found.direct_right / found.total


def test_a_run_without_benchmarks_draws_none(make_run: Callable[..., Run]) -> None:
    assert benchmark_curves(make_run()) is None


def test_two_data_sets_of_one_benchmark_have_a_line_each(
    make_run: Callable[..., Run], benchmark: Benchmark, work_off: Callable[..., None]
) -> None:
    part = import_benchmark(benchmark.revision.dataset.project, "Simple ones", Read("bfcl", tuple(items()[:9]), (), "3" * 64))
    made = make_run(benchmarks=[benchmark, part.benchmark], max_iterations=1, refine_turns=3, evaluate_base=False)
    work_off(made)
    curves = benchmark_curves(made)
    assert curves is not None and curves.names == ("BFCL", "BFCL, Simple ones")
    assert [link and link.total for link in curves.rows[0][1]] == [len(items()), 9]
