"""LoRA supervised fine-tuning of one iteration on transformers' Trainer: one epoch, optimiser and schedule afresh (§4.1)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.helpers import disable_input_dtype_casting
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_callback import PrinterCallback, TrainerControl, TrainerState

from toolcalls.errors import InputError
from toolcalls.settings import Training
from trainer.attention import use_plain_attention
from trainer.batches import IGNORED, FixedOrder, collate, length_grouped_order
from trainer.encoding import EncodedRow

_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands after an optimiser step. `tokens` counts real ones, no padding."""

    step: int
    steps: int
    loss: float  # mean over the step's trained tokens
    learning_rate: float
    grad_norm: float  # before clipping
    tokens: int
    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """The base with its trained adapter, and one loss per optimiser step."""

    model: PeftModel
    losses: tuple[float, ...]
    tokens: int
    seconds: float


def fit(
    model: PreTrainedModel,
    rows: Sequence[EncodedRow],
    training: Training,
    *,
    seed: int,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Fitted:
    """Train an adapter on all linear layers of the blocks; embeddings and head stay as they are.

    Same rows, seed and threads in float32 give the same adapter to the bit. `model` is changed: it gets the adapter's layers.
    Under `accelerate launch` every process calls this, and only the first one reports.
    """
    torch.set_num_threads(training.threads)
    set_seed(seed)
    on_cpu = not torch.cuda.is_available()
    if on_cpu:
        use_plain_attention(model)
    else:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    config = LoraConfig(r=training.lora_rank, lora_alpha=training.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted: Any = get_peft_model(model, config)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, disable_input_dtype_casting(adapted):
        trainer = SftTrainer(adapted, _arguments(training, seed, folder, on_cpu), rows, training, seed, report)
        trainer.train()
    losses = tuple(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)
    tokens = sum(len(row.input_ids) for row in rows)
    return Fitted(adapted, losses, tokens, time.monotonic() - started)


def device_rows(training: Training, processes: int = 1) -> int:
    """Rows per forward pass: the most that `device_rows` allows and that divide the global batch evenly.

    Raises InputError when the processes cannot share the global batch evenly.
    """
    share, rest = divmod(training.batch_rows, processes)
    if rest or not share:
        raise InputError(f"batch_rows {training.batch_rows} cannot be shared by {processes} processes; make it a multiple.")
    return max(rows for rows in range(1, min(training.device_rows, share) + 1) if share % rows == 0)


def _arguments(training: Training, seed: int, folder: str, on_cpu: bool) -> TrainingArguments:
    arguments = TrainingArguments(
        output_dir=folder,
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
        save_strategy="no",
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


class SftTrainer(Trainer):
    """Trainer with our batches, and a loss whose logits are computed only where labels are.

    Not in charge of what is written to disk.
    """

    def __init__(
        self,
        model: nn.Module,
        arguments: TrainingArguments,
        rows: Sequence[EncodedRow],
        training: Training,
        seed: int,
        report: Callable[[Progress], None],
    ) -> None:
        lengths = [len(row.input_ids) for row in rows]
        self.order = length_grouped_order(lengths, arguments.per_device_train_batch_size, seed)
        ordered = [lengths[row] for row in self.order]
        callback = _Report(list(accumulate(ordered)), training.batch_rows, report)
        super().__init__(model, arguments, collate, train_dataset=rows, callbacks=[callback])
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

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Not counted: nothing reads it, and counting walks over all parameters at every step."""
        return 0


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


class _Report(TrainerCallback):
    """Turns Trainer's log entries into Progress. `tokens` has the real tokens up to and with each row in training order."""

    def __init__(self, tokens: Sequence[int], batch_rows: int, report: Callable[[Progress], None]) -> None:
        self.tokens = tokens
        self.batch_rows = batch_rows
        self.report = report
        self.started = time.monotonic()

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
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
        tokens = self.tokens[min(state.global_step * self.batch_rows, len(self.tokens)) - 1]
        self.report(
            Progress(
                step=state.global_step,
                steps=state.max_steps,
                loss=logs["loss"],
                learning_rate=logs["learning_rate"],
                grad_norm=logs["grad_norm"],
                tokens=tokens,
                tokens_per_second=tokens / (time.monotonic() - self.started),
            )
        )
