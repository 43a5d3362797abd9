"""Training throughput on a CPU: `trainer.fitting` against TRL's SFTTrainer, and against a bare loop that is tuned by hand.

python -m bench.train [--threads 1] [--repeats 3] [--rows 160]   writes bench/results/train.json
All see the same rows, LoRA r 16 on all linear layers, one epoch. Real tokens are counted, no padding. TRL is timed from its
train() on, ours from `fit` on, which adds the making of the adapter. TRL: `pip install -e ".[bench]"`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import transformers

from bench.train import peer
from bench.train.bare import bare_loop
from bench.train.models import model_of, synthetic_rows
from toolcalls.settings import Training
from trainer.batches import length_grouped_order
from trainer.encoding import EncodedRow
from trainer.fitting import fit

RESULTS = Path(__file__).parents[1] / "results" / "train.json"
Measured = Callable[[], tuple[float, float]]  # seconds by the clock and of the process's CPUs


def ours(shape: str, rows: Sequence[EncodedRow], training: Training) -> tuple[float, float]:
    model = model_of(shape, training.dtype)
    return timed(lambda: fit(model, rows, training, seed=0))


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def sides(shape: str, rows: list[EncodedRow], training: Training) -> dict[str, Measured]:
    """Who is measured, ours first."""
    others: dict[str, Measured] = {"ours": lambda: ours(shape, rows, training)}
    for name, (dtype, changes) in (peer.DEFAULTS | dict(peer.SETTINGS[training.dtype])).items():
        others[f"TRL: {name}"] = lambda dtype=dtype, changes=changes: peer.peer_run(shape, rows, training, dtype, changes)[:2]  # type: ignore[misc]
    others["bare loop"] = lambda: timed(lambda: bare_loop(shape, rows, training))
    return others


def measure(shape: str, rows: list[EncodedRow], training: Training, repeats: int) -> dict[str, Any]:
    """Real tokens a second of each, medians over interleaved rounds, and medians of ours divided by each in the same round."""
    tokens = sum(len(row.input_ids) for row in rows)
    for measured in sides(shape, rows[: 2 * training.batch_rows], training).values():
        measured()
    rounds = [{name: measured() for name, measured in sides(shape, rows, training).items()} for _ in range(repeats)]
    result: dict[str, Any] = {"shape": shape, "dtype": training.dtype, "tokens": tokens, "sides": {}}
    clocks = ("wall", "cpu")
    for name in rounds[0]:
        rates = [statistics.median(tokens / each[name][place] for each in rounds) for place in range(len(clocks))]
        ratios = [statistics.median(each[name][place] / each["ours"][place] for each in rounds) for place in range(len(clocks))]
        result["sides"][name] = {
            "tokens_per_second": {clock: round(rate) for clock, rate in zip(clocks, rates, strict=True)},
            "ours_is_times": {clock: round(ratio, 2) for clock, ratio in zip(clocks, ratios, strict=True)},
        }
    return result


def same_curve(shape: str, rows: list[EncodedRow], training: Training) -> dict[str, Any]:
    """Both loss curves in float32, from the same start, over the same batches: largest difference of a step."""
    exact = replace(training, dtype="float32")
    order = length_grouped_order([len(row.input_ids) for row in rows], exact.batch_rows, 0)
    changes = {"gradient_checkpointing": False, "bf16": False, "train_sampling_strategy": "sequential", "logging_steps": 1}
    theirs = peer.peer_run(shape, [rows[row] for row in order], exact, "float32", changes, same_start=True).losses
    own = fit(model_of(shape, "float32"), rows, exact, seed=0).losses
    return {
        "shape": shape,
        "steps": len(own),
        "first": own[0],
        "last": own[-1],
        "largest_difference": _largest(own, theirs),
    }


def _largest(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(mine - theirs) for mine, theirs in zip(one, other, strict=True))


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    import trl

    names = [
        line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    return {
        "commit": commit,
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "trl": trl.__version__,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=160)
    options = parser.parse_args()
    if importlib.util.find_spec("trl") is None:
        print('TRL is not installed: nothing measured; pip install -e ".[bench]"')
        return
    torch.set_num_threads(options.threads)
    training = Training(batch_rows=8, learning_rate=2e-3, threads=options.threads)
    rows = synthetic_rows(options.rows)
    report: dict[str, Any] = {"machine": machine(), "threads": options.threads, "rows": options.rows, "batch_rows": 8}
    report["same_curve"] = same_curve("tiny", rows, training)
    print(json.dumps(report["same_curve"]), flush=True)
    report["results"] = []
    for shape, dtype in (("tiny", "bfloat16"), ("tiny", "float32"), ("small", "bfloat16")):
        few = rows if shape == "tiny" else rows[: options.rows // 4]
        report["results"].append(measure(shape, few, replace(training, dtype=dtype), options.repeats))
        print(json.dumps(report["results"][-1]), flush=True)
        RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
