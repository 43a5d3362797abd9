"""What sampling mode until_hit saves of mode all, on the tiny base with the transformers engine, beside what the first hits
of all say that it can save; and what it gains to sample the longest prompts first.

Samples of the tiny world's hard tier are sampled by `trainer.sampling`, shard by shard, in four ways that take turns,
`--rounds` times: all attempts, until the first hit, the same with prompts run anew in each wave, and all attempts of shards cut
in the order of the pool. Seconds are medians. The result goes to bench/results/sampling_modes.json.

    python bench/sampling_modes.py --threads 1
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
import transformers  # noqa: E402

from toolcalls.prompts import run_messages  # noqa: E402
from toolcalls.records import Sample  # noqa: E402
from toolcalls.settings import Settings  # noqa: E402
from toolcalls.waves import batch_samples  # noqa: E402
from toolcalls.wire import sample_from_json  # noqa: E402
from trainer.engines.protocol import Completion, Engine, Request  # noqa: E402
from trainer.engines.registry import open_engine  # noqa: E402
from trainer.pool import PoolLine  # noqa: E402
from trainer.sampling import sample_direct  # noqa: E402
from trainer.selection import is_hit  # noqa: E402

MODEL = ROOT / "trainer/tiny/checkpoint"


class Counting:
    """An engine that counts what it draws, also the attempts that a wave drew after a hit and that nobody sees."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.name, self.end_ids, self.max_length = engine, engine.name, engine.end_ids, engine.max_length
        self.encode, self.close = engine.encode, engine.close
        self.drawn = {"attempts": 0, "tokens": 0}

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion]:
        for completion in self.engine.generate(requests):
            self.drawn["attempts"] += 1
            self.drawn["tokens"] += len(completion.token_ids)
            yield completion


def pool(count: int) -> list[Sample]:
    """The first samples of the demonstration's pool."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "pool.jsonl"
        values = ["--setting", "hard", "--split", "train", "--count", str(count), "--out", str(out)]
        subprocess.run([sys.executable, "-m", "trainer.tiny", "world", *values], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return [sample_from_json(json.loads(line)) for line in out.read_text().splitlines()]


def sampled(engine: Engine, samples: Sequence[Sample], settings: Settings) -> list[PoolLine]:
    size = batch_samples(settings)
    shards = [samples[start : start + size] for start in range(0, len(samples), size)]
    return [line for shard in shards for line in sample_direct(engine, shard, settings, 1)]


def first_hits(lines: Sequence[PoolLine], settings: Settings) -> dict[str, int | None]:
    """Sample → the number of its first attempt that hits."""
    return {
        line.sample.id: next((one.attempt for one in line.direct if is_hit(one, line.sample, settings)), None) for line in lines
    }


def volume(lines: Sequence[PoolLine], upto: dict[str, int | None] | None = None) -> dict[str, int]:
    """Attempts and tokens of answers, of each line those up to its first hit where `upto` is given."""
    kept = [
        one
        for line in lines
        for one in line.direct
        if upto is None or (hit := upto[line.sample.id]) is None or one.attempt <= hit
    ]
    return {"attempts": len(kept), "tokens": sum(one.completion_tokens for one in kept)}


def saving(of: dict[str, int], whole: dict[str, int]) -> dict[str, float]:
    """What fraction is not made."""
    return {name: round(1 - of[name] / whole[name], 4) for name in whole}


def measure(engine: Engine, forgetful: Engine, samples: Sequence[Sample], settings: Settings, rounds: int) -> dict[str, Any]:
    longest = sorted(samples, key=lambda sample: -len(engine.encode(run_messages(sample, settings))))
    until = dataclasses.replace(settings, sampling_mode="until_hit")
    ways = {
        "all": (engine, longest, settings),
        "until_hit": (engine, longest, until),
        "until_hit_prompts_anew": (forgetful, longest, until),
        "all_in_pool_order": (engine, samples, settings),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    lines: dict[str, list[PoolLine]] = {}
    drawn: dict[str, dict[str, int]] = {}
    for _ in range(rounds):
        for name, (asked, ordered, chosen) in ways.items():
            counting, start, began = Counting(asked), time.perf_counter(), time.process_time()
            lines[name] = sampled(counting, ordered, chosen)
            seconds[name].append(round(time.perf_counter() - start, 2))
            cpu[name].append(round(time.process_time() - began, 2))
            drawn[name] = counting.drawn
    medians, cpu_medians = ({name: statistics.median(values) for name, values in each.items()} for each in (seconds, cpu))
    whole, hits = volume(lines["all"]), first_hits(lines["all"], settings)
    stopped = first_hits(lines["until_hit"], settings)
    texts = {line.sample.id: [one.text for one in line.direct] for line in lines["all"]}
    same = [one.text == texts[line.sample.id][one.attempt] for line in lines["until_hit"] for one in line.direct]
    return {
        "drawn": drawn,
        "kept": {name: volume(each) for name, each in lines.items()},
        "predicted_saving": saving(volume(lines["all"], hits), whole),
        "realised_saving": saving(drawn["until_hit"], whole)
        | {
            "seconds": round(1 - medians["until_hit"] / medians["all"], 4),
            "cpu_seconds": round(1 - cpu_medians["until_hit"] / cpu_medians["all"], 4),
        },
        "realised_saving_prompts_anew": {
            "seconds": round(1 - medians["until_hit_prompts_anew"] / medians["all"], 4),
            "cpu_seconds": round(1 - cpu_medians["until_hit_prompts_anew"] / cpu_medians["all"], 4),
        },
        "longest_first_saves": round(1 - medians["all"] / medians["all_in_pool_order"], 4),
        "longest_first_saves_cpu": round(1 - cpu_medians["all"] / cpu_medians["all_in_pool_order"], 4),
        "selected": {
            "all": sum(hit is not None for hit in hits.values()),
            "until_hit": sum(h is not None for h in stopped.values()),
        },
        "selected_in_one_only": sum((hits[name] is None) != (stopped[name] is None) for name in hits),
        "attempts_of_the_same_text": f"{sum(same)} of {len(same)}",
        "seconds": medians,
        "all_seconds": seconds,
        "all_cpu_seconds": cpu,
    }


def commit() -> str:
    """The commit that is measured, with "+" when the working tree differs from it."""
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "trainer", "toolcalls"], cwd=ROOT, check=False).returncode
    return head + ("+" if changed else "")


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description="Sampling modes: all attempts against those up to the first hit.")
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "bench/results/sampling_modes.json")
    arguments = parser.parse_args()
    settings = Settings(k=arguments.k, max_new_tokens=200, max_length=1024)
    engine, forgetful = (
        open_engine(
            "transformers", str(MODEL), dtype=arguments.dtype, threads=arguments.threads, max_length=1024, options=options
        )
        for options in ({}, {"kept": 0})
    )
    result = {
        "commit": commit(),
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
            "load": round(os.getloadavg()[0], 2),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        "settings": {name: value for name, value in vars(arguments).items() if name != "out"},
        **measure(engine, forgetful, pool(arguments.samples), settings, arguments.rounds),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
