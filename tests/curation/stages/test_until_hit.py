"""Sampling mode until_hit in the record, on the pages, over REST and in exports: hits are a lower bound, and say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from django.test import Client

from curation.models import Engine, Generation, Iteration, Rejudgement, Run, User, Verdict
from curation.models import Sample as SampleRow
from curation.pages.counts import counts
from curation.pages.rejudging_page import rejudging_page
from curation.stages import correcting, export_files, exporting, filtering, rejudging, running, sampling
from curation.stages.errors import InputError
from curation.stages.jobs import WrongResults
from curation.stages.verdict_filter import VerdictFilter
from toolcalls.answers import Call
from toolcalls.records import Sample
from toolcalls.rendering import render

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]
K = 4


def answers(iteration: int, sample: Sample, turn: int, attempt: int) -> str:
    """Sample n, up to 2, is nearly right at attempt n and right after that; the rest never."""
    number, truth = int(sample.id.removeprefix("sample-")), sample.truth or ()
    if number > 2 or attempt < number:
        return '[other_tool(x="1")]'
    if attempt > number:
        return render(truth)
    return render([Call(call.name, {**call.arguments, "city": "Nowhere"}) for call in truth])


@pytest.fixture
def begin(make_run: Callable[..., Run], make_hand: Callable[..., Any]) -> Callable[..., Iteration]:
    """`begin("until_hit")`: iteration 1 of a run, sampled and refined, waiting for review."""

    def make(mode: str) -> Iteration:
        run = make_run(max_iterations=1, review="required", k=K, sampling_mode=mode)
        running.start_run(run)
        make_hand(skill=answers).work_off()
        return run.iterations.select_related("run__project__team").get(number=1)

    return make


@pytest.fixture
def iteration(begin: Callable[..., Iteration]) -> Iteration:
    return begin("until_hit")


def judged(iteration: Iteration, turn: int = 0) -> dict[str, tuple[Any, ...]]:
    rows = Verdict.objects.filter(iteration=iteration, turn=turn)
    columns = ("attempts", "approximate_hits", "first_hit", "outcome", "censored")
    return {key: rest for key, *rest in rows.order_by("sample__key").values_list("sample__key", *columns)}  # type: ignore[misc]


@pytest.mark.parametrize("turn", [0, 1])
def test_attempts_end_with_the_first_hit_and_the_verdict_says_so(iteration: Iteration, turn: int) -> None:
    found = judged(iteration, turn)
    assert [found[f"sample-{number}"] for number in range(4)] == [
        [1, 1, 0, "approximate", True],
        [2, 1, 1, "approximate", True],
        [3, 1, 2, "approximate", True],
        [K, 0, None, "wrong_tool", False],
    ]
    assert Generation.objects.filter(iteration=iteration, turn=turn).count() == 1 + 2 + 3 + 5 * K


def test_both_modes_select_the_same(iteration: Iteration, begin: Callable[..., Iteration]) -> None:
    everything = begin("all")
    assert (iteration.selected_direct, iteration.selected_refine) == (everything.selected_direct, everything.selected_refine)
    assert not any(censored for *_, censored in judged(everything).values())
    keys = [{one.sample.key for one in Verdict.objects.selected().filter(iteration=each)} for each in (iteration, everything)]
    assert keys[0] == keys[1]


def test_attempts_after_a_hit_or_too_few_before_one_are_refused(make_run: Callable[..., Run], hand: Any) -> None:
    running.start_run(make_run(max_iterations=1, k=K, sampling_mode="until_hit"))
    hand.work_off(1)
    claim, hand.skill = hand.claim(kinds=["sampling"]), answers
    given = hand.answers(claim, sampling.requests(claim), 0)
    one = next(number for number, made in given.items() if len(made) == K)
    with pytest.raises(WrongResults, match="until its first hit"):
        sampling.store(claim, {**given, one: given[one][:2]})
    hit = next(number for number, made in given.items() if len(made) == 1)
    after = replace(given[one][1], seed=next(one.seeds[1] for one in sampling.requests(claim) if one.id == str(hit)))
    with pytest.raises(WrongResults, match="until its first hit"):
        sampling.store(claim, {**given, hit: [*given[hit], after]})
    with pytest.raises(WrongResults):
        sampling.store(claim, {**given, one: []})
    assert not Verdict.objects.exists()
    sampling.store(claim, given)


def test_a_run_of_imported_answers_cannot_stop_at_a_hit(make_run: Callable[..., Run], engine: Engine) -> None:
    Engine.objects.filter(pk=engine.pk).update(kind="imported")
    engine.refresh_from_db()
    with pytest.raises(InputError, match="choose sampling_mode all"):
        make_run(sampling_mode="until_hit")


def test_pages_say_that_hits_are_a_lower_bound(iteration: Iteration, reviewer: User) -> None:
    client, below = Client(), f"/runs/{iteration.run_id}/iterations/1/"
    client.force_login(reviewer)

    def page(path: str) -> str:
        response = client.get(below + path)
        assert response.status_code == 200
        return response.content.decode()

    sample = SampleRow.objects.get(key="sample-2")
    pool = page("pool/")
    assert 'title="stopped at the first hit">≥1<span class="soft">/3</span>' in pool
    assert "≥\u202f1 of 3 (stopped at the first hit)" in pool
    shown = page(f"pool/{sample.pk}/")
    assert "≥\u202f1 of 3</span>" in shown
    assert "Attempt 3 came near the truth" in shown
    assert "at least 1 hit of 3" in shown
    assert "First hit of the direct answers" in page("")


def test_facets_count_hit_and_not_hit(iteration: Iteration) -> None:
    facets = {facet.name: facet.values for facet in filtering.facets_of(iteration, VerdictFilter(0))}
    assert [(one.value, one.label, one.count) for one in facets["hits"]] == [("0", "0", 5), ("1", "≥\u202f1", 3)]


def test_the_histogram_shows_at_which_attempt_the_first_hit_came(iteration: Iteration) -> None:
    direct, _ = counts(iteration).histograms
    assert [(one.label, one.count) for one in direct.bins] == [("none", 5), ("1", 1), ("2", 1), ("3", 1), ("4", 0)]
    assert [one.url.partition("?")[2] for one in direct.bins[:3]] == ["hits=0", "hits=1", "hits=1"]
    assert direct.words.startswith("3 of 8 samples (37.5 %) have a hit in 4 attempts")


def test_rest_and_exports_mark_what_stopped(iteration: Iteration, viewer: User) -> None:
    client = Client()
    client.force_login(viewer)
    found = client.get(f"/api/v1/runs/{iteration.run_id}/iterations/1/pool").json()["items"]
    assert {one["key"]: one["censored"] for one in found} == {key: rest[-1] for key, rest in judged(iteration).items()}
    lines = export_files.write_lines(exporting.begin(iteration, "pool"))
    verdicts = [json.loads(line)["verdict"] for line in lines]
    assert sorted((one["attempts"], one["censored"]) for one in verdicts)[:4] == [(1, True), (2, True), (3, True), (K, False)]


def test_a_rejudging_that_takes_the_hit_away_says_unknown(iteration: Iteration, reviewer: User) -> None:
    made = rejudging.begin(iteration, {"tolerance": 0}, reviewer, here=True)
    rejudging.run(made)
    assert made.counts["0"] == {"approximate": {"unknown": 3}, "wrong_tool": {"wrong_tool": 5}}
    assert rejudging.selected(made.counts, 0) == (3, 0)
    page = rejudging_page(made, reviewer, {})
    assert (page.line.lost, page.line.unknown, page.turns[0].unknown) == (0, 6, 3)
    client = Client()
    client.force_login(reviewer)
    address = f"/runs/{iteration.run_id}/iterations/1/rejudgings/{made.pk}/"
    assert "at least 0 selected" in client.get(address).content.decode()
    changed = client.get(f"/api/v1{address}changed?outcome=unknown").json()["items"]
    assert {one["outcome"] for one in changed} == {"unknown"}
    assert len(changed) == 6


def test_a_correction_that_takes_the_hit_away_says_unknown(iteration: Iteration, reviewer: User) -> None:
    sample = SampleRow.objects.get(key="sample-1")
    truth = [{"name": "get_weather", "arguments": {"city": "Bergen", "days": 99}}]
    correcting.fix_truth(iteration.run, iteration, sample, truth, reviewer)
    again = Rejudgement.objects.get(iteration=iteration, sample=sample, turn=0)
    assert (again.attempts, again.approximate_hits, again.censored) == (2, 0, True)
    client = Client()
    client.force_login(reviewer)
    shown = client.get(f"/runs/{iteration.run_id}/iterations/1/pool/{sample.pk}/").content.decode()
    assert "no more were made: one had been a hit" in shown
