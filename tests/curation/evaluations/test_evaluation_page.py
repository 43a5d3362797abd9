"""The page of an evaluation: its figures are the report's, its links lead to the items, and its queries are few."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Benchmark, Evaluation, User
from curation.pages.evaluation_page import evaluation_page
from curation.pages.evaluation_scores import scores
from curation.stages.evaluated import named_evaluations
from curation.stages.evaluation_files import report_words
from curation.stages.evaluation_items import ItemFilter, items_matching
from tests.curation.evaluations.made_up import items

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def evaluation(make_evaluation: Callable[..., Evaluation]) -> Evaluation:
    return named_evaluations(Evaluation.objects.filter(pk=make_evaluation().pk)).get()


def test_the_headline_is_the_papers_average_with_an_interval(evaluation: Evaluation) -> None:
    told = evaluation.figures["averages"]["overall"]
    tiles = {tile.label: tile for tile in evaluation_page(evaluation).tiles}
    assert tiles["Overall, direct"].value == f"{100 * told['direct']:.2f} %"
    assert tiles["Overall, adaptive"].value == f"{100 * told['adaptive']:.2f} %"
    assert tiles["adaptive less direct"].value == f"{100 * (told['adaptive'] - told['direct']):+.2f}"
    assert re.fullmatch(r"\(\d+\.\d to \d+\.\d\)", tiles["Overall, direct"].change)
    refined = evaluation.figures["refinement"]
    assert tiles["P(change | right)"].value == f"{refined['change_given_right']:.3f}"
    assert tiles["tokens for a point gained"].value == f"{refined['tokens_per_point']:,.0f}"


def test_every_category_says_what_refining_fixed_and_broke(evaluation: Evaluation) -> None:
    rows = [row for row in scores(evaluation, "bfcl").rows if not row.average]
    assert [row.name for row in rows if row.beside] == ["irrelevance"]
    for row in rows:
        for kind, number in (("fixed", row.change.counts.only_second), ("broken", row.change.counts.only_first)):
            assert items_matching(evaluation, ItemFilter(change=kind, category=row.name)).count() == number
        told = evaluation.figures["categories"][row.name]
        assert (row.direct.value, row.adaptive.value) == (told["direct"]["accuracy"], told["adaptive"]["accuracy"])
        assert row.direct.interval == (told["direct"]["low"], told["direct"]["high"])


def test_a_part_of_a_benchmark_has_no_average_of_the_papers(evaluation: Evaluation) -> None:
    items_matching(evaluation, ItemFilter(category="simple_java")).delete()
    rows = scores(evaluation, "bfcl").rows
    assert rows[0].name == "All items alike" and rows[0].change.counts.total == sum(
        item.category not in ("simple_java", "irrelevance") for item in items()
    )
    assert "Overall" not in [row.name for row in rows]


def test_the_page_takes_few_queries_and_shows_the_settings(
    client: Client, evaluation: Evaluation, viewer: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(viewer)
    with django_assert_max_num_queries(6):
        page = client.get(reverse("evaluation", args=[evaluation.pk])).content.decode()
    for words in ("Refine turns n", "as published", "the benchmark&#x27;s own scorer", "Benchmark sha256", "Overall as a table"):
        assert words in page
    for name, number in evaluation.figures["errors"]["adaptive"].items():
        address = f"{reverse('evaluation_items', args=[evaluation.pk])}?left={name.replace(':', '%3A')}"
        assert f'<a href="{address}">{number}</a>' in page


@pytest.mark.parametrize(("wrong", "words"), [(True, "counts as wrong"), (False, "is left out of every figure")])
def test_missing_outputs_are_always_told(client: Client, evaluation: Evaluation, viewer: User, wrong: bool, words: str) -> None:
    evaluation.figures |= {"missing": {"multiple": 1, "parallel": 0}, "missing_wrong": wrong}
    told = {"answers": 44, "failed": 0, "passed_over": {}, "missing": {"multiple": 1}, "missing_wrong": wrong}
    evaluation.outputs = {"source": "results.json", "sha256": "3" * 64, "mode": "prompt", **told}
    evaluation.save()
    client.force_login(viewer)
    page = client.get(reverse("evaluation", args=[evaluation.pk])).content.decode()
    assert "1 item has no output" in page and words in page and "multiple 1." in page
    assert "published outputs" in page and "results.json, mode prompt" in page


def test_an_evaluation_from_before_there_were_figures_is_shown(client: Client, evaluation: Evaluation, viewer: User) -> None:
    Evaluation.objects.filter(pk=evaluation.pk).update(figures=None)
    items_matching(evaluation, ItemFilter()).update(right=None, error_types=None, prompt_tokens=None, completion_tokens=None)
    client.force_login(viewer)
    page = client.get(reverse("evaluation", args=[evaluation.pk])).content.decode()
    assert "Direct against adaptive" in page and "By refine turns" not in page
    sample = items_matching(evaluation, ItemFilter()).values_list("version__sample", flat=True)[0]
    assert client.get(reverse("evaluation_item", args=[evaluation.pk, sample])).status_code == 200


def test_the_report_in_words_says_first_which_files_are_not_as_published(evaluation: Evaluation) -> None:
    assert report_words(evaluation).startswith("bfcl: 45 items, accuracy in percent")
    files = [{"name": name, "sha256": "1" * 64, "known": name == "a.json"} for name in ("c.json", "b.json", "a.json")]
    Benchmark.objects.filter(pk=evaluation.revision_id).update(files=files, changed=True)
    found = named_evaluations(Evaluation.objects.filter(pk=evaluation.pk)).get()
    assert report_words(found).startswith("bfcl r1: not the known files: b.json, c.json\nbfcl: 45 items,")
