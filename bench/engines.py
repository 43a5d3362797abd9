"""Tokens per second of the transformers engine against transformers' own generate, on a random model of the tiny base's shape.

Both answer the same prompts with the same number of attempts and of new tokens (no answer ends early), interleaved, `--rounds`
times; the figures are medians. generate runs as a user would run it: all attempts at a prompt by num_return_sequences, prompts
batched by length so that a batch has `--generate-rows` rows. The result goes to bench/results/engines.json.

    python bench/engines.py --threads 1
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
import transformers  # noqa: E402
from tokenizers import Tokenizer, models  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast  # noqa: E402

from toolcalls.records import Sampling  # noqa: E402
from trainer.engines.decoding import Budget  # noqa: E402
from trainer.engines.protocol import Request  # noqa: E402
from trainer.engines.transformers import TransformersEngine  # noqa: E402

VOCABULARY = 1700
K = 8  # attempts per prompt


def tiny_model(dtype: torch.dtype) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """Random weights, 2.1 M parameters, whose end token is never drawn because it is none of the vocabulary's."""
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
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    words = {f"w{number}": number for number in range(VOCABULARY)} | {"<|end|>": VOCABULARY}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="w0")), eos_token="<|end|>")
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['content'] }}{% if m['role'] == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    )
    return LlamaForCausalLM(config).to(dtype).eval(), tokenizer


def prompts(number: int) -> list[tuple[int, ...]]:
    """Random prompts of 80 to 240 tokens, as long as those of the tiny world."""
    source = random.Random(0)
    return [tuple(source.randrange(VOCABULARY) for _ in range(source.randint(80, 240))) for _ in range(number)]


def by_engine(texts: Sequence[tuple[int, ...]], new: int, rows: int, dtype: torch.dtype) -> Callable[[], int]:
    """A function that answers all prompts by the engine and gives the number of tokens."""
    model, tokenizer = tiny_model(dtype)
    engine = TransformersEngine(model, tokenizer, max_length=1024, budget=Budget(rows=rows))
    requests = [
        Request(str(n), text, tuple(range(K * n, K * n + K)), Sampling(max_new_tokens=new)) for n, text in enumerate(texts)
    ]
    return lambda: sum(len(completion.token_ids) for completion in engine.generate(requests))


def by_generate(texts: Sequence[tuple[int, ...]], new: int, rows: int, dtype: torch.dtype) -> Callable[[], int]:
    """The same by transformers' generate."""
    model, _ = tiny_model(dtype)
    ordered = sorted(texts, key=len)
    batches = [ordered[start : start + max(1, rows // K)] for start in range(0, len(ordered), max(1, rows // K))]

    def run() -> int:
        tokens = 0
        for batch in batches:
            longest = max(map(len, batch))
            ids = torch.tensor([[*[0] * (longest - len(text)), *text] for text in batch])
            mask = torch.tensor([[*[0] * (longest - len(text)), *[1] * len(text)] for text in batch])
            out: Any = model.generate(
                ids, attention_mask=mask, do_sample=True, top_k=0, max_new_tokens=new, num_return_sequences=K, pad_token_id=0
            )
            tokens += (out.shape[1] - longest) * len(out)
        return tokens

    return run


def measured(run: Callable[[], int]) -> float:
    """Tokens per second of one run."""
    start = time.perf_counter()
    tokens = run()
    return tokens / (time.perf_counter() - start)


def compare(dtype: torch.dtype, arguments: argparse.Namespace) -> dict[str, Any]:
    """Medians of interleaved runs of the engine and of generate at each number of rows, and of each round's ratio to the best."""
    texts = prompts(arguments.prompts)
    ways = {"engine": by_engine(texts, arguments.new_tokens, arguments.rows, dtype)}
    for rows in arguments.generate_rows:
        ways[f"generate_{rows}_rows"] = by_generate(texts, arguments.new_tokens, rows, dtype)
    for run in ways.values():
        run()
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, run in ways.items():
            speeds[name].append(measured(run))
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    per_round = [own / max(others) for own, *others in zip(*speeds.values(), strict=True)]
    return {
        "tokens_per_second": {name: round(value) for name, value in medians.items()},
        "all_runs": {name: [round(value) for value in values] for name, values in speeds.items()},
        "ratio_to_best_generate": round(statistics.median(per_round), 2),
        "ratio_per_round": [round(value, 2) for value in per_round],
    }


def cpu_model() -> str:
    """The CPU's name as Linux gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit() -> str:
    """The commit that is measured, with "+" when the working tree differs from it."""
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "trainer/engines"], cwd=ROOT, check=False).returncode
    return head + ("+" if changed else "")


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description="Tokens per second: the transformers engine against generate.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--new-tokens", type=int, default=48)
    parser.add_argument("--rows", type=int, default=256, help="rows of the engine")
    parser.add_argument("--generate-rows", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "bench/results/engines.json")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    result = {
        "commit": commit(),
        "machine": {
            "cpu": cpu_model(),
            "cores": len(os.sched_getaffinity(0)),
            "load": round(os.getloadavg()[0], 2),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        "settings": {name: value for name, value in vars(arguments).items() if name != "out"} | {"k": K},
        **{name: compare(getattr(torch, name), arguments) for name in ("bfloat16", "float32")},
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
