"""TRL's SFTTrainer on the same rows: as it comes, and with every setting that could make it faster on this machine.

Packing and padding-free batches are left out: both need flash attention, which a CPU does not have.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer, set_seed
from transformers.trainer_callback import PrinterCallback

from bench.train.models import model_of
from toolcalls.settings import Training
from trainer.encoding import EncodedRow
from trainer.weights import set_weights, trained_weights

TOKENIZER = Path(__file__).parents[2] / "trainer" / "tiny" / "checkpoint"

# Name → the frozen weights' dtype, and what differs from SFTConfig's own values. bf16 is autocast, which SFTConfig turns on.
_PLAIN: Mapping[str, Any] = {"gradient_checkpointing": False}
_GROUPED: Mapping[str, Any] = {**_PLAIN, "train_sampling_strategy": "group_by_length"}
DEFAULTS = {"defaults": ("float32", {})}
SETTINGS: Mapping[str, Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "bfloat16": {
        "no checkpointing": ("float32", _PLAIN),
        "no checkpointing, grouped": ("float32", _GROUPED),
        "no checkpointing, grouped, frozen weights in bfloat16": ("bfloat16", _GROUPED),
        "no checkpointing, grouped, all in bfloat16": ("bfloat16", {**_GROUPED, "bf16": False}),
    },
    "float32": {
        "no checkpointing": ("float32", {**_PLAIN, "bf16": False}),
        "no checkpointing, grouped": ("float32", {**_GROUPED, "bf16": False}),
    },
}


class Run(NamedTuple):
    wall: float  # seconds of the training itself, models and data made before
    cpu: float
    losses: list[float]


def peer_run(
    shape: str,
    rows: Sequence[EncodedRow],
    training: Training,
    dtype: str,
    changes: Mapping[str, Any],
    *,
    same_start: bool = False,
) -> Run:
    """One epoch. With `same_start` it begins with the adapter that `trainer.fitting.fit` begins with under seed 0."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    config = LoraConfig(r=training.lora_rank, lora_alpha=training.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    data = Dataset.from_list([{"input_ids": list(row.input_ids), "labels": list(row.labels)} for row in rows])
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=training.batch_rows,
            learning_rate=training.learning_rate,
            lr_scheduler_type=training.schedule,
            warmup_steps=training.warmup,
            max_grad_norm=training.max_grad_norm,
            seed=0,
            use_cpu=True,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            **changes,
        )
        trainer = SFTTrainer(
            model_of(shape, dtype),
            args=arguments,
            train_dataset=data,
            processing_class=AutoTokenizer.from_pretrained(str(TOKENIZER)),
            peft_config=config,
        )
        trainer.remove_callback(PrinterCallback)
        if same_start:
            set_seed(0)
            start: Any = get_peft_model(model_of(shape, dtype), config)
            set_weights(trainer.model, trained_weights(start))
        wall, cpu = time.perf_counter(), time.process_time()
        trainer.train()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Run(wall, cpu, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry])
