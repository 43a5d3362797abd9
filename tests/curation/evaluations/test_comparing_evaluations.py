"""Two evaluations item by item: the counts, the sentence, and the items that only one has right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Benchmark, Evaluation, EvaluationItem, Project, SampleVersion, User
from curation.stages.benchmark_import import import_benchmark
from curation.stages.errors import InputError
from curation.stages.evaluated import named_evaluations
from curation.stages.evaluation_items import items_of
from curation.stages.evaluations_compared import WHICH, apart_page_of, contrast_of, outcomes, pair_of
from curation.stages.scores import traced
from tests.curation.evaluations.conftest import N
from tests.curation.evaluations.made_up import items, learner, wavering
from toolcalls.benchmarks.catalogue import Benchmark as Read
from toolcalls.strategies import STRATEGIES, Strategy, chosen

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def two(make_evaluation: Callable[..., Evaluation]) -> tuple[Evaluation, Evaluation]:
    made = make_evaluation(learner(3), "Three"), make_evaluation(learner(8), "Eight")
    first, second = (named_evaluations(Evaluation.objects.filter(pk=one.pk)).get() for one in made)
    return first, second


def right(evaluation: Evaluation, strategy: Strategy) -> dict[str, bool]:
    return {one.id: one.right[chosen(strategy, one, N)] for one in traced(items_of(evaluation))}


def test_another_n_is_told_wherever_a_strategy_refines(client: Client, two: tuple[Evaluation, Evaluation], viewer: User) -> None:
    client.force_login(viewer)
    run, note, asked = two[1].iteration.run, "Not the same n", {"evaluation": [one.pk for one in two]}
    page = client.get(reverse("evaluation_compare"), asked).content.decode()
    assert page.count(f"n = {N}<") == 2 and note not in page
    run.settings["refine_turns"] = 1
    run.save()
    page = client.get(reverse("evaluation_compare"), asked).content.decode()
    assert f"{note}: the first refines at most {N} times, the second at most 1 time; each is compared at its own." in page
    direct = client.get(reverse("evaluation_compare"), {**asked, "strategy": "direct"}).content.decode()
    assert note not in direct and "n = 1<" in direct
    told = client.get(f"/api/v1/evaluations/{two[0].pk}/compared-with/{two[1].pk}").json()
    assert (told["first_n"], told["second_n"], told["note"].startswith(note)) == (N, 1, True)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_items_are_counted_and_listed_by_who_has_them_right(
    make_evaluation: Callable[..., Evaluation], strategy: Strategy
) -> None:
    two = make_evaluation(learner(6), "Six"), make_evaluation(wavering, "Wavering")
    pair = pair_of(*two, strategy)
    first, second = (right(one, strategy) for one in two)
    contrast = contrast_of(pair)
    for which, wanted in WHICH.items():
        expected = {key for key in first if (first[key], second[key]) == wanted}
        counted = sum(getattr(each.counts, f"only_{which}") for each in contrast.categories.values())
        assert counted == len(expected)
        listed, after = set(), ""
        while True:
            page = apart_page_of(pair, which, after=after, limit=3)
            listed |= {one.first.version.sample.key for one in page.rows}
            assert all(one.first.version_id == one.second.version_id for one in page.rows)
            assert all((one.first.stands_right, one.second.stands_right) == wanted for one in page.rows)
            if page.next is None:
                break
            after = str(page.next)
        assert expected and listed == expected
    assert [tuple(each) for each in outcomes(pair)] == [
        (key, key.rpartition("_")[0], first[key], second[key]) for key in sorted(first)
    ]


def test_the_page_says_in_a_sentence_which_is_better(
    client: Client, two: tuple[Evaluation, Evaluation], viewer: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(viewer)
    with django_assert_max_num_queries(10):
        page = client.get(reverse("evaluation_compare"), {"evaluation": [one.pk for one in two]}).content.decode()
    assert "the second is better." in page and ">a gain</span>" in page
    turned = client.get(reverse("evaluation_compare"), {"evaluation": [one.pk for one in reversed(two)]}).content.decode()
    assert "the second is worse." in turned
    direct = {"evaluation": [one.pk for one in two], "strategy": "direct", "which": "second", "category": "multiple"}
    listed = client.get(reverse("evaluation_compare"), direct).content.decode()
    assert "multiple_" in listed and "parallel_0" not in listed
    vanilla = {"evaluation": [one.pk for one in two], "strategy": "vanilla"}
    with django_assert_max_num_queries(12):
        page = client.get(reverse("evaluation_compare"), vanilla).content.decode()
    assert "Vanilla self-refine: of " in page and "the second is better." in page


def test_one_evaluation_is_a_place_to_choose_another(client: Client, two: tuple[Evaluation, Evaluation], viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(reverse("evaluation_compare"), {"evaluation": [two[0].pk, ""]}).content.decode()
    assert "Choose the evaluation to compare" in page and f'<option value="{two[1].pk}"' in page


def test_items_that_only_one_was_asked_are_left_out_and_told(
    client: Client, two: tuple[Evaluation, Evaluation], viewer: User
) -> None:
    items_of(two[1]).filter(version__category="live_simple").delete()
    two[1].total -= 5
    two[1].save()
    assert contrast_of(pair_of(*two, "adaptive")).only_first == 5
    client.force_login(viewer)
    page = client.get(reverse("evaluation_compare"), {"evaluation": [one.pk for one in two]}).content.decode()
    assert "Items not compared: 5 that only the first has." in page


def test_an_item_that_was_changed_between_revisions_is_another_one(two: tuple[Evaluation, Evaluation]) -> None:
    item = items_of(two[1]).filter(version__sample__key="multiple_0").select_related("version").get()
    old = item.version
    changed = SampleVersion(sample=old.sample, number=2, sha256="3" * 64, content=old.content, category=old.category)
    changed.save()
    EvaluationItem.objects.filter(pk=item.pk).update(version=changed)
    pair = pair_of(*two, "vanilla")
    assert (contrast_of(pair).only_first, contrast_of(pair).only_second) == (1, 1)
    told = [(each.first is None, each.second is None) for each in outcomes(pair) if each.key == "multiple_0"]
    assert sorted(told) == [(False, True), (True, False)]


def test_the_same_benchmark_of_two_projects_is_compared_by_the_items_ids(
    two: tuple[Evaluation, Evaluation], benchmark: Benchmark
) -> None:
    dataset = benchmark.revision.dataset
    elsewhere = Project.objects.create(team=dataset.project.team, slug="elsewhere", name="Elsewhere")
    copied = import_benchmark(elsewhere, "bfcl", Read("bfcl", tuple(items()), (), "2" * 64)).benchmark
    there = dict(copied.revision.entries.values_list("version__sample__key", "version"))
    expected = contrast_of(pair_of(*two, "adaptive"))
    for item in items_of(two[1]).select_related("version__sample"):
        EvaluationItem.objects.filter(pk=item.pk).update(revision=copied.revision, version=there[item.version.sample.key])
    Evaluation.objects.filter(pk=two[1].pk).update(revision=copied.revision)
    pair = pair_of(two[0], named_evaluations(Evaluation.objects.filter(pk=two[1].pk)).get(), "adaptive")
    assert contrast_of(pair) == expected
    assert all(each.first is not None and each.second is not None for each in outcomes(pair))
    assert {one.second.version.sample.dataset_id for one in apart_page_of(pair, "second").rows} == {copied.revision.dataset_id}


def test_an_evaluation_is_not_compared_with_itself(two: tuple[Evaluation, Evaluation]) -> None:
    with pytest.raises(InputError, match="twice"):
        pair_of(two[0], two[0], "direct")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"evaluation": ["x"]},
        {"evaluation": ["1", "2", "3"]},
        {"evaluation": ["{one}"], "strategy": "guess"},
        {"evaluation": ["{one}", "{two}"], "after": "x"},
    ],
)
def test_what_cannot_be_compared_is_refused(
    client: Client, two: tuple[Evaluation, Evaluation], viewer: User, asked: dict[str, Any]
) -> None:
    client.force_login(viewer)
    numbers = {"{one}": two[0].pk, "{two}": two[1].pk}
    filled = {**asked, "evaluation": [numbers.get(each, each) for each in asked.get("evaluation", [])]}
    assert client.get(reverse("evaluation_compare"), filled).status_code == 422


def test_of_a_part_of_a_benchmark_all_items_are_told_of(client: Client, two: tuple[Evaluation, Evaluation], viewer: User) -> None:
    kept = ("multiple", "parallel")
    EvaluationItem.objects.exclude(version__category__in=kept).delete()
    client.force_login(viewer)
    page = client.get(reverse("evaluation_compare"), {"evaluation": [one.pk for one in two]}).content.decode()
    counts = [each.counts for each in contrast_of(pair_of(*two, "adaptive")).categories.values()]
    assert "All items alike" in page and f"of {sum(each.total for each in counts)} items" in page
    assert f"{sum(each.only_second for each in counts)} are right only in the second" in page
