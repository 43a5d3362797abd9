"""A loop tuned by hand: working copies of the adapter in the compute dtype with float32 masters, plain attention, head at the
labels only, and no framework around the step."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from bench.train.models import model_of
from toolcalls.settings import Training
from trainer.attention import use_plain_attention
from trainer.batches import collate, length_grouped_order
from trainer.encoding import EncodedRow
from trainer.supervised import loss_sum


def bare_loop(shape: str, rows: list[EncodedRow], training: Training) -> None:
    """One epoch over the same batches, written out by hand."""
    masters, model = _adapted(shape, training)
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


def _adapted(shape: str, training: Training) -> tuple[Any, Any]:
    """The model with its float32 adapter, and the copy that computes (the same model in float32)."""
    model = model_of(shape, training.dtype)
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
