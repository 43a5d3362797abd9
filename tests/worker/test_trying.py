"""A worker answers people's questions turn by turn, between the shards of runs and never for long at their cost."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django.conf import settings

from curation.models import Checkpoint, DatasetRevision, Engine, Iteration, Run, SampleVersion, Trial
from curation.models.trials import TrialState
from curation.stages import artifacts, registering, trial_models, trying
from curation.stages.model_folder import weights_sha256
from curation.stages.trial_questions import asked_by, question
from curation.stages.trial_turns import read_turns
from curation.stages.trying import Asked
from toolcalls.records import Message
from toolcalls.rendering import render
from toolcalls.settings import Settings
from worker.devices import DeviceGroup
from worker.sharing import Share
from worker.station import Station
from worker.tasks import station, wake_up
from worker.tasks import trying as task

BYTES = Settings(k=2, max_new_tokens=1000, max_length=50_000, max_iterations=1, refine_turns=1, shard_samples=6)
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}


@pytest.fixture(autouse=True)
def end_engines() -> object:
    yield
    station.engines.end()


@pytest.fixture
def ask(revision: DatasetRevision) -> Callable[..., Trial]:
    """`ask(engine, "What is the weather in Rome?")`: of the tiny base."""
    base = registering.register_base("tiny", settings.MODEL_ROOTS[0] / "checkpoint")

    def make(engine: Engine, said: str = "Rome?", chosen: Settings = BYTES, **more: Any) -> Trial:
        model = dataclasses.replace(trial_models.of_base(revision.dataset.project, base, engine), settings=chosen)
        return trying.ask(revision.dataset.project, model, question([Message("user", said)], [WEATHER]), **more)

    return make


def refreshed(trial: Trial) -> Trial:
    return Trial.objects.select_related("version__sample").get(pk=trial.pk)


def done(trial: Trial) -> Trial:
    trial = refreshed(trial)
    assert trial.state == TrialState.DONE, trial.error
    return trial


def scripted(script: Callable[..., Engine], *rules: tuple[str, str]) -> Engine:
    """An engine that gives an answer to a prompt with certain words in it."""
    made = script()
    path = Path(made.options["script"])
    known = json.loads(path.read_text())
    path.write_text(json.dumps({**known, "rules": [{"contains": said, "answers": [answer]} for said, answer in rules]}))
    return made


def test_it_is_refined_until_two_answers_agree(ask: Callable[..., Trial], script: Callable[..., Engine]) -> None:
    rome, roma, spaced = '[weather(city="Rome")]', '[weather(city="Roma")]', '[weather(city = "Rome")]'
    shown = "{}<|end|><|user|>Please refine"
    engine = scripted(script, (shown.format(rome), spaced), (shown.format(roma), rome), ("Rome?", roma))
    trial = ask(engine, turns=5)
    wake_up()
    trial = done(trial)
    assert [turn["text"] for turn in trial.turns] == [roma, rome, spaced]
    assert trial.agreed and trial.loaded_at is not None and trial.closed_at is not None
    assert all(turn["prompt_tokens"] > 100 and turn["seconds"] >= 0 for turn in trial.turns)
    assert [read.stops for read in read_turns(trial)] == [False, False, True]


def test_a_sample_s_question_is_judged_and_no_row_of_the_record_written(
    ask: Callable[..., Trial], script: Callable[..., Engine], revision: DatasetRevision, world: Callable[[str, int], bytes]
) -> None:
    version = SampleVersion.objects.filter(sample__split="heldout").first()
    base = registering.register_base("tiny", settings.MODEL_ROOTS[0] / "checkpoint")
    model = trial_models.of_base(revision.dataset.project, base, script(world("heldout", 4)))
    model = dataclasses.replace(model, settings=BYTES)
    assert version is not None
    trial = trying.ask(revision.dataset.project, model, asked_by(version), version=version)
    wake_up()
    reads = list(read_turns(done(trial)))
    assert [read.judgement and read.judgement.max_param_diff for read in reads] == [0, 0]
    assert reads[0].turn.text == render(reads[0].answer.calls) and not reads[0].breaks  # type: ignore[union-attr]


def test_what_a_run_has_trained_answers_and_a_prompt_that_does_not_fit_says_so(
    make_run: Callable[..., Run], tiny_engine: Engine
) -> None:
    """A model in the store, which this host fetches; its weights are the tiny base's."""
    small = dataclasses.replace(BYTES, max_new_tokens=8, max_length=1024, engine_dtype="float32")
    run = make_run(tiny_engine, small)
    folder = settings.MODEL_ROOTS[0] / "checkpoint"
    uri = artifacts.publish(folder, [path.name for path in folder.iterdir() if path.is_file()])
    iteration = Iteration.objects.create(run=run, number=1)
    Checkpoint.objects.create(run=run, iteration=iteration, kind="merged", uri=uri, sha256=weights_sha256(folder))
    model = trial_models.of_iteration(iteration)
    assert (model.base, model.engine, str(model)) == (None, tiny_engine, f"iteration 1 of {run.name}")
    first, second = (
        trying.ask(run.project, model, question([Message("user", said)], [WEATHER])) for said in ("Rome?", "Rome? " * 2000)
    )
    wake_up()
    first, second = done(first), done(second)
    assert 0 < first.turns[0]["completion_tokens"] <= 8
    assert second.turns[0]["finish_reason"] == "too_long" and not second.turns[0]["text"]


def test_an_engine_that_fails_says_why(ask: Callable[..., Trial], script: Callable[..., Engine]) -> None:
    trial = ask(script(fail_at=1))
    wake_up()
    trial = refreshed(trial)
    assert trial.state == TrialState.FAILED and "The script fails at request 1" in trial.error


def test_one_that_takes_too_long_is_ended(
    ask: Callable[..., Trial], script: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "LIMIT", 1.0)
    trial = ask(script(seconds=30))
    wake_up()
    trial = refreshed(trial)
    assert trial.state == TrialState.FAILED and "longer than" in trial.error


def test_a_worker_that_stops_gives_it_back(ask: Callable[..., Trial], script: Callable[..., Engine], tmp_path: Path) -> None:
    trial = ask(script(seconds=30))
    leaving = Station({}, tmp_path, None, task.work)
    asked = trying.claim_next(leaving.owner)
    assert asked is not None
    threading.Timer(0.5, leaving.stopping.set).start()
    task.work(leaving, asked)
    assert refreshed(trial).state == TrialState.WAITING
    leaving.engines.end()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_shards_come_first_for_four_times_as_long_as_a_trial_took() -> None:
    clock = Clock()
    share = Share(clock=clock)
    assert share.due
    clock.now = 3.0
    share.spent(3.0)
    assert not share.due
    clock.now = 14.9
    assert not share.due
    clock.now = 15.0
    assert share.due


def test_what_the_run_s_model_takes_to_come_back_counts_as_the_trial_s() -> None:
    """Of 10 seconds 8 were loading: 18 are lost to shards, which are a fifth of 90 in all."""
    clock = Clock()
    share = Share(clock=clock)
    clock.now = 10.0
    share.spent(10.0, 8.0)
    clock.now = 89.9
    assert not share.due
    clock.now = 90.0
    assert share.due


def test_a_trial_goes_between_two_shards_and_then_waits_for_them(
    start: Callable[..., Run], ask: Callable[..., Trial], script: Callable[..., Engine], tmp_path: Path
) -> None:
    """Two people ask while a run has four shards of 5 seconds; a trial takes 2, so that the next waits for 8 of them."""
    engine = script()
    start(engine, dataclasses.replace(BYTES, shard_samples=1))
    first, second = ask(engine), ask(engine)
    taken, clock = list[str](), Clock()

    def shard(_: Station, lease: Any) -> str:
        taken.append("shard")
        clock.now += 5.0
        return "nothing"

    def trial(_: Station, asked: Asked, devices: tuple[str, ...]) -> float:
        taken.append(f"trial {asked.trial}")
        clock.now += 2.0
        trying.complete(asked, [], agreed=False)
        return 0.0

    worker = Station({"evaluation": shard}, tmp_path, None, trial)
    worker._share = Share(clock=clock)
    worker.work_off()
    assert taken == [f"trial {first.pk}", "shard", "shard", f"trial {second.pk}", "shard", "shard"]


def test_trials_do_not_wait_for_each_other_where_there_is_no_shard(
    ask: Callable[..., Trial], script: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = script()
    asked = [ask(engine), ask(engine), ask(engine)]
    taken, clock = list[int](), Clock()

    def trial(_: Station, one: Asked, devices: tuple[str, ...]) -> float:
        taken.append(one.trial)
        clock.now += 60.0
        trying.complete(one, [], agreed=False)
        return 0.0

    worker = Station({}, tmp_path, None, trial)
    worker._share = Share(clock=clock)
    worker.work_off()
    assert taken == [one.pk for one in asked]


def test_a_trial_that_needs_more_devices_waits_for_those_at_work_and_no_new_shard_begins(
    start: Callable[..., Run], ask: Callable[..., Trial], script: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = script()
    start(engine, dataclasses.replace(BYTES, shard_samples=1))
    worker = Station({}, tmp_path, None, task.work)
    worker.group = DeviceGroup(("0", "1"))
    shard = worker._next()
    trial = ask(engine)
    Trial.objects.update(settings={**trial.settings, "engine_tensor_parallel": 2})
    assert shard is not None and shard[1] == ("0",)
    assert worker._next_trial(now=True) is None and worker._next_shard() is None
    worker.group.give_back(shard[1])
    taken = worker._next()
    assert taken is not None and isinstance(taken[0], Asked) and taken[1] == ("0", "1")
    assert worker.group.busy and worker._next_trial(now=True) is None
