"""The two sampling modes side by side, each by a real engine child: the same attempts as far as they go, the same selection."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.models import Engine, Generation, Run, Shard, Stage, Verdict
from curation.models.shards import ShardState, StageKind, StageState
from curation.stages import running
from toolcalls.settings import Settings
from worker.tasks import station, wake_up

Start = Callable[..., Run]
Script = Callable[..., Engine]
World = Callable[[str, int], bytes]

BYTES = Settings(
    k=4, max_new_tokens=1000, max_length=50_000, max_iterations=1, refine_turns=0, shard_samples=4, review="required"
)
TOKENS = dataclasses.replace(BYTES, k=3, max_new_tokens=80, max_length=1024, engine_dtype="float32")


@pytest.fixture(autouse=True)
def end_engines() -> object:
    yield
    station.engines.end()


def sampled(start: Start, engine: Engine, chosen: Settings, mode: str, **more: Any) -> Run:
    """A run that has sampled, refined and stopped for review."""
    run = start(engine, dataclasses.replace(chosen, sampling_mode=mode, **more))
    wake_up()
    run.refresh_from_db()
    return run


def attempts(run: Run) -> dict[tuple[int, int], list[tuple[Any, ...]]]:
    """(version, turn) → attempt, seed, text and max_param_diff of every attempt."""
    found: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
    for row in Generation.objects.filter(iteration__run=run, attempt__gte=0).order_by("version_id", "turn", "attempt"):
        found.setdefault((row.version_id, row.turn), []).append((row.attempt, row.seed, row.text, row.max_param_diff))
    return found


def selected(run: Run) -> set[tuple[int, int]]:
    return set(Verdict.objects.selected().filter(iteration__run=run).values_list("version_id", "turn"))


def check(everything: Run, until_hit: Run, k: int) -> None:
    """What the shorter run has is the longer one's, up to and with the first hit."""
    full, short = attempts(everything), attempts(until_hit)
    assert full.keys() == short.keys()
    for key, given in full.items():
        hits = [number for number, (*_, diff) in enumerate(given) if diff is not None and diff <= 1]
        assert short[key] == given[: hits[0] + 1 if hits else k]
    assert selected(everything) == selected(until_hit)
    for verdict in Verdict.objects.filter(iteration__run=until_hit):
        assert verdict.attempts == len(short[verdict.version_id, verdict.turn])
        assert verdict.censored == (verdict.attempts < k)
    assert Verdict.objects.filter(iteration__run=until_hit, censored=True).exists()
    assert not Verdict.objects.filter(iteration__run=everything, censored=True).exists()
    counts = [
        (one.selected_direct, one.selected_refine, one.identical_exact)
        for one in (r.iterations.get(number=1) for r in (everything, until_hit))
    ]
    assert counts[0] == counts[1]


def some_hit(script: Script, world: World, **keys: Any) -> Engine:
    """A script by which 6 samples are hit by attempt 0, 6 by attempt 2 and the rest never."""
    engine = script(b"\n".join(world("train", 24).splitlines()[:12]), **keys)
    path = Path(engine.options["script"])
    document = json.loads(path.read_text())
    for rule in document["rules"][6:]:
        rule["answers"] = ["[nothing(like=1)]", "[nothing(like=2)]", *rule["answers"]]
    path.write_text(json.dumps(document))
    return engine


@pytest.mark.parametrize("first_answer", ["sampled", "greedy"])
def test_both_modes_select_the_same_by_a_script(start: Start, script: Script, world: World, first_answer: str) -> None:
    engine = some_hit(script, world)
    runs = [sampled(start, engine, BYTES, mode, first_answer=first_answer) for mode in ("all", "until_hit")]
    check(*runs, k=4)
    made = Generation.objects.filter(iteration__run=runs[1], turn=0, attempt__gte=0).count()
    assert made == 6 * 1 + 6 * 3 + 12 * 4
    assert Shard.objects.filter(stage__iteration__run=runs[1], stage__kind=StageKind.SAMPLING).count() == 2


def test_both_modes_select_the_same_by_the_tiny_base(start: Start, tiny_engine: Engine) -> None:
    check(*(sampled(start, tiny_engine, TOKENS, mode) for mode in ("all", "until_hit")), k=3)


def test_rows_are_the_same_when_the_engine_dies_between_two_waves(
    start: Start, script: Script, world: World, tmp_path: Path
) -> None:
    calm = sampled(start, some_hit(script, world), BYTES, "until_hit")
    asked = 4 + 16 + 5  # the evaluation's requests, a first wave, and some of a second
    died = sampled(start, some_hit(script, world, die_at=asked, once=str(tmp_path / "died")), BYTES, "until_hit")
    assert (tmp_path / "died").exists()
    assert attempts(calm) == attempts(died)
    assert Shard.objects.filter(stage__iteration__run=died, stage__kind=StageKind.SAMPLING, attempt=2).count() == 1


@pytest.mark.chaos
@pytest.mark.process
def test_rows_are_the_same_after_a_pause_and_a_kill_between_two_waves(
    start: Start, script: Script, world: World, start_worker: Callable[[], Any], wait_for: Callable[..., Any]
) -> None:
    chosen = dataclasses.replace(BYTES, shard_samples=2)
    calm = sampled(start, some_hit(script, world), chosen, "until_hit")
    slow = some_hit(script, world, seconds=0.5)
    run = start(slow, dataclasses.replace(chosen, sampling_mode="until_hit"))
    first = Shard.objects.filter(stage__iteration__run=run, stage__kind=StageKind.SAMPLING, number=0)

    def after_a_first_wave(worker: Any) -> bool:
        log = station.logs / f"engine-{worker.process.pid}.log"
        said = log.read_text() if log.exists() else ""  # a shard is leased before its engine starts
        return first.filter(state=ShardState.LEASED).exists() and ": 8 completions" in said.split("4 completions")[-1]

    worker = start_worker()
    wait_for(lambda: after_a_first_wave(worker))
    run.refresh_from_db()
    running.pause_run(run)
    wait_for(lambda: not first.filter(state=ShardState.LEASED).exists(), 5)
    assert not Generation.objects.filter(iteration__run=run).exists()
    worker.kill()

    worker = start_worker()
    running.resume_run(run)
    wait_for(lambda: after_a_first_wave(worker))
    worker.kill()
    assert not Generation.objects.filter(iteration__run=run).exists()
    quick = Path(slow.options["script"])
    quick.write_text(json.dumps({**json.loads(quick.read_text()), "seconds": 0}))
    start_worker()
    wait_for(lambda: Stage.objects.filter(iteration__run=run, kind=StageKind.REVIEW, state=StageState.RUNNING).exists())
    assert attempts(run) == attempts(calm)
    assert (first.get().attempt, first.get().deaths) == (3, 1)
