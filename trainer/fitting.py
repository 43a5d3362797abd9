"""Supervised fine-tuning of one iteration on transformers' Trainer: one epoch, optimiser and schedule afresh (§4.1)."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from peft import PeftModel
from peft.helpers import disable_input_dtype_casting
from torch import Tensor
from transformers import PreTrainedModel, TrainingArguments, set_seed

from toolcalls.errors import InputError
from toolcalls.settings import Training
from trainer.attention import use_plain_attention
from trainer.encoding import EncodedRow
from trainer.methods import trainable
from trainer.points import Points, newest, step_of
from trainer.sharding import shard
from trainer.supervised import Progress, SftTrainer

__all__ = ["Fitted", "Progress", "device_rows", "fit"]

_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


# What Liger is to replace: not the loss, whose logits we compute at the labels alone.
_LIGER = {"rope": True, "rms_norm": True, "swiglu": True, "cross_entropy": False, "fused_linear_cross_entropy": False}


class _Sharded(TrainingArguments):
    """For a model that lies on its devices already, if there are several processes."""

    @property
    def place_model_on_device(self) -> bool | None:
        return False if self.world_size > 1 else None


@dataclass(frozen=True, slots=True)
class Fitted:
    """The trained model: the base with its adapter, or the base itself; and one loss per optimiser step."""

    model: Any
    weights: dict[str, Tensor]  # what was trained, whole, on the CPU
    losses: tuple[float, ...]
    tokens: int
    tokens_per_second: float  # of the steps that this process made; 0 when it made none
    began_after: int  # steps that a process before this one had made


def fit(
    model: PreTrainedModel,
    rows: Sequence[EncodedRow],
    training: Training,
    *,
    seed: int,
    report: Callable[[Progress], None] = lambda progress: None,
    points: Points | None = None,
    adapter: Path | None = None,
) -> Fitted:
    """Train what training.method says, on a model that `load_base` gave; `adapter` is the one to go on with, if any.

    Same rows, seed and threads in float32 give the same adapter to the bit, also when the training was killed and goes on from
    one of its `points`. `model` is changed.
    Under `accelerate launch` every process calls this, and only the first one reports.
    """
    torch.set_num_threads(training.threads)
    set_seed(seed)
    on_cpu = not torch.cuda.is_available()
    if on_cpu:
        use_plain_attention(model)
    if training.gradient_checkpointing == "on" or (training.gradient_checkpointing == "auto" and not on_cpu):
        model.gradient_checkpointing_enable({"use_reentrant": False})
    adapted = trainable(model, training, adapter)
    casting = disable_input_dtype_casting(adapted) if isinstance(adapted, PeftModel) else nullcontext()
    last = newest(points) if points else None
    with _folder(points) as folder, casting:
        arguments = _arguments(training, seed, folder, on_cpu, keep=points is not None)
        if training.sharding == "fsdp":
            shard(adapted, getattr(torch, training.dtype))
        trainer = SftTrainer(adapted, arguments, rows, training, seed, report, points)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        weights = trainer.gathered()
        PartialState().wait_for_everyone()  # gloo's threads let go of tensors before the first process may end
        rate = trainer.reported.tokens_per_second(trainer.state.global_step)
    losses = tuple(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)
    tokens = sum(len(row.input_ids) for row in rows)
    return Fitted(adapted, weights, losses, tokens, rate, began_after=step_of(last) if last else 0)


def uses_liger(training: Training) -> bool:
    """Whether Liger's kernels stand in for the model's own."""
    return training.kernels == "auto" and torch.cuda.is_available() and importlib.util.find_spec("liger_kernel") is not None


@contextmanager
def _folder(points: Points | None) -> Iterator[Path]:
    """Where Trainer writes: the points, and nothing that stays when none are to be kept."""
    if points is not None:
        points.folder.mkdir(parents=True, exist_ok=True)
        yield points.folder
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def device_rows(training: Training, processes: int = 1) -> int:
    """Rows per forward pass: the most that `device_rows` allows and that divide the global batch evenly.

    Raises InputError when the processes cannot share the global batch evenly.
    """
    share, rest = divmod(training.batch_rows, processes)
    if rest or not share:
        raise InputError(f"batch_rows {training.batch_rows} cannot be shared by {processes} processes; make it a multiple.")
    return max(rows for rows in range(1, min(training.device_rows, share) + 1) if share % rows == 0)


def _arguments(training: Training, seed: int, folder: Path, on_cpu: bool, *, keep: bool) -> TrainingArguments:
    kind = _Sharded if training.sharding == "fsdp" else TrainingArguments
    arguments = kind(
        output_dir=str(folder),
        num_train_epochs=1,
        learning_rate=training.learning_rate,
        lr_scheduler_type=_SCHEDULES[training.schedule],
        warmup_steps=training.warmup,  # below 1: a fraction of the steps
        max_grad_norm=training.max_grad_norm,
        weight_decay=0.0,
        optim="adamw_torch",
        seed=seed,
        use_cpu=on_cpu,
        logging_steps=1,
        save_strategy="steps" if keep and training.checkpoint_steps else "no",
        save_steps=training.checkpoint_steps or 1,
        save_total_limit=2,  # the last whole one stays until the next is whole
        use_liger_kernel=uses_liger(training),
        liger_kernel_config=_LIGER,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=not on_cpu,
        ddp_find_unused_parameters=False,
    )
    if arguments.n_gpu > 1:
        raise InputError("One process sees several GPUs. Use `accelerate launch`, or CUDA_VISIBLE_DEVICES to choose one.")
    processes = arguments.world_size
    arguments.per_device_train_batch_size = device_rows(training, processes)
    arguments.gradient_accumulation_steps = training.batch_rows // (processes * arguments.per_device_train_batch_size)
    return arguments
