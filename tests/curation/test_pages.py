"""The pages: who sees what, and that what they show is what the rows say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from curation.models import Evaluation, Iteration, Run, Shard, Stage, User
from curation.stages import people

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def shown_run(make_run: Callable[..., Run]) -> Run:
    """A run whose base is evaluated and whose first iteration is being sampled, half done."""
    run = make_run()
    base = Iteration.objects.create(run=run, number=0, state="done")
    now = timezone.now()
    Stage.objects.create(
        iteration=base, kind="evaluation", position=0, state="done", opened_at=now - timedelta(seconds=9), closed_at=now
    )
    Evaluation.objects.create(iteration=base, comparator="1", total=200, direct_right=80, adaptive_right=84, mean_turns=1.4)
    first = Iteration.objects.create(
        run=run, number=1, selected_direct=40, selected_refine=30, identical_exact=15, identical_text=12
    )
    stage = Stage.objects.create(iteration=first, kind="sampling", position=0, state="running", opened_at=now, total=8)
    for number, state in enumerate(("done", "pending")):
        Shard.objects.create(stage=stage, number=number, state=state, versions=[1, 2, 3, 4])
    Run.objects.filter(pk=run.pk).update(state="running", why="", started_at=now)
    return run


def test_a_stranger_is_sent_to_sign_in(client: Client, shown_run: Run) -> None:
    answer = client.get(reverse("run", args=[shown_run.pk]))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("sign_in"))


def test_a_run_of_another_team_does_not_exist(client: Client, shown_run: Run, outsider: User) -> None:
    client.force_login(outsider)
    for name in ("run", "run_live"):
        assert client.get(reverse(name, args=[shown_run.pk])).status_code == 404
    assert client.post(reverse("run_start_iteration", args=[shown_run.pk])).status_code == 404


def test_home_lists_the_runs_of_ones_teams_only(client: Client, shown_run: Run, viewer: User, outsider: User) -> None:
    client.force_login(viewer)
    assert reverse("run", args=[shown_run.pk]) in client.get("/").content.decode()
    client.force_login(outsider)
    assert reverse("run", args=[shown_run.pk]) not in client.get("/").content.decode()


def test_run_page_shows_counts_accuracy_and_progress(client: Client, shown_run: Run, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(reverse("run", args=[shown_run.pk])).content.decode()
    assert "40.0 %" in page and "42.0 %" in page  # 80 and 84 of 200
    assert "<td>70</td>" in page  # N_t
    assert "50.0 %" in page  # A₁ = A: 15 of 30
    assert "4 of 8 samples" in page
    assert 'hx-trigger="every 2s"' in page
    assert "iteration 1: 40 direct + 30 refine = 70 selected" in page


def test_run_page_stops_asking_when_the_run_has_ended(client: Client, shown_run: Run, viewer: User) -> None:
    Run.objects.filter(pk=shown_run.pk).update(state="saturated", why="N_2 = 70 did not grow")
    client.force_login(viewer)
    fragment = client.get(reverse("run_live", args=[shown_run.pk])).content.decode()
    assert "hx-trigger" not in fragment
    assert "N_2 = 70 did not grow" in fragment


def test_the_number_of_queries_does_not_grow_with_the_iterations(
    client: Client, shown_run: Run, viewer: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(viewer)
    for number in range(2, 12):
        iteration = Iteration.objects.create(run=shown_run, number=number, state="done")
        stage = Stage.objects.create(iteration=iteration, kind="sampling", position=0, state="done")
        Shard.objects.create(stage=stage, number=0, state="done", versions=[1])
    with django_assert_max_num_queries(14):
        client.get(reverse("run", args=[shown_run.pk]))


def test_only_an_engineer_is_offered_the_next_iteration(
    client: Client, make_run: Callable[..., Run], viewer: User, engineer: User
) -> None:
    run = make_run(mode="step")
    Run.objects.filter(pk=run.pk).update(state="waiting")
    client.force_login(viewer)
    assert "Start the next iteration" not in client.get(reverse("run", args=[run.pk])).content.decode()
    assert client.post(reverse("run_start_iteration", args=[run.pk])).status_code == 403
    run.refresh_from_db()
    assert run.state == "waiting"
    client.force_login(engineer)
    assert "Start the next iteration" in client.get(reverse("run", args=[run.pk])).content.decode()
    assert client.post(reverse("run_start_iteration", args=[run.pk])).status_code == 302
    run.refresh_from_db()
    assert run.state == "running"


def test_a_run_that_does_not_wait_is_not_started_and_the_page_says_why(client: Client, shown_run: Run, engineer: User) -> None:
    client.force_login(engineer)
    answer = client.post(reverse("run_start_iteration", args=[shown_run.pk]))
    assert answer.status_code == 409
    assert f"run {shown_run.pk} is running already" in answer.content.decode()
    assert client.get(reverse("run_start_iteration", args=[shown_run.pk])).status_code == 405


def test_a_sign_in_link_works_once_and_only_by_its_button(client: Client, viewer: User) -> None:
    address = reverse("enter", args=[people.sign_in_link(viewer)])
    assert client.get(address).status_code == 200
    assert client.get(address).status_code == 200  # a preview does not use it up
    assert client.post(address).status_code == 302
    assert client.get("/").status_code == 200
    assert Client().post(address).status_code == 410


def test_a_sign_in_link_ends_with_its_time(client: Client, viewer: User) -> None:
    token = people.sign_in_link(viewer, timedelta(seconds=-1))
    assert client.post(reverse("enter", args=[token])).status_code == 410


def test_a_made_up_link_signs_nobody_in(client: Client) -> None:
    assert client.post(reverse("enter", args=["guess"])).status_code == 410


def test_signing_in_by_password_ignores_the_case_of_the_address(client: Client, db: None) -> None:
    people.create_user("Ada@example.org", "Ada", "correct horse battery")
    answer = client.post(reverse("sign_in"), {"username": "ada@EXAMPLE.org", "password": "correct horse battery"})
    assert answer.status_code == 302


def test_every_page_has_a_strict_content_security_policy(client: Client, shown_run: Run, viewer: User) -> None:
    client.force_login(viewer)
    for address in ("/", reverse("run", args=[shown_run.pk]), "/health/"):
        policy = client.get(address)["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy


def test_names_are_shown_as_text_never_as_markup(client: Client, shown_run: Run, viewer: User) -> None:
    Run.objects.filter(pk=shown_run.pk).update(name="<script>alert(1)</script>", why="<img src=x onerror=alert(1)>")
    client.force_login(viewer)
    page = client.get(reverse("run", args=[shown_run.pk])).content.decode()
    assert "<script>alert" not in page and "<img src=x" not in page
