"""Evaluations over REST: lists, a report as JSON and CSV, items, comparisons, and one that is begun."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from curation.models import Benchmark, Evaluation, Run, User
from curation.stages import running
from toolcalls.benchmarks.catalogue import Benchmark as Read

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def benchmark(import_one: Callable[..., Benchmark], made_benchmark: Callable[..., Read]) -> Benchmark:
    return import_one(made_benchmark(3, irrelevant=1))


@pytest.fixture
def run(make_run: Callable[..., Run], benchmark: Benchmark, hand: Any) -> Run:
    made = make_run(benchmarks=[benchmark], max_iterations=1, refine_turns=2)
    running.start_run(made)
    hand.work_off()
    return made


def test_benchmarks_and_evaluations_are_listed(by_token: Any, viewer: User, run: Run, benchmark: Benchmark) -> None:
    get, place = by_token(viewer).get, f"/projects/{run.project.team.slug}/{run.project.slug}"
    (listed,) = get(f"{place}/benchmarks").json()["items"]
    assert (listed["slug"], listed["benchmark"], listed["revision"], listed["items"]) == ("bfcl", "bfcl", 1, 4)
    assert (listed["digest"], listed["changed"], listed["prompts"]) == (benchmark.digest, False, "paper")
    everything = get(f"{place}/evaluations").json()["items"]
    assert [(one["iteration"], one["benchmark"]) for one in everything].count((1, "bfcl")) == 1
    assert len(everything) == 4 == len(get(f"{place}/evaluations?run={run.pk}").json()["items"])
    official = get(f"{place}/evaluations?benchmark=bfcl").json()["items"]
    assert [one["model"] for one in official] == [f"{run.name}, iteration 1", "tiny"]
    assert get(f"{place}/evaluations?run=999").json()["items"] == []
    assert get(f"/runs/{run.pk}").json()["benchmarks"] == ["bfcl r1"]
    assert {one["slug"]: one["benchmark"] for one in get(f"{place}/datasets").json()["items"]} == {"bfcl": "bfcl", "weather": ""}


def test_a_report_is_json_or_a_table(by_token: Any, viewer: User, run: Run, benchmark: Benchmark) -> None:
    get = by_token(viewer).get
    found = Evaluation.objects.get(iteration__run=run, iteration__number=1, revision=benchmark.pk)
    report = get(f"/evaluations/{found.pk}").json()["report"]
    assert report["categories"]["simple_python"]["adaptive"]["right"] == 3
    assert report["curves"]["n"] == [1, 2]
    table = get(f"/evaluations/{found.pk}?format=csv")
    assert table["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.content.decode())))
    assert {"benchmark": "bfcl", "part": "category", "name": "irrelevance"}.items() <= rows[-1].items() or any(
        row["name"] == "irrelevance" for row in rows
    )


def test_items_are_paged_and_filtered(by_token: Any, viewer: User, run: Run, benchmark: Benchmark) -> None:
    get = by_token(viewer).get
    found = Evaluation.objects.get(iteration__run=run, iteration__number=0, revision=benchmark.pk)
    address = f"/evaluations/{found.pk}/items"
    page = get(f"{address}?limit=3").json()
    rest = get(f"{address}?limit=3&after={page['next']}").json()
    assert len({item["key"] for item in (*page["items"], *rest["items"])}) == 4 and rest["next"] is None
    (item,) = get(f"{address}?category=irrelevance&strategy=adaptive&score=right").json()["items"]
    assert (item["right"], item["stands"], item["right_by_turn"], item["error_type"]) == (True, 1, [True] * 3, None)
    assert item["prompt_tokens"] == [7, 7, 0]
    assert get(f"{address}?score=wrong").json()["items"] == []
    assert get(f"{address}?error_type=truncated").json()["items"] == []
    assert get(f"{address}?strategy=guess").status_code == 422


def test_two_evaluations_are_compared(by_token: Any, viewer: User, run: Run, benchmark: Benchmark) -> None:
    get = by_token(viewer).get
    base, trained = Evaluation.objects.filter(iteration__run=run, revision=benchmark.pk).order_by("pk")
    told = get(f"/evaluations/{base.pk}/compared-with/{trained.pk}").json()
    assert (told["items"], told["averages"] is not None, told["differing"]) == (4, True, [])
    assert told["categories"]["simple_python"]["verdict"] == "no difference that these items show"
    table = get(f"/evaluations/{base.pk}/compared-with/{trained.pk}?strategy=vanilla&format=csv").content.decode()
    assert len(table.splitlines()) == 5
    own = Evaluation.objects.own().get(iteration__run=run, iteration__number=0)
    assert get(f"/evaluations/{base.pk}/compared-with/{own.pk}").status_code == 422


def test_an_engineer_has_a_model_evaluated(
    by_token: Any, engineer: User, reviewer: User, run: Run, benchmark: Benchmark, hand: Any
) -> None:
    address = f"/projects/{run.project.team.slug}/{run.project.slug}/evaluations"
    body = {"benchmark": "bfcl", "run": run.pk, "iteration": 1, "n": 1}
    assert by_token(reviewer).post(address, body).status_code == 403
    made = by_token(engineer).post(address, body)
    assert (made.status_code, made.json()["purpose"], made.json()["state"]) == (201, "evaluation", "running")
    assert (made.json()["base"], made.json()["settings"]["refine_turns"]) == ("tiny", 1)
    hand.work_off()
    get = by_token(engineer).get
    (found,) = get(f"{address}?run={made.json()['id']}").json()["items"]
    assert (found["model"], found["direct_right"]) == (f"{run.name}, iteration 1", 4)
    place = address.removesuffix("/evaluations")
    assert [one["id"] for one in get(f"{place}/runs").json()["items"]] == [run.pk]
    assert [one["id"] for one in get(f"{place}/runs?purpose=evaluation").json()["items"]] == [made.json()["id"]]
    assert by_token(engineer).post(address, {**body, "benchmark": "weather"}).status_code == 422
    split = by_token(engineer).post(address, {**body, "benchmark": "", "dataset": "weather"})
    assert (split.status_code, split.json()["dataset"]) == (201, run.revision.dataset_id)
    for names in ({"benchmark": ""}, {"dataset": "weather"}):
        assert "name what to evaluate on" in by_token(engineer).post(address, {**body, **names}).json()["detail"]


def test_benchmarks_are_chosen_for_a_run(by_token: Any, engineer: User, run: Run) -> None:
    address = f"/projects/{run.project.team.slug}/{run.project.slug}/runs"
    body = {"dataset": "weather", "base": "tiny", "engine": "scripted", "benchmarks": ["bfcl"]}
    assert by_token(engineer).post(address, body).json()["benchmarks"] == ["bfcl r1"]
    assert by_token(engineer).post(address, {**body, "benchmarks": ["weather"]}).status_code == 422
    assert by_token(engineer).post(address, {**body, "dataset": "bfcl"}).status_code == 422


def test_evaluations_of_others_are_not_there(by_token: Any, outsider: User, run: Run) -> None:
    found = Evaluation.objects.first()
    for address in (
        f"/evaluations/{found.pk}",
        f"/evaluations/{found.pk}/items",
        f"/evaluations/{found.pk}/compared-with/{found.pk}",
    ):
        assert by_token(outsider).get(address).status_code == 404
