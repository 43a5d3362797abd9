"""The engine child, with small programs that speak the serving protocol in the place of a model."""

from __future__ import annotations

import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.models.shards import StageKind
from curation.stages.jobs import EngineRequest
from curation.stages.shards import Claim
from toolcalls.records import Message, Sampling
from toolcalls.settings import Settings
from trainer.engines.protocol import EngineError
from worker.children import ChildFailed
from worker.engines import EngineKeeper, EngineSpec, serve_command
from worker.leases import GivenUp, Lease

pytestmark = pytest.mark.process

ANSWERING = """
    import json, os, sys
    print(json.dumps({"ready": True}), flush=True)
    model = "the first"
    for line in sys.stdin:
        batch = json.loads(line)
        if "swap" in batch:
            model = batch["swap"]
            if "slow" in model:
                import time; time.sleep(60)
            if "broken" in model:
                sys.exit("its weights are cut off")
            other = {"error": "another size"} if "larger" in model else {"seconds": 0.1}
            print(json.dumps({"swap": model, **other}), flush=True)
            continue
        for request in batch["requests"]:
            text = request["messages"][-1]["content"]
            if text == "die":
                sys.exit("out of memory, they say")
            if text == "refuse":
                break
            seeds = list(enumerate(request["seeds"]))
            for attempt, seed in reversed(seeds[1:] if text == "forget" else seeds):
                print(json.dumps({
                    "batch": batch["batch"], "id": request["id"], "attempt": attempt, "seed": seed,
                    "text": f"{text} {os.getpid()} {model if text == 'model' else ''}",
                    "finish_reason": "stop", "prompt_tokens": 1,
                    "completion_tokens": 1, "prompt_hash": "0" * 64,
                }), flush=True)
        if batch["requests"][-1]["messages"][-1]["content"] == "refuse":
            print(json.dumps({"batch": batch["batch"], "error": "no such template"}), flush=True)
        elif batch["requests"][-1]["messages"][-1]["content"] == "sleep":
            import time; time.sleep(60)
        else:
            print(json.dumps({"batch": batch["batch"], "end": True, "seconds": 0.0}), flush=True)
"""


def claim(**changes: object) -> Claim:
    values = {
        "shard_id": 1,
        "attempt": 1,
        "stage_kind": StageKind.SAMPLING,
        "run_id": 1,
        "iteration_id": 1,
        "iteration_number": 1,
        "versions": (),
        "settings": Settings(),
        "engine_kind": "transformers",
        "engine_options": {},
        "model": Path("/models/one"),
        "checkpoint_id": None,
        "run_seed": 0,
    }
    return Claim(**{**values, **changes})  # type: ignore[arg-type]


def lease(**changes: object) -> Lease:
    return Lease(claim(**changes), threading.Event())


def ask(text: str, seeds: tuple[int, ...] = (7,)) -> EngineRequest:
    return EngineRequest(id="12", messages=(Message("user", text),), seeds=seeds, sampling=Sampling())


def answering(_: EngineSpec) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(ANSWERING)]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[EngineKeeper]:
    keeper = EngineKeeper(tmp_path / "engine.log", answering)
    yield keeper
    keeper.end()


def process_of(keeper: EngineKeeper, lease: Lease) -> str:
    with keeper.serving(lease) as engine:
        return engine.generate([ask("who")])["12"][0].text


def test_attempts_come_back_in_order(keeper: EngineKeeper) -> None:
    with keeper.serving(lease()) as engine:
        answers = engine.generate([ask("hello", seeds=(5, 6, 7))])
    assert [(generation.attempt, generation.seed) for generation in answers["12"]] == [(0, 5), (1, 6), (2, 7)]


def test_engine_is_kept_while_model_and_choices_stay(keeper: EngineKeeper) -> None:
    assert process_of(keeper, lease()) == process_of(keeper, lease(shard_id=2, stage_kind=StageKind.EVALUATION))


@pytest.mark.parametrize(
    "changes",
    [
        {"model": Path("/models/two")},
        {"engine_options": {"rows": 8}},
        {"settings": Settings(engine_dtype="float32")},
        {"settings": Settings(engine_tensor_parallel=2)},
        {"settings": Settings(engine_memory=0.5)},
    ],
    ids=["model", "options", "dtype", "tensor parallel", "memory"],
)
def test_engine_is_another_when_model_or_choices_change(keeper: EngineKeeper, changes: dict[str, object]) -> None:
    assert process_of(keeper, lease()) != process_of(keeper, lease(**changes))


def vllm(model: str, **changes: object) -> Lease:
    return lease(engine_kind="vllm", model=Path("/models", model), **changes)


def test_vllm_process_stays_when_only_the_model_changes(keeper: EngineKeeper) -> None:
    first = process_of(keeper, vllm("one"))
    with keeper.serving(vllm("two")) as engine:
        assert engine.generate([ask("model")])["12"][0].text == first.replace("who", "model") + "/models/two"
    assert process_of(keeper, vllm("two")) == first
    with pytest.raises(ChildFailed, match="the vllm engine on two"), keeper.serving(vllm("two")) as engine:
        engine.generate([ask("die")])


@pytest.mark.parametrize("model", ["larger", "broken"])
def test_vllm_process_is_another_when_it_cannot_swap(keeper: EngineKeeper, model: str) -> None:
    first = process_of(keeper, vllm("one"))
    with keeper.serving(vllm(model)) as engine:
        (answer,) = engine.generate([ask("model")])["12"]
    assert answer.text.endswith("the first")
    assert answer.text.split()[1] not in first


def test_vllm_process_is_another_when_more_than_the_model_changes(keeper: EngineKeeper) -> None:
    changed = vllm("two", settings=Settings(max_length=512))
    assert process_of(keeper, vllm("one")) != process_of(keeper, changed)


def test_swap_is_killed_when_the_lease_is_lost(keeper: EngineKeeper) -> None:
    process_of(keeper, vllm("one"))
    held = vllm("slow")
    threading.Timer(0.5, held._give_up, ["it was paused"]).start()
    with pytest.raises(GivenUp, match="it was paused"), keeper.serving(held):
        pass
    assert process_of(keeper, vllm("one"))


@pytest.mark.parametrize("idle", [False, True], ids=["at work", "ended before"])
def test_training_waits_until_the_engines_memory_is_free(tmp_path: Path, idle: bool) -> None:
    readings = iter([{"GPU-1": 900}, {"GPU-1": 70_000}, {"GPU-1": 70_000}, {"GPU-1": 1_000}])
    keeper = EngineKeeper(tmp_path / "engine.log", answering, lambda: next(readings))
    process_of(keeper, lease())
    if idle:
        keeper.end_idle(seconds=0)
    keeper.end()
    assert list(readings) == []


def test_engine_starts_again_after_it_was_ended_for_training(keeper: EngineKeeper) -> None:
    first = process_of(keeper, lease())
    keeper.end()
    assert process_of(keeper, lease()) != first


def test_engine_ends_when_it_is_idle(keeper: EngineKeeper) -> None:
    first = process_of(keeper, lease())
    keeper.end_idle(seconds=60)
    assert process_of(keeper, lease()) == first
    keeper.end_idle(seconds=0)
    assert process_of(keeper, lease()) != first


def test_death_of_the_engine_is_told_with_its_last_words(keeper: EngineKeeper) -> None:
    with pytest.raises(ChildFailed, match="out of memory, they say"), keeper.serving(lease()) as engine:
        engine.generate([ask("die")])
    assert process_of(keeper, lease())


def test_refusal_of_a_batch_is_an_engine_error(keeper: EngineKeeper) -> None:
    with pytest.raises(EngineError, match="no such template"), keeper.serving(lease()) as engine:
        engine.generate([ask("refuse")])
    assert process_of(keeper, lease())


def test_missing_attempts_are_an_engine_error(keeper: EngineKeeper) -> None:
    with pytest.raises(EngineError, match="gave 1 of 2 answers"), keeper.serving(lease()) as engine:
        engine.generate([ask("forget", seeds=(1, 2))])


def test_engine_is_killed_when_the_lease_is_lost_in_a_batch(keeper: EngineKeeper) -> None:
    held = lease()
    threading.Timer(0.5, held._give_up, ["it was paused"]).start()
    with pytest.raises(GivenUp, match="it was paused"), keeper.serving(held) as engine:
        engine.generate([ask("sleep")])
    assert not engine.alive


def test_command_states_the_runs_devices_and_memory() -> None:
    chosen = Settings(engine_tensor_parallel=4, engine_memory=0.45, engine_dtype="float32", max_length=1024)
    command = serve_command(EngineSpec.of(claim(engine_kind="vllm", settings=chosen)))
    given = dict(zip(command[4::2], command[5::2], strict=True))
    assert given == {
        "--model": "/models/one",
        "--engine": "vllm",
        "--dtype": "float32",
        "--threads": "1",
        "--max-length": "1024",
        "--tensor-parallel": "4",
        "--memory": "0.45",
        "--options": "{}",
    }


def test_command_of_a_scripted_engine_names_its_script() -> None:
    spec = EngineSpec.of(claim(engine_kind="scripted", engine_options={"script": "/answers.json"}))
    command = serve_command(spec)
    assert command[command.index("--model") + 1] == "/answers.json"
    assert command[command.index("--options") + 1] == "{}"
