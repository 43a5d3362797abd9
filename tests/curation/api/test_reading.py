"""What the API shows, and to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django.db import connection
from django.test.utils import CaptureQueriesContext

from curation.models import Dataset, Evaluation, Generation, Membership, Run, TrainingStep, User
from curation.stages import people

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


def test_me_tells_roles_and_what_a_token_allows(by_token: Callable[..., Any], engineer: User) -> None:
    shown = by_token(engineer, "review").get("/me").json()
    assert (shown["email"], shown["most"]) == (engineer.email, "reviewer")
    assert shown["teams"] == [{"slug": "tools", "name": "Tools", "role": "engineer"}]


def test_run_is_shown_with_what_it_is_pinned_to(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    shown = by_token(viewer).get(f"/runs/{run.pk}").json()
    assert (shown["team"], shown["project"], shown["revision"], shown["base"]) == ("tools", "weather", 1, "tiny")
    assert (shown["revision_sha256"], shown["settings"]) == (run.revision.sha256, run.settings)


def test_iteration_shows_its_table_row_and_its_stages(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    table = by_token(viewer).get(f"/runs/{run.pk}/iterations").json()
    assert [(row["iteration"], row["selected_direct"]) for row in table] == [(0, None), (1, 2)]
    shown = by_token(viewer).get(f"/runs/{run.pk}/iterations/1").json()
    states = {stage["kind"]: stage["state"] for stage in shown["stages"]}
    assert (states["sampling"], states["review"], states["training"]) == ("done", "running", "pending")
    assert shown["training_set"] is None


def test_a_training_that_diverged_is_valid_json(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    numbers = {"learning_rate": 1e-4, "tokens": 9, "tokens_per_second": 9.0}
    for step, loss, norm in ((1, 0.5, 1.0), (2, float("nan"), float("inf"))):
        iteration = run.iterations.get(number=1)
        TrainingStep.objects.create(iteration=iteration, step=step, steps=2, loss=loss, grad_norm=norm, **numbers)
    answer = by_token(viewer).get(f"/runs/{run.pk}/iterations/1/steps")
    assert b"NaN" not in answer.content and b"Infinity" not in answer.content
    assert [(row["loss"], row["grad_norm"]) for row in answer.json()] == [(0.5, 1.0), (None, None)]


def test_heldout_items_are_filtered(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    api, address = by_token(viewer), f"/runs/{run.pk}/iterations/0/heldout"
    right = api.get(address, {"direct": "right"}).json()["items"]
    assert len(right) == 4 and all(item["direct_right"] and len(item["trace"]) == 6 for item in right)
    assert api.get(address, {"direct": "wrong"}).json() == {"items": [], "next": None}
    assert len(api.get(address, {"turns": 1, "vanilla": "right", "q": "weather"}).json()["items"]) == 4
    for wanted in ({"turns": 0}, {"change": "broken"}, {"error": "wrong_tool"}, {"left": "wrong_tool"}):
        assert api.get(address, wanted).json()["items"] == []
    assert api.get(address, {"change": "stop"}).status_code == 422


def test_heldout_items_are_listed_before_all_of_them_are_answered(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    Evaluation.objects.filter(iteration__run=run).delete()
    api, address = by_token(viewer), f"/runs/{run.pk}/iterations"
    assert len(api.get(f"{address}/0/heldout", {"q": "weather"}).json()["items"]) == 4
    assert api.get(f"{address}/1/heldout").json() == {"items": [], "next": None}


def test_pool_is_paged_by_key_until_its_end(
    by_token: Callable[..., Any], viewer: User, run: Run, samples: dict[int, int]
) -> None:
    api, address, seen, after = by_token(viewer), f"/runs/{run.pk}/iterations/1/pool", [], ""
    while after is not None:
        page = api.get(address, {"limit": 3, "after": after}).json()
        seen += [item["sample"] for item in page["items"]]
        after = page["next"]
    assert sorted(seen) == sorted(samples[number] for number in range(8)) and len(set(seen)) == 8


def test_pool_is_filtered_by_several_values_and_facets_count_them(
    by_token: Callable[..., Any], viewer: User, run: Run, samples: dict[int, int]
) -> None:
    api, address = by_token(viewer), f"/runs/{run.pk}/iterations/1/pool"
    hits = api.get(address, {"outcome": ["exact", "approximate"]}).json()["items"]
    assert {item["sample"] for item in hits} == {samples[0], samples[1]}
    assert hits[0]["tools"] == ["get_weather"] and hits[0]["decision"] == ""
    counted = api.get(f"{address}/facets", {"outcome": "exact"}).json()
    outcome = next(facet for facet in counted["facets"] if facet["name"] == "outcome")
    assert counted["total"] == 2
    assert {one["value"]: (one["count"], one["active"]) for one in outcome["values"]}["exact"] == (2, True)


def test_pairs_have_filters_that_the_pool_has_not(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    api, address = by_token(viewer), f"/runs/{run.pk}/iterations/1"
    assert api.get(f"{address}/pairs", {"change": "large"}).status_code == 200
    assert api.get(f"{address}/pool", {"change": "large"}).status_code == 422


def test_sample_shows_its_attempts_and_its_other_iterations(
    by_token: Callable[..., Any], viewer: User, run: Run, samples: dict[int, int]
) -> None:
    shown = by_token(viewer).get(f"/runs/{run.pk}/iterations/1/pool/{samples[0]}").json()
    assert shown["content"]["messages"][0]["content"].startswith("What is the weather in Rome")
    assert [attempt["max_param_diff"] for attempt in shown["attempts"]] == [None, 0]
    assert shown["verdict"]["reasons"] == {"wrong_tool": 1} and shown["rejudged"] is None
    assert [then["iteration"] for then in shown["iterations"]] == [1]
    stored = Generation.objects.filter(iteration__run=run, turn=0).first()
    assert {attempt["prompt_hash"] for attempt in shown["attempts"]} == {stored.prompt_hash}


def test_pair_shows_its_first_answer(by_token: Callable[..., Any], viewer: User, run: Run, samples: dict[int, int]) -> None:
    shown = by_token(viewer).get(f"/runs/{run.pk}/iterations/1/pairs/{samples[2]}").json()
    assert (shown["first_answer"], shown["usable"], shown["identical_exact"]) == ('[other_tool(x="1")]', True, False)
    assert shown["verdict"]["approximate_hits"] == 1


def test_revision_s_samples_are_searched(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    dataset = Dataset.objects.get()
    address = f"/datasets/{dataset.pk}/revisions/1/samples"
    found = by_token(viewer).get(address, {"q": "Rome", "split": "train"}).json()["items"]
    assert [item["key"] for item in found] == ["sample-0"]
    assert by_token(viewer).get(address, {"limit": 5}).json()["next"] == 4


def test_member_who_left_sees_nothing_by_an_old_token(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    api = by_token(viewer)
    people.remove_member(Membership.objects.get(user=viewer), None)
    assert api.get("/projects").json() == {"items": [], "next": None}
    assert api.get(f"/runs/{run.pk}").status_code == 404


def test_token_that_was_revoked_is_over(by_token: Callable[..., Any], viewer: User) -> None:
    api = by_token(viewer)
    viewer.api_tokens.update(revoked_at="2026-01-01T00:00:00Z")
    assert api.get("/me").status_code == 401


@pytest.mark.parametrize(
    "address",
    ["", "/iterations", "/iterations/1", "/iterations/1/pool", "/iterations/1/pairs", "/events", "/decisions", "/exports"],
)
def test_queries_do_not_grow_with_the_rows(by_token: Callable[..., Any], viewer: User, run: Run, address: str) -> None:
    api = by_token(viewer)
    api.get(f"/runs/{run.pk}{address}")
    with CaptureQueriesContext(
        connection,
    ) as counted:
        assert api.get(f"/runs/{run.pk}{address}").status_code == 200
    assert len(counted) <= 9, [query["sql"] for query in counted]
