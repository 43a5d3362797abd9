"""The iteration page says what the rows say: funnel, hits, what was learned and forgotten, scores, manifest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Checkpoint, Iteration, Run, Sample, TrainingSet, User, Verdict
from curation.pages.counts import counts
from curation.pages.scores_by_category import category_scores
from curation.stages import running
from curation.stages.review import decide

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def done(make_run: Callable[..., Run], hand: Any) -> Run:
    """A run that was driven to its end: each iteration solves more samples than the one before."""
    run = make_run(max_iterations=2)
    running.start_run(run)
    hand.work_off()
    run.refresh_from_db()
    assert run.state == "completed"
    return run


def test_the_funnel_is_what_was_selected_and_trained(done: Run) -> None:
    first = done.iterations.get(number=1)
    frozen = TrainingSet.objects.get(iteration=first)
    funnel = {step.label: step.count for step in counts(first).funnel}
    assert funnel == {
        "pool": first.pool,
        "selected direct": first.selected_direct,
        "selected refine pairs": first.selected_refine,
        "decided by people": 0,
        "trained": frozen.direct + frozen.refine,
    }


def test_the_histogram_counts_each_sample_once_and_leads_to_the_pool(done: Run) -> None:
    first = done.iterations.get(number=1)
    direct, refine = counts(first).histograms
    verdicts = Verdict.objects.filter(iteration=first)
    assert [one.hits for one in direct.bins] == [0, 1, 2]  # k = 2
    assert sum(one.count for one in direct.bins) == verdicts.direct().count()
    assert sum(one.count for one in direct.bins if one.hits) == first.selected_direct
    assert sum(one.count for one in refine.bins if one.hits) == first.selected_refine
    assert direct.bins[1].url == reverse("pool", args=[done.pk, 1]) + "?hits=1"
    assert refine.bins[1].url == reverse("pairs", args=[done.pk, 1]) + "?hits=1"


def test_learned_kept_and_forgotten_are_against_the_iteration_before(done: Run) -> None:
    second = done.iterations.get(number=2)
    hit = dict(Verdict.objects.filter(iteration__run=done, iteration__number=1, turn=0).values_list("sample", "approximate_hits"))
    lost = next(sample for sample, hits in hit.items() if hits)
    Verdict.objects.filter(iteration=second, turn=0, sample=lost).update(approximate_hits=0, exact_hits=0)
    now = dict(Verdict.objects.filter(iteration=second, turn=0).values_list("sample", "approximate_hits"))
    found = {change.name: change.count for change in counts(second).changes}
    assert found == {
        "kept": sum(1 for sample, hits in now.items() if hits and hit[sample]),
        "learned": sum(1 for sample, hits in now.items() if hits and not hit[sample]),
        "forgotten": 1,
        "missed": sum(1 for sample, hits in now.items() if not hits and not hit[sample]),
    }
    assert found["learned"] and found["missed"]
    assert counts(done.iterations.get(number=1)).changes == ()  # the base before it selected nothing


def test_scores_add_up_over_the_categories(done: Run) -> None:
    scores = category_scores(done.iterations.get(number=1))
    assert scores[0].category in ("all", "simple")
    assert sum(row.samples for row in scores if row.category != "all") in (0, done.revision.heldout)
    assert scores[0].direct.value == 1.0 and scores[0].direct.change == 0.0  # the hand answers every held-out sample rightly
    assert category_scores(done.iterations.get(number=0))[0].direct.change is None


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_iteration_has_its_page_with_few_queries(
    client: Client, done: Run, viewer: User, number: int, django_assert_max_num_queries: Any
) -> None:
    client.force_login(viewer)
    with django_assert_max_num_queries(21):
        page = client.get(reverse("iteration", args=[done.pk, number])).content.decode()
    assert f"<h1>Iteration {number}</h1>" in page
    if number:
        assert Checkpoint.objects.get(iteration__run=done, iteration__number=number, kind="adapter").sha256 in page
        assert TrainingSet.objects.get(iteration__run=done, iteration__number=number).sha256 in page


def test_fragments_answer_alone_and_strangers_get_none(client: Client, done: Run, viewer: User, outsider: User) -> None:
    names = ("iteration", "iteration_live", "iteration_results")
    client.force_login(viewer)
    for name in names:
        assert client.get(reverse(name, args=[done.pk, 1])).status_code == 200
        assert client.get(reverse(name, args=[done.pk, 9])).status_code == 404
    client.force_login(outsider)
    assert {client.get(reverse(name, args=[done.pk, 1])).status_code for name in names} == {404}


def test_a_running_iteration_is_followed_and_its_decisions_are_counted(
    client: Client, make_run: Callable[..., Run], hand: Any, engineer: User, viewer: User
) -> None:
    run = make_run(review="required")
    running.start_run(run)
    hand.work_off()
    iteration = Iteration.objects.get(run=run, number=1)
    sample = Sample.objects.filter(verdicts__iteration=iteration, verdicts__turn=0).first()
    decide(run, iteration, sample, 0, "drop", engineer)
    client.force_login(viewer)
    page = client.get(reverse("iteration", args=[run.pk, 1])).content.decode()
    assert "waits for approval" in page and "1 drop" in page
    assert f'data-live="run:{run.pk}"' in page
    assert 'id="act-approve"' not in page
    client.force_login(engineer)
    assert 'id="act-approve"' in client.get(reverse("iteration_live", args=[run.pk, 1])).content.decode()
