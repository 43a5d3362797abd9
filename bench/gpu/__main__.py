"""Training throughput on one GPU: LoRA on a Llama of a size with random weights, by `trainer.fitting` as a run uses it.

python -m bench.gpu [--size 8b] [--rows 128] [--length 1300] [--device-rows 4]   writes bench/results/gpu.json
Needs torch, transformers, peft and accelerate alone. Without a GPU it says so and does nothing; `--size tiny --on-cpu` tries
the program out. Not yet run on a GPU.

Utilisation counts what must be computed: 4·N a token (two for the forward pass, two for the gradients of the activations; frozen
weights have none) and 6·L²·hidden a layer and row of L tokens for causal attention, of 989 TFLOP/s (bfloat16, H100 and H200).
What gradient checkpointing computes again is not counted.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from toolcalls.settings import Training
from trainer.encoding import EncodedRow
from trainer.fitting import fit, uses_liger
from trainer.supervised import Progress, memory_bytes

RESULTS = Path(__file__).parents[1] / "results" / "gpu.json"
PEAK = 989e12  # FLOP/s of bfloat16 without sparsity, H100 and H200
WARM = 1  # steps that are not timed
SIZES: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 500},
    "8b": {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
    },
}


def random_model(size: str, device: str) -> Any:
    """A Llama in bfloat16 with random weights, made on the device: what a step costs does not depend on them."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            return LlamaForCausalLM(LlamaConfig(max_position_embeddings=8192, **SIZES[size]))
    finally:
        torch.set_default_dtype(torch.float32)


def rows_of(count: int, length: int, vocabulary: int) -> list[EncodedRow]:
    """Rows of about `length` tokens, a tenth more or less, the last tenth of each the answer."""
    chance, rows = random.Random(0), []
    for number in range(count):
        tokens = round(length * chance.uniform(0.9, 1.1))
        ids = tuple(chance.randrange(5, vocabulary) for _ in range(tokens))
        rows.append(EncodedRow(str(number), "direct", ids, tokens - tokens // 10, ()))
    return rows


def flops_per_token(model: Any, rows: list[EncodedRow]) -> float:
    """Floating-point operations that training an adapter needs a real token, the mean over the rows."""
    config, lengths = model.config, [len(row.input_ids) for row in rows]
    weights = sum(weight.numel() for weight in model.parameters()) - model.get_input_embeddings().weight.numel()
    attention = 6 * config.num_hidden_layers * config.hidden_size * sum(length**2 for length in lengths) / sum(lengths)
    return 4 * weights + attention


def measure(size: str, training: Training, rows: list[EncodedRow], device: str) -> dict[str, Any]:
    """One epoch; rates over the steps after the first, which compiles and allocates."""
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    model, times, tokens = random_model(size, device), [], []

    def report(progress: Progress) -> None:
        times.append(time.perf_counter())
        tokens.append(progress.tokens)

    needed = flops_per_token(model, rows)
    fitted = fit(model, rows, training, seed=0, report=report)
    rates = [
        (after - before) / (end - begin)
        for before, after, begin, end in zip(tokens[WARM - 1 :], tokens[WARM:], times[WARM - 1 :], times[WARM:], strict=False)
    ]
    rate = statistics.median(rates)
    return {
        "device_rows": training.device_rows,
        "gradient_checkpointing": training.gradient_checkpointing,
        "liger": uses_liger(training),
        "tokens_per_second": round(rate),
        "slowest_and_fastest_step": [round(min(rates)), round(max(rates))],
        "peak_memory_gib": round(memory_bytes() / 2**30, 1),
        "utilisation": round(rate * needed / PEAK, 3),
        "losses": [round(loss, 3) for loss in fitted.losses],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="8b")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--length", type=int, default=1300)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device-rows", type=int, action="append", help="rows per forward pass; repeat")
    parser.add_argument("--on-cpu", action="store_true", help="to try the program out")
    options = parser.parse_args()
    if not torch.cuda.is_available() and not options.on_cpu:
        print("no GPU: nothing measured")
        return
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = rows_of(options.rows, options.length, SIZES[options.size]["vocab_size"])
    plain = Training(batch_rows=options.batch, checkpoint_steps=0)
    results = []
    for device_rows in options.device_rows or [4, 8]:
        for checkpointing in ("off", "on"):
            training = replace(plain, device_rows=device_rows, gradient_checkpointing=checkpointing)  # type: ignore[arg-type]
            try:
                results.append(measure(options.size, training, rows, device))
            except torch.OutOfMemoryError:
                results.append({"device_rows": device_rows, "gradient_checkpointing": checkpointing, "out_of_memory": True})
            print(json.dumps(results[-1]), flush=True)
    report = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "torch": torch.__version__,
        "size": options.size,
        "rows": options.rows,
        "length": options.length,
        "results": results,
    }
    if device == "cuda":
        RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
