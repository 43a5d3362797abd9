"""The items of an evaluation: filters find what they say, their numbers agree with the lists, and a page's queries are few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Evaluation, EvaluationItem, User
from curation.stages.errors import InputError
from curation.stages.evaluation_items import (
    ItemFilter,
    beside,
    item_facets,
    item_filter_from,
    item_page_of,
    items_matching,
    items_of,
)
from curation.stages.scores import traced
from tests.curation.evaluations.conftest import N
from tests.curation.evaluations.made_up import SIZES, wavering
from toolcalls.strategies import STRATEGIES, chosen

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def evaluation(make_evaluation: Callable[..., Evaluation]) -> Evaluation:
    return make_evaluation()


def keys(rows: Any) -> set[str]:
    return set(rows.values_list("version__sample__key", flat=True))


def test_a_filter_finds_the_items_whose_answers_are_so(evaluation: Evaluation) -> None:
    everything = list(items_of(evaluation).select_related("version__sample"))
    assert len(everything) == sum(SIZES.values())
    fixed = {one.version.sample.key for one in everything if one.adaptive_right and not one.direct_right}
    assert fixed and keys(items_matching(evaluation, ItemFilter(change="fixed"))) == fixed
    broken = {one.version.sample.key for one in everything if one.direct_right and not one.adaptive_right}
    assert broken and keys(items_matching(evaluation, ItemFilter(change="broken"))) == broken
    name = "value_error:string"
    first = {one.version.sample.key for one in everything if one.error_types[0] == name}
    assert first and keys(items_matching(evaluation, ItemFilter(error=name))) == first
    last = {one.version.sample.key for one in everything if one.error_types[one.turns] == name}
    assert last and keys(items_matching(evaluation, ItemFilter(left=name))) == last
    both = ItemFilter(error=name, left=name, category="simple_python", turns="1", direct="wrong", adaptive="wrong")
    found = items_matching(evaluation, both).select_related("version__sample")
    assert keys(found) == {key for key in first & last if key.startswith("simple_python")} - fixed


def test_what_any_strategy_gets_right_is_found_and_counted(make_evaluation: Callable[..., Evaluation]) -> None:
    evaluation = make_evaluation(wavering, "Wavering")
    traces, found = list(traced(items_of(evaluation))), set()
    for strategy in STRATEGIES:
        right = {one.id for one in traces if one.right[chosen(strategy, one, N)]}
        only: Any = {strategy: "right"}
        assert keys(items_matching(evaluation, ItemFilter(**only))) == right
        counts = item_facets(evaluation, ItemFilter()).counts[strategy]
        assert counts == {"right": len(right), "wrong": len(traces) - len(right)}
        found.add(frozenset(right))
    assert len(found) == len(STRATEGIES)  # no two of them get the same right


def test_strategies_are_offered_as_filters_where_they_can_differ(client: Client, evaluation: Evaluation, viewer: User) -> None:
    client.force_login(viewer)
    address = reverse("evaluation_items", args=[evaluation.pk])
    assert f"{address}?vanilla=wrong" in client.get(address).content.decode()
    run = evaluation.iteration.run
    run.settings["refine_turns"] = 1
    run.save()
    page = client.get(address).content.decode()
    assert f"{address}?adaptive=wrong" in page and "vanilla" not in page
    items_of(evaluation).update(right=None, error_types=None, majority=None)
    run.settings["refine_turns"] = N
    run.save()
    page = client.get(address).content.decode()  # of before answers were judged one by one
    assert f"{address}?adaptive=wrong" in page and "vanilla" not in page


def test_every_number_beside_a_filter_is_the_length_of_the_list_that_it_leads_to(evaluation: Evaluation) -> None:
    f = ItemFilter(adaptive="wrong")
    facets = item_facets(evaluation, f)
    assert facets.total == items_matching(evaluation, f).count()
    for name, counts in facets.counts.items():
        for value, number in counts.items():
            chosen: Any = {"adaptive": "wrong", name: value}
            assert items_matching(evaluation, ItemFilter(**chosen)).count() == number, (name, value)
    assert Counter(facets.counts["left"]).total() == facets.total


def test_a_search_finds_words_of_the_question_and_of_the_truth(evaluation: Evaluation) -> None:
    found = keys(items_matching(evaluation, ItemFilter(q="seoul")))
    assert found and all("Seoul" in str(one.version.content) for one in items_of(evaluation) if one.version.sample.key in found)
    assert item_facets(evaluation, ItemFilter(q="seoul")).total == len(found)


def test_pages_follow_each_other_and_so_do_neighbours(evaluation: Evaluation) -> None:
    f, after, seen = ItemFilter(direct="wrong"), "", []
    while True:
        page = item_page_of(evaluation, f, after=after, limit=4)
        seen += page.rows
        if page.next is None:
            break
        after = str(page.next)
    assert {one.pk for one in seen} == set(items_matching(evaluation, f).values_list("pk", flat=True))
    samples = [one.version.sample_id for one in seen]
    middle = seen[3]
    assert beside(evaluation, f, middle.version_id) == (samples[2], samples[4])
    assert beside(evaluation, f, seen[0].version_id) == (None, samples[1])


@pytest.mark.parametrize(
    "params",
    [{"colour": ["red"]}, {"direct": ["maybe"]}, {"turns": ["-1"]}, {"error": ["x" * 100]}, {"direct": ["right", "wrong"]}],
)
def test_what_is_no_filter_is_refused(params: dict[str, list[str]]) -> None:
    with pytest.raises(InputError):
        item_filter_from(params)


def test_the_list_leads_to_its_items_and_takes_few_queries(
    client: Client, evaluation: Evaluation, viewer: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(viewer)
    address = reverse("evaluation_items", args=[evaluation.pk])
    with django_assert_max_num_queries(7):
        page = client.get(f"{address}?change=fixed").content.decode()
    for one in items_matching(evaluation, ItemFilter(change="fixed")).select_related("version__sample"):
        assert f"{address}{one.version.sample_id}/?change=fixed" in page
    rows = client.get(f"{address}?after=1", headers={"HX-Request": "true", "HX-Target": "more"}).content.decode()
    assert "<html" not in rows and "verdict" in rows
    assert client.get(f"{address}?colour=red").status_code == 422


def test_an_item_shows_each_answer_with_the_official_verdict_and_why(
    client: Client, evaluation: Evaluation, viewer: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(viewer)
    wrong: EvaluationItem = items_matching(evaluation, ItemFilter(error="simple_function_checker:missing_required")).first()
    with django_assert_max_num_queries(9):
        page = client.get(reverse("evaluation_item", args=[evaluation.pk, wrong.version.sample_id])).content.decode()
    assert "simple_function_checker:missing_required" in page
    assert "Missing required parameter: &#x27;days&#x27;." in page  # the official scorer's own sentence
    assert "adaptive stops here" in page and "self-consistency gives this" in page and "7 → 3 tokens" in page
    assert client.get(reverse("evaluation_item", args=[evaluation.pk, 10**6])).status_code == 404


def test_an_answer_of_before_each_was_judged_is_called_wrong_only_where_that_is_known(
    client: Client, evaluation: Evaluation, viewer: User
) -> None:
    client.force_login(viewer)
    items_of(evaluation).update(right=None, error_types=None, majority=None)
    sample = items_matching(evaluation, ItemFilter(change="fixed", turns="3")).values_list("version__sample", flat=True)[0]
    page = client.get(reverse("evaluation_item", args=[evaluation.pk, sample])).content.decode()
    told = [each[:60] for each in page.split('<li class="group ')[1:]]  # A0 is wrong, A1 another, A2 and A3 are right
    assert [each.partition('"')[0] for each in told] == ["miss", "", "good", "good"]
    assert page.count(">not judged<") == 1


def test_reviewers_comment_on_an_item_and_the_list_tells(
    client: Client, evaluation: Evaluation, reviewer: User, viewer: User
) -> None:
    run, (sample,) = evaluation.iteration.run, items_of(evaluation).values_list("version__sample")[0]
    address = reverse("evaluation_item", args=[evaluation.pk, sample])
    client.force_login(reviewer)
    assert f'action="{reverse("comment_new", args=[run.pk])}"' in client.get(address).content.decode()
    posted = {"sample": sample, "text": "<b>Is</b> that so?", "next": address}
    assert client.post(reverse("comment_new", args=[run.pk]), posted).headers["Location"] == address
    assert "&lt;b&gt;Is&lt;/b&gt; that so?" in client.get(address).content.decode()
    list_address = reverse("evaluation_items", args=[evaluation.pk])
    assert client.get(list_address).content.decode().count('title="1 comment"') == 1
    client.force_login(viewer)
    seen = client.get(address).content.decode()
    assert "that so?" in seen and 'name="text"' not in seen
    assert client.post(reverse("comment_new", args=[run.pk]), posted).status_code == 403


def test_nobody_elses_items_are_shown(client: Client, evaluation: Evaluation, outsider: User) -> None:
    client.force_login(outsider)
    for name in ("evaluation", "evaluation_items"):
        assert client.get(reverse(name, args=[evaluation.pk])).status_code == 404
    assert client.get(reverse("evaluation_compare"), {"evaluation": evaluation.pk}).status_code == 404
