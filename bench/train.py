"""Training throughput: trainer.fitting on transformers' Trainer against a bare hand-written loop, on the tiny base's shape.

python -m bench.train [--threads 1] [--repeats 5] [--rows 256]   writes bench/results/train.json
Both see the same rows in the same order. The bare loop is tuned by hand: working copies of the adapter in the compute
dtype with float32 masters, plain attention, head at the labels only, and no framework around the step.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import platform
import random
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from toolcalls.settings import Training
from trainer.attention import use_plain_attention
from trainer.batches import collate, length_grouped_order
from trainer.encoding import EncodedRow
from trainer.fitting import fit
from trainer.supervised import loss_sum

VOCABULARY = 1740
RESULTS = Path(__file__).parent / "results" / "train.json"


def tiny_model(dtype: str) -> LlamaForCausalLM:
    """The tiny base's shape with random weights; what a step costs does not depend on them."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=3,
        num_key_value_heads=3,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )
    model: LlamaForCausalLM = LlamaForCausalLM(config).to(getattr(torch, dtype))
    return model


def synthetic_rows(count: int) -> list[EncodedRow]:
    """Rows as long as those of the synthetic tool world: prompts of some 60-380 tokens, answers of some 12-150."""
    chance = random.Random(0)
    rows = []
    for number in range(count):
        prompt = min(380, max(60, int(chance.lognormvariate(5.0, 0.4))))
        answer = min(150, max(12, int(chance.lognormvariate(3.5, 0.5))))
        ids = tuple(chance.randrange(5, VOCABULARY) for _ in range(prompt + answer))
        rows.append(EncodedRow(str(number), "direct", ids, prompt, ("",) * len(ids)))
    return rows


def with_trainer(rows: list[EncodedRow], training: Training) -> None:
    fit(tiny_model(training.dtype), rows, training, seed=0)


def bare_loop(rows: list[EncodedRow], training: Training) -> None:
    """One epoch over the same batches, written out by hand."""
    masters, model = _adapted(training)
    working = [p for p in model.parameters() if p.requires_grad]
    owned = [p for p in masters.parameters() if p.requires_grad]
    order = length_grouped_order([len(row.input_ids) for row in rows], training.batch_rows, 0)
    batches = [order[start : start + training.batch_rows] for start in range(0, len(order), training.batch_rows)]
    optimiser = torch.optim.AdamW(owned, lr=training.learning_rate, weight_decay=0.0)
    for step, batch in enumerate(batches):
        inputs = collate([rows[row] for row in batch])
        count = (inputs["labels"] != -100).sum()
        (loss_sum(model, model, inputs["input_ids"], inputs["labels"]) / count).backward()
        for group in optimiser.param_groups:
            group["lr"] = training.learning_rate * _cosine(step, len(batches), training.warmup)
        for source, target in zip(working, owned, strict=True):
            if source is not target:
                target.grad, source.grad = source.grad.float(), None
        torch.nn.utils.clip_grad_norm_(owned, training.max_grad_norm)
        optimiser.step()
        optimiser.zero_grad()
        with torch.no_grad():
            for source, target in zip(working, owned, strict=True):
                if source is not target:
                    source.copy_(target)


def _adapted(training: Training) -> tuple[Any, Any]:
    """The model with its float32 adapter, and the copy that computes (the same model in float32)."""
    model = tiny_model(training.dtype)
    use_plain_attention(model)
    config = LoraConfig(r=training.lora_rank, lora_alpha=training.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    masters: Any = get_peft_model(model, config)
    working = copy.deepcopy(masters).to(torch.bfloat16) if training.dtype == "bfloat16" else masters
    return masters.train(), working.train()


def _cosine(step: int, steps: int, warmup: float) -> float:
    rising = math.ceil(steps * warmup)
    if step < rising:
        return step / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def rate(run: Callable[[list[EncodedRow], Training], None], rows: list[EncodedRow], training: Training) -> dict[str, float]:
    """Real tokens per second of wall clock and of the process's CPU time, model building included on both sides."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(rows, training)
    tokens = sum(len(row.input_ids) for row in rows)
    return {"wall": tokens / (time.perf_counter() - wall), "cpu": tokens / (time.process_time() - cpu)}


def measure(rows: list[EncodedRow], training: Training, repeats: int) -> dict[str, Any]:
    """Medians over interleaved runs, and the median of the pairwise ratios Trainer : bare loop."""
    for run in (with_trainer, bare_loop):
        run(rows[:32], training)
    pairs = [(rate(with_trainer, rows, training), rate(bare_loop, rows, training)) for _ in range(repeats)]
    result: dict[str, Any] = {"dtype": training.dtype}
    for clock in ("wall", "cpu"):
        result[f"trainer_tokens_per_{clock}_second"] = round(statistics.median(ours[clock] for ours, _ in pairs))
        result[f"bare_tokens_per_{clock}_second"] = round(statistics.median(bare[clock] for _, bare in pairs))
        result[f"ratio_{clock}"] = round(statistics.median(ours[clock] / bare[clock] for ours, bare in pairs), 3)
    return result


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
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
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=256)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = synthetic_rows(options.rows)
    report: dict[str, Any] = {
        "machine": machine(),
        "threads": options.threads,
        "rows": options.rows,
        "batch_rows": 8,
        "results": [],
    }
    for dtype in ("float32", "bfloat16"):
        training = Training(batch_rows=8, learning_rate=2e-3, threads=options.threads, dtype=dtype)
        report["results"].append(measure(rows, training, options.repeats))
        print(json.dumps(report["results"][-1]), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
