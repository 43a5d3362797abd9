"""Trials: what may be asked and how often, who gets one, what the page shows of it; and workers that are there, or not."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest

from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from curation.direct_address import direct_address
from curation.models import Engine, Iteration, Project, Run, SampleVersion, Trial, User
from curation.models.shards import StageKind
from curation.models.trials import TrialState
from curation.pages.trial_page import trial_page
from curation.stages import reconciling, registering, running, tokens, trial_models, trial_questions, trying, waking, workforce
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.returning import GRACE, LEASE
from curation.stages.shards import Room
from curation.stages.trial_models import Model
from curation.stages.trial_turns import Turn, read_turns
from curation.stages.trying import Asked
from toolcalls.records import Message, Sample
from toolcalls.settings import Settings

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

ROME = "[get_weather(city='Rome', days=1)]"
MILAN = "[get_weather(city='Milan', days='one')]"


@pytest.fixture
def model(make_run: Callable[..., Run]) -> Model:
    run = make_run()
    return trial_models.of_base(run.project, run.base)


@pytest.fixture
def version(model: Model) -> SampleVersion:
    """What is the weather in Rome for 1 days?"""
    return SampleVersion.objects.select_related("sample").get(sample__key="sample-0")


@pytest.fixture
def ask(project: Project, model: Model) -> Callable[..., Trial]:
    def make(by: User | None = None, said: str = "Rome?", **more: Any) -> Trial:
        return trying.ask(project, model, asking(said), by, **more)

    return make


def asking(said: str = "Rome?", **more: Any) -> Sample:
    return trial_questions.question([Message("user", said)], **more)


def turn(text: str, finish: str = "stop") -> Turn:
    return Turn(text, finish, 90, 12, 0.25)


def claimed() -> Asked:
    asked = trying.claim_next("hand")
    assert asked is not None
    return asked


def refreshed(trial: Trial) -> Trial:
    related = ("project__team", "base", "engine", "checkpoint__run", "checkpoint__iteration", "version__sample", "by")
    return Trial.objects.select_related(*related).get(pk=trial.pk)


def answered(trial: Trial, *texts: str, agreed: bool = True) -> Trial:
    asked = claimed()
    assert asked.trial == trial.pk and trying.complete(asked, [turn(text) for text in texts], agreed=agreed)
    return refreshed(trial)


def test_engineers_ask_and_others_do_not(ask: Any, engineer: User, reviewer: User, outsider: User) -> None:
    assert ask(engineer).state == TrialState.WAITING
    for other in (reviewer, outsider):
        with pytest.raises(NotPermitted):
            ask(other)


def test_three_of_a_person_and_ten_of_a_project_may_wait(ask: Any, engineer: User, owner: User) -> None:
    first, *_ = (ask(engineer) for _ in range(trying.OF_PERSON))
    with pytest.raises(InputError, match="3 trials of yours"):
        ask(engineer)
    trying.cancel(first, engineer)
    ask(engineer)
    for _ in range(trying.OF_PROJECT - trying.OF_PERSON):
        ask()
    with pytest.raises(InputError, match="10 trials of"):
        ask(owner)


@pytest.mark.parametrize(
    ("messages", "tools", "why"),
    [
        ([], [], "write a message"),
        ([Message("user", "  ")], [], "write a message"),
        ([Message("user", "x" * 100_001)], [], "100,000 characters"),
        ([Message("user", "x")] * 101, [], "100 messages"),
        ([Message("user", "x")], [{"name": "f", "description": "x" * 200_000}], "200,000 characters"),
        ([Message("user", "x")], [{"name": "f"}] * 257, "256 tools"),
        ([Message("user", "x")], [{"title": "f"}], "every tool needs a name"),
        ([Message("assistant", "x")], [], "must end with one"),
        ([Message("judge", "x"), Message("user", "x")], [], "allowed are user, assistant and tool"),
    ],
)
def test_what_no_model_could_be_shown_is_refused(messages: Any, tools: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        trial_questions.question(messages, tools)


def test_turns_and_new_tokens_keep_within_their_bounds(ask: Any) -> None:
    chosen = ask(turns=0, max_new_tokens=7).choices
    assert (chosen.refine_turns, chosen.max_new_tokens) == (0, 7)
    assert ask().choices.refine_turns == 5 and ask().choices.max_new_tokens == 32
    for wrong in ({"turns": 11}, {"turns": -1}, {"max_new_tokens": 0}, {"max_new_tokens": 4097}, {"max_new_tokens": 600}):
        with pytest.raises(InputError):
            ask(**wrong)


def test_what_postgres_cannot_hold_is_made_storable(project: Project, model: Model) -> None:
    tool = {"name": "f", "description": "a\x00b\ud800", "parameters": {"z": float("inf"), "a": 1}}
    trial = trying.ask(project, model, asking("a\x00b", tools=[tool]))
    kept = refreshed(trial).question
    assert kept["messages"][0]["content"] == "a\ufffdb" and kept["tools"][0]["description"] == "a\ufffdb\ufffd"
    assert list(kept["tools"][0]["parameters"]) == ["z", "a"]  # the prompt has them in this order


def test_a_trial_goes_to_one_worker_and_the_late_one_writes_nothing(ask: Any) -> None:
    first, second = ask(), ask()
    asked = claimed()
    assert asked.trial == first.pk and asked.question.messages == (Message("user", "Rome?"),)
    assert claimed().trial == second.pk and trying.claim_next("third") is None
    Trial.objects.filter(pk=first.pk).update(lease_until=Now())
    again = claimed()
    assert (again.trial, again.attempt) == (first.pk, asked.attempt + 1)
    late = (trying.renew(asked), trying.loaded(asked), trying.store(asked, [turn("x")]), trying.release(asked))
    assert late == (False, False, False, False) and not trying.complete(asked, [], agreed=True)
    assert trying.renew(again) and trying.store(again, [turn("x")]) and trying.complete(again, [turn("x")], agreed=False)
    assert refreshed(first).state == TrialState.DONE


def test_one_whose_worker_was_killed_can_be_taken_again_at_once(ask: Any) -> None:
    ask()
    asked = claimed()
    silent = Now() + timedelta(seconds=LEASE - GRACE - 1)
    with psycopg.connect(direct_address(), autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(%s, %s)", [trying.LOCK_SPACE, asked.trial])
        Trial.objects.update(lease_until=silent)
        assert trying.end_dead_leases() == 0
        Trial.objects.update(lease_until=Now() + timedelta(seconds=LEASE))
    assert trying.end_dead_leases() == 0  # it may be about to lock
    Trial.objects.update(lease_until=silent)
    assert trying.end_dead_leases() == 1 and claimed().attempt == asked.attempt + 1


def test_one_whose_workers_always_die_fails(ask: Any) -> None:
    trial = ask()
    for _ in range(trying.MOST_CLAIMS):
        claimed()
        Trial.objects.update(lease_until=Now())
    assert trying.claim_next("hand") is None
    assert "its worker died 5 times" in refreshed(trial).error


def test_one_that_needs_more_devices_than_are_free_waits_and_takes_at_most_all(project: Project, model: Model) -> None:
    trying.ask(project, replace(model, settings=replace(model.settings, engine_tensor_parallel=4)), asking())
    assert trying.claim_next("hand", Room(free=1, owned=2)) is None
    asked = trying.claim_next("hand", Room(free=2, owned=2))
    assert asked is not None and asked.claim.devices == 2


def test_only_what_waits_is_cancelled(ask: Any, engineer: User, reviewer: User) -> None:
    first, second = ask(engineer), ask(engineer)
    with pytest.raises(NotPermitted):
        trying.cancel(first, reviewer)
    trying.cancel(first, engineer)
    assert refreshed(first).state == TrialState.CANCELLED and claimed().trial == second.pk
    with pytest.raises(WrongState, match="answering"):
        trying.cancel(second, engineer)


def test_one_that_no_worker_takes_within_a_day_fails_in_words(ask: Any) -> None:
    trial, fresh = ask(), ask()
    Trial.objects.filter(pk=trial.pk).update(asked_at=Now() - timedelta(days=1, seconds=1))
    reconciling.reconcile_once(send=False)
    assert "no worker was free within a day" in refreshed(trial).error
    assert refreshed(fresh).state == TrialState.WAITING


def test_old_trials_go_when_another_is_asked(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "KEPT", 2)
    first, second, third = (answered(ask(), "x") for _ in range(3))
    last = ask()
    assert set(Trial.objects.values_list("pk", flat=True)) == {third.pk, last.pk} and first.pk < second.pk
    Trial.objects.filter(pk=third.pk).update(asked_at=Now() - timedelta(days=91))
    ask()
    assert not Trial.objects.filter(pk=third.pk).exists() and Trial.objects.filter(pk=last.pk).exists()


def test_workers_are_woken_for_it_and_again_when_its_worker_died(ask: Any, queue: Callable[[], int]) -> None:
    trial = ask()
    assert queue() == 1 and refreshed(trial).sent_at is not None
    waking.wake_trials()
    assert queue() == 1
    claimed()
    Trial.objects.update(lease_until=Now())
    waking.wake_trials()
    assert queue() == 1  # it lies there unread


def test_who_can_be_tried(make_run: Callable[..., Run], base: Any, engine: Engine, project: Project) -> None:
    run = make_run()
    iteration = Iteration.objects.create(run=run, number=1, state="done")
    with pytest.raises(InputError, match="has trained no model"):
        trial_models.of_iteration(iteration)
    assert trial_models.of_iteration(Iteration.objects.create(run=run, number=0)).base == base
    served = registering.register_engine("served", "openai", {"url": "http://127.0.0.1:9/v1", "model": "m"})
    with pytest.raises(InputError, match="cannot load"):
        trial_models.of_base(project, base, served)
    with pytest.raises(InputError, match="no model of its own"):
        trial_models.of_server(engine)
    trial = trying.ask(project, trial_models.of_server(served), asking())
    assert claimed().claim.engine_options["model"] == "m" and refreshed(trial).base is None
    assert trial_models.of_base(project, base).settings.k == run.choices.k
    Run.objects.all().delete()
    assert trial_models.of_base(project, base).engine == engine


def test_a_sample_s_question_has_its_truth_until_something_is_changed(
    project: Project, model: Model, version: SampleVersion
) -> None:
    own = trial_questions.asked_by(version)
    assert trying.ask(project, model, own, version=version).version == version
    typed = (json.dumps([]), own.messages[-1].content, json.dumps(list(own.tools)), own.other, version)
    assert trial_questions.typed_question(*typed) == own
    crlf = trial_questions.typed_question(typed[0], typed[1] + "\r\n", *typed[2:])
    assert crlf.messages[-1].content.endswith("\n")
    assert trying.ask(project, model, crlf, version=version).version is None


def test_answers_stand_beside_the_truth(project: Project, model: Model, version: SampleVersion, viewer: User) -> None:
    trial = trying.ask(project, model, trial_questions.asked_by(version), version=version)
    trial = answered(trial, MILAN, "I do not know", ROME, ROME)
    first, words, third, last = read_turns(trial)
    assert first.judgement is not None and first.judgement.max_param_diff == 2 and "Milan" in (first.differences or "")
    assert any("days" in breach for breach in first.breaks)
    assert words.judgement is not None and words.judgement.reason == "not_a_call"
    assert third.judgement is not None and third.judgement.max_param_diff == 0 and not third.stops and last.stops
    page = trial_page(trial, viewer)
    assert [step.label for step in page.steps] == ["2 parameters off", "not a call", "equals the truth", "equals the truth"]
    assert page.steps[0].form == "paper" and page.steps[0].calls[0].kind == "changed" and not page.steps[0].lines
    assert page.ended == "A3 agrees with A2: adaptive self-refine stops there." and not page.again and not page.may_cancel
    assert page.completion_tokens == 48 and page.seconds == 1.0


def test_a_refine_prompt_that_does_not_fit_leaves_the_answer_before(ask: Any, viewer: User) -> None:
    trial, asked = ask(), claimed()
    trying.complete(asked, [turn(ROME), turn("", "too_long")], agreed=False)
    page = trial_page(refreshed(trial), viewer)
    assert [step.stops for step in page.steps] == [True, False] and "A0 stands" in page.ended
    assert page.steps[0].lines[0].name == "get_weather" and not page.steps[0].label


def test_the_page_says_how_far_it_is(ask: Any, engineer: User, client: Client) -> None:
    trial = ask(engineer)
    client.force_login(engineer)
    address = reverse("trial", args=["tools", "weather", trial.pk])

    def shown() -> str:
        return client.get(address, headers={"HX-Request": "true"}).text

    assert "No worker is running" in shown() and "every 1s" in shown() and "Cancel" in shown()
    (seen,) = re.findall(r"\?seen=(\w+)", shown())
    assert client.get(f"{address}?seen={seen}", headers={"HX-Request": "true"}).status_code == 204
    asked = claimed()
    assert client.get(f"{address}?seen={seen}", headers={"HX-Request": "true"}).status_code == 200
    assert "Loading the model" in shown() and "Cancel" not in shown()
    trying.loaded(asked)
    assert "The model answers." in shown()
    trying.store(asked, [turn(ROME)])
    assert "turn 1" in shown() and "get_weather" in shown()
    trying.complete(asked, [turn(ROME), turn(ROME)], agreed=True)
    assert "agrees with A0" in shown() and "every 1s" not in shown()


def test_the_page_says_whether_a_worker_is_there(ask: Any, engineer: User) -> None:
    trial = refreshed(ask(engineer))
    assert trial_page(trial, engineer).nobody
    with psycopg.connect(direct_address(), autocommit=True) as session:
        workforce.sign_in(session, 1)
        page = trial_page(trial, engineer)
        assert not page.nobody and page.progress == "Queued: a worker takes it after the shard that it is at."


def test_the_page_says_that_a_training_is_waited_for_and_who_is_before(ask: Any, engineer: User, hand: Any) -> None:
    running.start_run(Run.objects.get())
    while (claim := hand.claim()).stage_kind != StageKind.TRAINING:
        hand.do(claim)
    ask()
    with psycopg.connect(direct_address(), autocommit=True) as session:
        workforce.sign_in(session, 1)
        words = trial_page(refreshed(ask(engineer)), engineer).progress
    assert words.startswith("Queued behind 1 other trial: every worker trains a model") and "may take long" in words


def test_the_form_asks_and_keeps_what_was_typed_when_it_cannot(
    engineer: User, model: Model, client: Client, version: SampleVersion
) -> None:
    client.force_login(engineer)
    address = reverse("trials", args=["tools", "weather"])
    form = client.get(f"{address}?version={version.pk}")
    assert "What is the weather in Rome" in form.text and "Begin with a sample" in form.text
    typed = {"model": "base:tiny", "engine": "", "message": "What is the weather in Rome for 1 days?", "tools": "[1]"}
    refused = client.post(address, typed)
    assert refused.status_code == 422 and "must be a JSON list of objects" in refused.text and "for 1 days?" in refused.text
    own = trial_questions.asked_by(version)
    made = client.post(address, {**typed, "tools": json.dumps(list(own.tools)), "version": version.pk, "turns": "2"})
    trial = Trial.objects.get()
    assert made["Location"] == reverse("trial", args=["tools", "weather", trial.pk])
    assert (trial.version, trial.choices.refine_turns, trial.by) == (version, 2, engineer)
    again = client.get(f"{address}?again={trial.pk}").text
    assert 'value="2"' in again and "Your trials" in again
    client.post(reverse("trial_cancel", args=["tools", "weather", trial.pk]))
    assert refreshed(trial).state == TrialState.CANCELLED


def test_the_list_is_ones_own_or_everybody_s_in_few_queries(
    ask: Any, engineer: User, owner: User, client: Client, django_assert_max_num_queries: Any
) -> None:
    for by in (engineer, owner, None):
        ask(by, said=f"A question of {by or 'nobody'}")
    client.force_login(engineer)
    address = reverse("trials", args=["tools", "weather"])
    with django_assert_max_num_queries(16):
        mine = client.get(address).text
    assert "A question of engineer" in mine and "A question of owner" not in mine
    assert client.get(f"{address}?of=all").text.count("A question of") == 3


@pytest.mark.parametrize("wrong", ["", "iteration:x", "iteration:1/999", "base:none", "engine:none", "engine:scripted"])
def test_a_model_that_is_not_there_is_refused(wrong: str, engineer: User, model: Model, client: Client) -> None:
    client.force_login(engineer)
    answer = client.post(reverse("trials", args=["tools", "weather"]), {"model": wrong, "message": "Rome?"})
    assert answer.status_code in (404, 422) and not Trial.objects.exists()


def test_settings_without_a_run_are_the_paper_s(project: Project, base: Any, engine: Engine) -> None:
    assert trial_models.of_base(project, base).settings == Settings()


@pytest.fixture
def api(engineer: User) -> Callable[..., Any]:
    """`api("post", "/1/cancel", {…})`, by the engineer."""
    client = Client(headers={"Authorization": f"Bearer {tokens.create(engineer, 'test', 'run', 1).secret}"})

    def send(method: str, path: str = "", body: Any = None) -> Any:
        address = f"/api/v1/projects/tools/weather/trials{path}"
        how = {} if method == "get" else {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(client, method)(address, **how)

    return send


def test_a_script_asks_reads_and_takes_back(api: Any, model: Model, version: SampleVersion) -> None:
    made = api("post", body={"base": "tiny", "sample": version.sample_id, "turns": 3})
    found = made.json()
    assert made.status_code == 202 and (found["state"], found["sample"], found["refine_turns"]) == (
        "waiting",
        version.sample_id,
        3,
    )
    assert found["question"]["messages"][0]["content"] == "What is the weather in Rome for 1 days?" and found["turns"] == []
    answered(Trial.objects.get(pk=found["id"]), MILAN, ROME, ROME)
    turns = api("get", f"/{found['id']}").json()["turns"]
    assert [(turn["max_param_diff"], turn["stands"], turn["form"]) for turn in turns] == [
        (2, False, "paper"), (0, False, "paper"), (0, True, "paper"),
    ]  # fmt: skip
    assert turns[0]["reason"] == "param_mismatch" and "Milan" in turns[0]["differences"] and turns[0]["breaks"]
    assert turns[1]["calls"] == [{"name": "get_weather", "arguments": {"city": "Rome", "days": 1}}]
    again = api(
        "post", body={"base": "tiny", "messages": [{"role": "user", "content": "Rome?"}], "tools": [{"name": "f"}]}
    ).json()
    assert api("post", f"/{again['id']}/cancel").json()["state"] == "cancelled"
    assert api("post", f"/{again['id']}/cancel").status_code == 409
    assert [one["id"] for one in api("get", "?mine=true").json()["items"]] == [again["id"], found["id"]]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "choose a model|write a message"),
        ({"base": "tiny", "sample": 1, "messages": [{"role": "user", "content": "x"}]}, "not both"),
        ({"base": "tiny", "sample": 10**9}, "no sample"),
        ({"base": "none", "messages": [{"role": "user", "content": "x"}]}, "there are: tiny"),
        ({"run": 10**9, "messages": [{"role": "user", "content": "x"}]}, "has no model yet"),
        ({"run": 10**9, "iteration": 1, "messages": [{"role": "user", "content": "x"}]}, "no such iteration"),
        ({"engine": "scripted", "messages": [{"role": "user", "content": "x"}]}, "no model of its own"),
    ],
)
def test_what_a_script_cannot_ask_is_refused_in_words(body: Any, why: str, api: Any, model: Model) -> None:
    answer = api("post", body=body)
    assert answer.status_code == 422 and re.search(why, answer.text), answer.text


def run_command(*words: str) -> str:
    out = StringIO()
    call_command("try_model", "--project", "tools/weather", "--base", "tiny", *words, stdout=out)
    return out.getvalue()


def test_the_command_waits_and_prints_each_turn(model: Model, version: SampleVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    def worked(_: float) -> None:
        trying.complete(claimed(), [turn(MILAN), turn(ROME)], agreed=False)

    monkeypatch.setattr(time, "sleep", worked)
    told = run_command("--sample", str(version.sample_id))
    assert f"A0  {MILAN}" in told and "param_mismatch" in told and "equals the truth, this answer stands" in told
    (first, _) = json.loads(run_command("--message", "Rome?", "--json"))
    assert first["text"] == MILAN and first["max_param_diff"] is None


def test_the_command_takes_back_what_nobody_answers(model: Model) -> None:
    with pytest.raises(CommandError, match="is one running"):
        run_command("--message", "Rome?", "--patience", "0")
    assert Trial.objects.get().state == TrialState.CANCELLED


def test_the_command_says_why_there_is_no_answer(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(_: float) -> None:
        asked = claimed()
        trying.fail(asked.trial, asked.attempt, "no memory")

    monkeypatch.setattr(time, "sleep", failed)
    with pytest.raises(CommandError, match="the trial is failed: no memory"):
        run_command("--message", "Rome?")
    with pytest.raises(CommandError, match="cannot be read"):
        run_command("--message", "Rome?", "--tools", "/nowhere/tools.json")
    with pytest.raises(CommandError, match="of its own"):
        run_command("--sample", "1", "--system", "x")
