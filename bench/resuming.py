"""How soon a killed training goes on, and how many of its steps are made twice (issue 5: at most 30 s and the loading of the
model; at most one checkpoint interval).

A run of one iteration on the tiny base, float32, one thread; a script answers, so that there is little but the training. Once in
peace: from the claim of the training's shard to its first step is what loading takes (a process, torch, the model and that
step). Then the same run again, whose worker is killed -9 `--kills` times in its training, at steps drawn by `--seed`: from each
kill to the first step that is recorded anew. Ends with 1 when a goal is missed, or the adapter is another than in peace.
The result goes to bench/results/resuming.json.

    python bench/resuming.py [--kills 5] [--interval 5] [--samples 48] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.chaos.folder import own_folder  # noqa: E402

RESULTS = ROOT / "bench/results/resuming.json"
MOST = 30.0  # seconds from a kill to the next step, the loading not counted


@dataclass(frozen=True, slots=True)
class Resumed:
    """One kill. Seconds are from the kill on."""

    step: int  # the last that was recorded before it
    repeated: int  # steps recorded before it that were made again
    leased: float  # until another worker had the shard
    trained: float  # until a step was recorded again


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--interval", type=int, default=5, help="training.checkpoint_steps")
    parser.add_argument("--samples", type=int, default=48, help="to train on")
    parser.add_argument("--seed", type=int, default=0, help="of the steps at which a worker is killed")
    arguments = parser.parse_args()
    with own_folder() as var:
        found = measure(arguments, var)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    return 1 if found["complaints"] else 0


def measure(arguments: argparse.Namespace, var: Path) -> dict[str, Any]:
    from django.core.management import call_command

    from bench.chaos import work
    from bench.chaos.runner import in_peace
    from bench.chaos.site import Site

    with Site(var, workers=2) as site:
        call_command("migrate", interactive=False, verbosity=0)
        revision = work.import_world(var, arguments.samples, 4)
        engine = scripted_engine(var)
        site.hire()
        calm, _ = in_peace(work.start_run(revision, engine, settings(arguments.interval)))
        loading, steps = loading_seconds(calm)
        run = work.start_run(revision, engine, settings(arguments.interval))
        chance = random.Random(arguments.seed)
        targets = sorted(chance.sample(range(2, steps - 2 * arguments.interval), arguments.kills))
        kills = [kill_at(site, run, target) for target in targets]
        work.wait_for(lambda: work.is_over(run), run)
        same = adapter(run) == adapter(calm)
    return report(arguments, kills, loading, steps, same=same)


def report(arguments: argparse.Namespace, kills: list[Resumed], loading: float, steps: int, *, same: bool) -> dict[str, Any]:
    beyond = [round(kill.trained - loading, 2) for kill in kills]
    complaints = [f"trained on {seconds} s after a kill, the loading not counted" for seconds in beyond if seconds > MOST]
    complaints += [f"{kill.repeated} steps were repeated" for kill in kills if kill.repeated > arguments.interval]
    complaints += [] if same else ["the adapter is another than that of the run in peace"]
    return {
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "load": os.getloadavg(),
        "options": vars(arguments),
        "steps": steps,
        "loading_seconds": loading,
        "kills": [asdict(kill) for kill in kills],
        "seconds_to_lease": {
            "median": statistics.median(kill.leased for kill in kills),
            "most": max(kill.leased for kill in kills),
        },
        "seconds_to_step": {
            "median": statistics.median(kill.trained for kill in kills),
            "most": max(kill.trained for kill in kills),
        },
        "seconds_beyond_loading": {"median": statistics.median(beyond), "most": max(beyond)},
        "most_repeated": max(kill.repeated for kill in kills),
        "same_adapter": same,
        "complaints": complaints,
    }


def spread(seconds: list[float]) -> dict[str, float]:
    return {"median": statistics.median(seconds), "most": max(seconds)}


def settings(interval: int) -> Any:
    """Two rows a step, so that there are many. A script's tokens are letters."""
    from toolcalls.settings import Settings, Training

    rows = {"batch_rows": 2, "device_rows": 2, "max_length": 1024}
    training = Training(learning_rate=2e-3, dtype="float32", checkpoint_steps=interval, **rows)  # type: ignore[arg-type]
    return Settings(k=2, max_iterations=1, refine_turns=1, max_new_tokens=1000, max_length=50_000, training=training)


def scripted_engine(var: Path) -> Any:
    """One that knows the truth of every sample to train on, and of no other."""
    from curation.stages import registering
    from toolcalls.rendering import render
    from toolcalls.wire import sample_from_json

    samples = [sample_from_json(json.loads(line)) for line in (var / "train.jsonl").read_text().splitlines()]
    rules = [{"contains": f"<|user|>{one.messages[-1].content}<|end|>", "answers": [render(one.truth or ())]} for one in samples]
    script = var / "script.json"
    script.write_text(json.dumps({"rules": rules, "default": ["[nothing(like=1)]"]}))
    return registering.register_engine("script", "scripted", {"script": str(script)})


def loading_seconds(calm: Any) -> tuple[float, int]:
    """From the claim of a training to its first step, and how many steps it has."""
    from curation.models import TrainingStep

    first = TrainingStep.objects.filter(iteration__run=calm).earliest("step")
    return round((first.at - training_shard(calm).leased_at).total_seconds(), 2), first.steps


def kill_at(site: Any, run: Any, step: int) -> Resumed:
    """Kill the worker of the training once this step is recorded, and wait for the next one.

    Raises RuntimeError when the training is over.
    """
    from django.utils import timezone

    from bench.chaos import work
    from curation.models import TrainingStep

    made = TrainingStep.objects.filter(iteration__run=run)
    work.wait_for(lambda: made.filter(step__gte=step).exists() and training_shard(run).state != "pending", run)
    shard = training_shard(run)
    if shard.state != "leased":
        raise RuntimeError(f"the training was over before it could be killed after step {step}; take more --samples")
    victim = next(worker for worker in site.workers if worker.owner == shard.owner)
    victim.kill()
    killed, last = timezone.now(), made.latest("step").step
    site.workers.remove(victim)
    site.hire()
    work.wait_for(lambda: made.filter(at__gt=killed).exists(), run)
    again = made.filter(at__gt=killed).earliest("at")
    leased = training_shard(run).leased_at
    return Resumed(last, max(0, last + 1 - again.step), *(round((at - killed).total_seconds(), 2) for at in (leased, again.at)))


def training_shard(run: Any) -> Any:
    from curation.models import Shard

    return Shard.objects.get(stage__iteration__run=run, stage__kind="training")


def adapter(run: Any) -> str:
    """Its sha256."""
    from curation.models import Checkpoint

    return str(Checkpoint.objects.get(run=run, kind="adapter").sha256)


if __name__ == "__main__":
    sys.exit(main())
