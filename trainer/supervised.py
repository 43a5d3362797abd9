"""Supervised fine-tuning on transformers' Trainer: our batches, our loss, points to go on from, and a report of every step."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, TrainerControl, TrainerState

from toolcalls.errors import InputError
from toolcalls.settings import Training
from trainer.batches import IGNORED, FixedOrder, collate, length_grouped_order
from trainer.encoding import EncodedRow
from trainer.points import PREFIX, Points, mark_whole
from trainer.sharding import gathered_state, set_state
from trainer.weights import set_weights, trained_weights

# The files of a point beside Trainer's own.
_WEIGHTS = "trained.safetensors"  # what is trained, and nothing else
_OPTIMIZER = "optimizer.pt"
_SCHEDULE = "scheduler.pt"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands after an optimiser step. `tokens` counts real ones, no padding, from the first step on."""

    step: int
    steps: int
    loss: float  # mean over the step's trained tokens
    learning_rate: float
    grad_norm: float  # before clipping
    tokens: int
    tokens_per_second: float  # since this process began to train
    memory_bytes: int  # most that was held so far: of the GPU's memory by tensors, without a GPU of the machine's by the process


class SftTrainer(Trainer):
    """Trainer with our batches, and a loss whose logits are computed only where labels are.

    Not in charge of which weights are trained, nor of what is published of them.
    """

    def __init__(
        self,
        model: nn.Module,
        arguments: TrainingArguments,
        rows: Sequence[EncodedRow],
        training: Training,
        seed: int,
        report: Callable[[Progress], None],
        points: Points | None = None,
    ) -> None:
        lengths = [len(row.input_ids) for row in rows]
        self.order = length_grouped_order(lengths, arguments.per_device_train_batch_size, seed)
        ordered = [lengths[row] for row in self.order]
        if arguments.world_size > 1:
            rows, self.order = _evenly(rows, self.order, arguments.per_device_train_batch_size * arguments.world_size)
        self.reported = _Report(list(accumulate(ordered)), training.batch_rows, report)
        callbacks: list[TrainerCallback] = [self.reported, *([_Whole(points)] if points else [])]
        super().__init__(model, arguments, collate, train_dataset=rows, callbacks=callbacks)
        if self.is_fsdp_enabled:
            raise InputError("Launch without FSDP of accelerate's own; training.sharding fsdp is the one that is used here.")
        self.remove_callback(PrinterCallback)
        self.model_accepts_loss_kwargs = True  # compute_loss divides by the labels of the whole global batch
        self.low_precision = training.dtype == "bfloat16"

    def get_train_dataloader(self) -> DataLoader[Any]:
        rows: Any = self.train_dataset
        loader = DataLoader(
            rows,
            batch_size=self.args.per_device_train_batch_size,
            sampler=FixedOrder(self.order),
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )
        prepared: DataLoader[Any] = self.accelerator.prepare(loader)
        return prepared

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Cross-entropy summed over the labels, as a share of the global batch's mean."""
        device = inputs["input_ids"].device.type
        with torch.autocast(device, torch.bfloat16) if self.low_precision else nullcontext():
            total = loss_sum(model, self.accelerator.unwrap_model(model), inputs["input_ids"], inputs["labels"])
        count = num_items_in_batch if num_items_in_batch is not None else (inputs["labels"] != IGNORED).sum()
        return total / count * self.accelerator.num_processes

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """The weights of a point: only what is trained, whole."""
        weights = self.gathered()
        if output_dir is not None and self.args.should_save:
            folder = Path(output_dir)
            folder.mkdir(parents=True, exist_ok=True)
            save_file(weights, folder / _WEIGHTS)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        given = load_file(Path(resume_from_checkpoint) / _WEIGHTS)
        set_weights(self.accelerator.unwrap_model(model or self.model), given)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        state = gathered_state(self.optimizer)
        if self.args.should_save:
            torch.save(state, Path(output_dir) / _OPTIMIZER)
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / _SCHEDULE)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            set_state(self.optimizer, _read(Path(checkpoint) / _OPTIMIZER))
            self.lr_scheduler.load_state_dict(_read(Path(checkpoint) / _SCHEDULE))

    def gathered(self) -> dict[str, Tensor]:
        """What was trained, whole, on the CPU. Every process calls this: the weights may be spread over them."""
        return trained_weights(self.accelerator.unwrap_model(self.model))

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Not counted: nothing reads it, and counting walks over all parameters at every step."""
        return 0


def _read(path: Path) -> Any:
    """A point's state. What is not used of it stays on the disk."""
    return torch.load(path, map_location="cpu", weights_only=True, mmap=True)


def _evenly(rows: Sequence[EncodedRow], order: Sequence[int], share: int) -> tuple[Sequence[EncodedRow], list[int]]:
    """Rows and order with as many blank rows at the end as make every process's batches as many; no loss falls on those.

    accelerate would repeat rows of the beginning instead, and train them twice.
    """
    lacking = -len(order) % share
    if not lacking:
        return rows, list(order)
    blank = EncodedRow("", "direct", rows[0].input_ids[:1], 1, ())
    return [*rows, blank], [*order, *[len(rows)] * lacking]


def loss_sum(model: nn.Module, unwrapped: Any, input_ids: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy in float32, summed over the labels (batch, tokens). The head sees only the positions that a label follows.

    `unwrapped` is `model` without what a launcher wraps around it; the forward pass goes through the wrapping.
    """
    following = functional.pad(labels[:, 1:], (0, 1), value=IGNORED)
    trained = following != IGNORED
    head = unwrapped.get_output_embeddings()
    hook = head.register_forward_pre_hook(lambda module, arguments: (arguments[0][trained],))
    try:
        logits = model(input_ids=input_ids, use_cache=False).logits  # (labels, vocabulary)
    finally:
        hook.remove()
    return functional.cross_entropy(logits.float(), following[trained], reduction="sum")


class _Whole(TrainerCallback):
    """Says of each point that it is whole, once every process has written its part."""

    def __init__(self, points: Points) -> None:
        self.points = points

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        PartialState().wait_for_everyone()
        if state.is_world_process_zero:
            mark_whole(self.points.folder / f"{PREFIX}{state.global_step}", self.points.of)


class _Report(TrainerCallback):
    """Turns Trainer's log entries into Progress. `tokens` has the real tokens up to and with each row in training order."""

    def __init__(self, tokens: Sequence[int], batch_rows: int, report: Callable[[Progress], None]) -> None:
        self.tokens = tokens
        self.batch_rows = batch_rows
        self.report = report
        self.began_after = 0  # steps that were done before this process
        self.started = time.monotonic()

    def tokens_after(self, step: int) -> int:
        return self.tokens[min(step * self.batch_rows, len(self.tokens)) - 1] if step else 0

    def tokens_per_second(self, step: int) -> float:
        """Real tokens of this process' own steps, per second since it began to train."""
        return (self.tokens_after(step) - self.tokens_after(self.began_after)) / (time.monotonic() - self.started)

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.began_after = state.global_step
        self.started = time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not logs or "loss" not in logs or not state.is_world_process_zero:
            return
        self.report(
            Progress(
                step=state.global_step,
                steps=state.max_steps,
                loss=logs["loss"],
                learning_rate=logs["learning_rate"],
                grad_norm=logs["grad_norm"],
                tokens=self.tokens_after(state.global_step),
                tokens_per_second=self.tokens_per_second(state.global_step),
                memory_bytes=memory_bytes(),
            )
        )


def memory_bytes() -> int:
    """The most memory that was held so far: of the GPU by tensors, without a GPU of the machine by this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
