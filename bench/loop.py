"""What the loop costs beside its engine: seconds of sampling and refinement by a worker into Postgres, from the first shard to
the last, over those that the bare engine takes for the same batches, both after the model was loaded; and how many
generations a second go through where the engine costs nothing.

Samples of the tiny world's hard tier, the embedded Postgres with its usual settings (durable), one worker. The bare engine
tokenises and answers in a process of its own, without JSON and without a database. Runs take turns with the bare engine,
`--rounds` times; seconds are medians, and ratios of CPU seconds (worker, engine and the worker's connections) stand beside
those of the clock. The result goes to bench/results/loop.json.

    python bench/loop.py [--engine vllm] [--samples 512] [--free-samples 4096] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.web.serving import cpu_seconds  # noqa: E402
from toolcalls.settings import Settings  # noqa: E402

MODEL = ROOT / "trainer/tiny/checkpoint"
RESULTS = ROOT / "bench/results/loop.json"
WRONG = ('[other_tool(x="1")]', "I do not know.", "[broken(", "")  # what a script answers besides the truth and a near miss


def worker(arguments: argparse.Namespace, server: int) -> dict[str, Any]:
    """Both measurements, in a process whose Postgres (process id `server`) runs."""
    tiny = Settings(
        k=arguments.k, max_new_tokens=200, max_length=1024, review="required", max_iterations=1, refine_turns=1,
        engine_dtype=arguments.dtype, engine_threads=arguments.threads,
    )  # fmt: skip
    wide = Settings(k=arguments.k, max_new_tokens=1000, max_length=100_000, review="required", max_iterations=1, refine_turns=1)
    found: dict[str, Any] = {}
    if arguments.samples:
        found["engine"] = against_bare(_prepared("engine", arguments.samples), arguments, tiny)
    if arguments.free_samples:
        found["free"] = without_cost(_prepared("free", arguments.free_samples), arguments, wide, server)
    return found


def against_bare(revision: Any, arguments: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Rounds of a run and of the bare engine over the same batches."""
    from curation.stages import registering

    engine = registering.register_engine("bench", arguments.engine, {})
    whole: list[dict[str, float]] = []
    bare: list[dict[str, float]] = []
    for _ in range(arguments.rounds):
        iteration, seconds = run_once(revision, engine, settings)
        whole.append(seconds)
        bare.append(bare_seconds(iteration, arguments))
        print(whole[-1], bare[-1], file=sys.stderr, flush=True)
    ratios = {
        name: [round(a[name] / b[name], 3) for a, b in zip(whole, bare, strict=True)] for name in ("seconds", "cpu_seconds")
    }
    return {
        "generations": bare[0]["generations"],
        "loop": whole,
        "bare": bare,
        "ratio": statistics.median(ratios["seconds"]),
        "cpu_ratio": statistics.median(ratios["cpu_seconds"]),
        "ratios": ratios,
    }


def without_cost(revision: Any, arguments: argparse.Namespace, settings: Settings, server: int) -> dict[str, Any]:
    """Generations a second by a script, of each turn and of both."""
    from curation.models import Generation
    from curation.stages import registering

    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.json"
        script.write_text(json.dumps({"answers": answers_of(revision, arguments.k), "default": ["[nothing(like=1)]"]}))
        engine = registering.register_engine("free", "scripted", {"script": str(script)})
        rounds = []
        for _ in range(arguments.rounds):
            postgres = cpu_seconds(server)
            iteration, seconds = run_once(revision, engine, settings)
            made = Generation.objects.filter(iteration=iteration).count()
            postgres = cpu_seconds(server) - postgres
            rounds.append({"generations": made, **seconds, "postgres_cpu_seconds": round(postgres, 2)})
            rounds[-1]["generations_per_second"] = round(made / seconds["seconds"])
            print(rounds[-1], file=sys.stderr, flush=True)
    return {"rounds": rounds, "generations_per_second": statistics.median(each["generations_per_second"] for each in rounds)}


def run_once(revision: Any, engine: Any, settings: Settings) -> tuple[Any, dict[str, float]]:
    """A run up to its review; its iteration, and what the two stages of it took by the clock and of the CPU."""
    from curation.models import Stage
    from curation.stages import registering, running
    from worker.tasks import station

    base = registering.register_base("tiny", MODEL)
    run = running.create_run(revision.dataset.project, revision, base, engine, settings)
    running.start_run(run)
    clock: dict[str, float] = {}
    _when_sampling_begins(clock)
    station.work_off()
    cpu = cpu_seconds(os.getpid()) - clock["cpu"]
    station.engines.end()
    run.refresh_from_db()
    assert run.state == "running", run.why
    iteration = run.iterations.get(number=1)
    stages = {stage.kind: stage for stage in Stage.objects.filter(iteration=iteration)}
    spans = {kind: (stages[kind].closed_at - stages[kind].opened_at).total_seconds() for kind in ("sampling", "refinement")}
    seconds = (stages["refinement"].closed_at - stages["sampling"].opened_at).total_seconds()
    return iteration, {"seconds": seconds, **spans, "cpu_seconds": round(cpu, 2)}


def _when_sampling_begins(clock: dict[str, float]) -> None:
    """Note the CPU seconds of this process and its children when the first shard is begun: the model is loaded then."""
    from curation.models.shards import StageKind
    from worker import tasks
    from worker.tasks import sampling

    def run(station: Any, lease: Any) -> str:
        clock.setdefault("cpu", cpu_seconds(os.getpid()))
        return sampling.run(station, lease)

    tasks.station._tasks[StageKind.SAMPLING] = run  # type: ignore[index]


def bare_seconds(iteration: Any, arguments: argparse.Namespace) -> dict[str, float]:
    """The requests of both stages' shards, by the engine alone in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "batches.jsonl"
        with path.open("w") as file:
            for batch in batches(iteration):
                file.write(json.dumps([asdict(request) for request in batch]) + "\n")
        options = ["--engine", arguments.engine, "--dtype", arguments.dtype, "--threads", str(arguments.threads)]
        command = [sys.executable, str(Path(__file__)), "--bare", str(path), *options]
        return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1]))


def batches(iteration: Any) -> Iterator[Sequence[Any]]:
    """What each shard asked, in the order of the shards."""
    from curation.models import Shard
    from curation.stages import refinement, sampling
    from curation.stages.shards import unheld

    for kind, requests in (("sampling", sampling.requests), ("refinement", refinement.requests)):
        stage = iteration.stages.select_related("iteration__run__base", "iteration__run__engine").get(kind=kind)
        for shard in Shard.objects.filter(stage=stage).order_by("number"):
            yield requests(unheld(stage, shard.versions))


def bare(arguments: argparse.Namespace) -> None:
    """The engine in this process; writes its seconds to stdout."""
    from toolcalls.records import Message, Sampling
    from trainer.asking import answers
    from trainer.engines.protocol import MessageRequest
    from trainer.engines.registry import open_engine

    def request(raw: dict[str, Any]) -> MessageRequest:
        messages = tuple(Message(**each) for each in raw["messages"])
        return MessageRequest(raw["id"], messages, tuple(raw["seeds"]), Sampling(**raw["sampling"]), raw["first"])

    asked = [[request(raw) for raw in json.loads(line)] for line in arguments.bare.read_text().splitlines()]
    engine = open_engine(
        arguments.engine, str(MODEL), dtype=arguments.dtype, threads=arguments.threads, max_length=1024, options={}
    )
    list(answers(engine, asked[0][:1]))  # as the evaluation's answers have warmed the run's
    start, cpu = time.perf_counter(), cpu_seconds(os.getpid())
    generations = sum(sum(1 for _ in answers(engine, batch)) for batch in asked if batch)
    seconds, cpu = time.perf_counter() - start, cpu_seconds(os.getpid()) - cpu
    engine.close()
    print(json.dumps({"generations": generations, "seconds": round(seconds, 3), "cpu_seconds": round(cpu, 2)}))


def answers_of(revision: Any, k: int) -> dict[str, list[str]]:
    """Sample version → what a script answers: of eight attempts two are the truth, two a near miss and four wrong."""
    from curation.stages import pool
    from toolcalls.answers import Call
    from toolcalls.rendering import render

    versions = list(revision.entries.values_list("version_id", flat=True))
    found: dict[str, list[str]] = {}
    for number, entry in pool.load(versions).items():
        truth = entry.sample.truth or ()
        near = [Call(call.name, {name: "another" if not at else value for at, (name, value) in enumerate(call.arguments.items())})
                for call in truth]  # fmt: skip
        cycle = [WRONG[0], render(near), render(truth), WRONG[1], render(near), WRONG[2], render(truth), WRONG[3]]
        found[str(number)] = [cycle[attempt % len(cycle)] for attempt in range(k)]
    return found


def _prepared(name: str, samples: int) -> Any:
    """A revision of so many samples of the hard tier, and a few held out, so that the evaluation of the base loads the model."""
    from curation.stages import projects
    from curation.stages.importing import import_dataset

    project = projects.find_or_create_project("bench/loop")
    with tempfile.TemporaryDirectory() as folder:
        for split, count, append in (("train", samples, False), ("heldout", 4, True)):
            out = Path(folder) / f"{split}.jsonl"
            values = ["--setting", "hard", "--split", split, "--count", str(count), "--out", str(out)]
            command = [sys.executable, "-m", "trainer.tiny", "world", *values]
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            made = import_dataset(project, name, out, format="whetstone", split=split, append=append)  # type: ignore[arg-type]
    return made.revision


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """A database of its own, in a folder that is gone afterwards."""
    from curation.services.paths import Paths
    from curation.services.postgres import EmbeddedPostgres

    folder = Path(tempfile.mkdtemp(prefix="whetstone-bench-"))
    paths = Paths(folder)
    server = EmbeddedPostgres(paths)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "curation.settings", "WHETSTONE_VAR": str(folder), "DATABASE_URL": server.url,
        "LOG_LEVEL": "WARNING", "SECRET_KEY": "of no use outside the benchmark", "MODEL_ROOTS": str(MODEL.parent),
        "DATABASE_KEPT": "1",  # as worker.app has it
    }  # fmt: skip
    server.start()
    try:
        assert server.process is not None
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        return worker(arguments, server.process.pid)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(paths.sockets, ignore_errors=True)


def machine() -> dict[str, Any]:
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ":")
    return {
        "cpu": cpu.partition(":")[2].strip() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit that is measured, with "+" when the working tree differs from it."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    packages = ("trainer", "toolcalls", "curation", "worker")
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", *packages], check=False).returncode
    return head + ("+" if changed else "")


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("transformers", "vllm"), default="transformers")
    parser.add_argument("--samples", type=int, default=512, help="of the runs on the engine; 0: none")
    parser.add_argument("--free-samples", type=int, default=4096, help="of the runs by a script; 0: none")
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        bare(arguments)
        return
    said = {name: value for name, value in vars(arguments).items() if name not in ("out", "bare")}
    result = {"commit": commit(), "machine": machine(), "settings": said, **measure(arguments)}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
