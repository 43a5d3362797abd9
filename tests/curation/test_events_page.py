"""Events: sentences for every verb there is, filters, pages, and no name of another team."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Dataset, Event, Iteration, Project, Run, Sample, Stage, Team, User
from curation.pages.event_names import names_of
from curation.pages.event_sentences import PHRASES, actor, phrase
from curation.stages import events, people, projects

pytestmark = [pytest.mark.db, pytest.mark.django_db]

ROOT = Path(__file__).resolve().parents[2]
VERB = re.compile(r'"([a-z]+\.[a-z_]+)"')
RECORDED = re.compile(r"(?:events\.record|_log|_go_on|_move_run|_decide)\((?:[^()]|\([^()]*\))*\)|verb(?:: str)? = \"[^\"]+\"")


def verbs() -> set[str]:
    """What the stages record, as their sources have it."""
    calls = [call for path in (ROOT / "curation" / "stages").glob("*.py") for call in RECORDED.findall(path.read_text())]
    return {verb for call in calls for verb in VERB.findall(call)}


def told(event: Event) -> str:
    event.shown_before = event.before
    return f"{actor(event)} {phrase(event, names_of([event]))}"


def test_every_verb_that_is_recorded_has_its_words() -> None:
    assert {"run.start", "review.decide_all", "shard.done", "upload.begin"} <= verbs()
    assert verbs() - PHRASES.keys() == set()


def test_every_phrase_can_say_what_it_knows_nothing_of(team: Team) -> None:
    for verb in PHRASES:
        event = SimpleNamespace(
            verb=verb, subject_kind="nothing", subject_id=1, run_id=None, actor=None, before={}, shown_before={}, after={}
        )
        words = f"{actor(event)} {phrase(event, names_of([event]))}"
        assert words.strip() == words and "None" not in words, words


def test_a_verb_without_words_is_shown_as_it_is(project: Project) -> None:
    assert told(events.record("moon.land", project, team=project.team)) == f"The operator moon.land: project {project.pk}"


def test_sentences_name_what_they_are_about(make_run: Callable[..., Run], reviewer: User, viewer: User) -> None:
    run = make_run()
    iteration = Iteration.objects.create(run=run, number=2)
    stage = Stage.objects.create(iteration=iteration, kind="sampling", position=0)
    sample, dataset = Sample.objects.get(key="sample-3"), Dataset.objects.get()
    bulk, one = {"kind": "drop", "turn": 0, "iteration": 2, "count": 12}, {"kind": "keep", "turn": 1, "iteration": 2}
    cases = [
        (events.record("review.decide_all", iteration, actor=reviewer, after=bulk), "reviewer dropped 12 samples of iteration 2"),
        (
            events.record("review.decide", sample, run_id=run.pk, actor=reviewer, after={**one, "sample": sample.pk}),
            "reviewer kept the pair of sample-3 in iteration 2",
        ),
        (events.record("run.start", run, actor=reviewer), "reviewer started the run"),
        (events.record("stage.open", stage, after={"kind": "sampling"}), "The loop began sampling of iteration 2"),
        (events.record("run.end", run, after={"state": "saturated"}), "The loop ended the run: saturated"),
        (
            events.record("dataset.import", dataset, after={"revision": 1, "new": 1, "source": "a.jsonl"}),
            "The operator imported a.jsonl: revision 1 of weather, 1 new sample",
        ),
        (
            events.record(
                "team.change_role", run.project.team, before={"role": "viewer"}, after={"user": viewer.pk, "role": "owner"}
            ),
            "The operator made viewer, who was viewer, owner",
        ),
    ]
    for event, words in cases:
        assert told(event) == words


@pytest.fixture
def happened(make_run: Callable[..., Run], engineer: User, reviewer: User) -> Run:
    run = make_run(by=engineer)
    events.record("run.start", run, actor=engineer)
    events.record("shard.done", run)
    iteration = Iteration.objects.create(run=run, number=1)
    bulk = {"kind": "drop", "turn": 0, "iteration": 1, "count": 3}
    events.record(
        "review.decide_all", iteration, actor=reviewer, before={"samples": list(range(9000, 9003))}, after=bulk, why="<b>bad</b>"
    )
    return run


def of_run(run: Run) -> str:
    return reverse("run_events", args=[run.pk])


def of_project(run: Run) -> str:
    return reverse("project_events", args=[run.project.team.slug, run.project.slug])


def lines(client: Client, address: str, status: int = 200, **query: object) -> list[str]:
    answer = client.get(address, query)
    assert answer.status_code == status
    return re.findall(r"<p><strong>(.*?)(?: <span|</p>)", answer.content.decode())


def test_a_run_s_events_are_read_without_the_machine_s_small_steps(client: Client, happened: Run, viewer: User) -> None:
    client.force_login(viewer)
    assert lines(client, of_run(happened)) == [
        "reviewer</strong> dropped 3 samples of iteration 1",
        "engineer</strong> started the run",
        "engineer</strong> created the run",
    ]
    assert len(lines(client, of_run(happened), what="shards")) == 1
    page = client.get(of_run(happened)).content.decode()
    assert "&lt;b&gt;bad" in page and "<b>bad" not in page and "9001" not in page


def test_events_are_filtered_by_kind_and_by_person(client: Client, happened: Run, viewer: User, reviewer: User) -> None:
    client.force_login(viewer)
    assert len(lines(client, of_run(happened), what="review")) == 1
    assert len(lines(client, of_run(happened), who=reviewer.pk)) == 1
    assert len(lines(client, of_run(happened), who="loop", what="runs")) == 0
    assert len(lines(client, of_project(happened), what="data")) >= 2
    for wrong in ({"what": "moon"}, {"who": "x"}, {"before": "-1"}, {"actor__password": "a"}):
        lines(client, of_run(happened), 422, **wrong)


def test_a_project_s_events_are_its_own_and_its_team_s(
    client: Client, happened: Run, team: Team, viewer: User, outsider: User
) -> None:
    other = projects.create_project(team, "Flights", None)
    projects.create_project(people.create_team("Strangers", None), "Secret", None)
    client.force_login(viewer)
    told = " ".join(lines(client, of_project(happened)))
    assert "made the project Weather" in told and "added viewer to the team" in told and "weather" in told
    assert "Flights" not in told and "Secret" not in told
    assert "Weather" not in " ".join(lines(client, reverse("project_events", args=[team.slug, other.slug])))
    client.force_login(outsider)
    for address in (of_project(happened), of_run(happened)):
        assert client.get(address).status_code == 404


def test_older_events_follow_and_the_queries_do_not_grow(
    client: Client, happened: Run, viewer: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(viewer)
    with django_assert_max_num_queries(14) as few:
        lines(client, of_run(happened))
    for _ in range(60):
        events.record("run.pause", happened, why="because")
    with django_assert_max_num_queries(len(few)):
        assert len(lines(client, of_run(happened))) == 50
    oldest = Event.objects.filter(run_id=happened.pk).exclude(verb="shard.done").order_by("-id")[49].pk
    assert f"before={oldest}" in client.get(of_run(happened)).content.decode()
    assert len(lines(client, of_run(happened), before=oldest)) == 13


def test_a_decision_leads_to_its_sample(client: Client, happened: Run, reviewer: User) -> None:
    sample = Sample.objects.get(key="sample-3")
    for turn in (0, 1):
        after = {"kind": "keep", "turn": turn, "iteration": 1, "sample": sample.pk}
        events.record("review.decide", sample, run_id=happened.pk, actor=reviewer, after=after)
    client.force_login(reviewer)
    page = client.get(of_run(happened)).content.decode()
    for name in ("sample", "pair"):
        assert f'href="{reverse(name, args=[happened.pk, 1, sample.pk])}"' in page
