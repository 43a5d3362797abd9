"""Full training of a tiny model on a CPU: bfloat16 passes, float32 weights and optimiser."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from transformers import LlamaForCausalLM

from trainer.attention import use_plain_attention
from trainer.tiny.lessons import Batch

log = logging.getLogger(__name__)
REPORT_STEPS = 50


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast a model is fitted: linear warm-up, then linear decay to zero over all steps."""

    steps: int
    learning_rate: float  # peak
    warmup_steps: int
    context_weight: float  # of the loss on tokens that are not taught, relative to the taught ones
    max_grad_norm: float = 1.0
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.95)

    def rate(self, step: int) -> float:
        """Learning rate of optimiser step 0 ≤ step < steps."""
        return self.learning_rate * min(1.0, (step + 1) / self.warmup_steps) * (1 - step / self.steps)


@dataclass(slots=True)
class Progress:
    """What was done so far: optimiser steps, tokens read and taught, a running mean of the taught loss, CPU seconds."""

    steps: int = 0
    tokens: int = 0
    taught_tokens: int = 0
    loss: float = 0.0
    started: float = field(default_factory=time.process_time)

    @property
    def cpu_minutes(self) -> float:
        """CPU time of this process since the start."""
        return (time.process_time() - self.started) / 60

    def count(self, batch: Batch, loss: float) -> None:
        """Add one step."""
        self.loss = 0.95 * self.loss + 0.05 * loss if self.steps else loss
        self.steps += 1
        self.tokens += int(batch.real.sum())
        self.taught_tokens += int(batch.taught.sum())


def train_fully(model: LlamaForCausalLM, data: Iterable[Batch], schedule: Schedule) -> Progress:
    """Train all weights of a float32 model in place. The passes run on a bfloat16 copy, which is three times as fast on a CPU.

    The copy's rotary frequencies are rounded with it; answering with exact ones afterwards made no difference (docs/tiny.md).
    """
    fast = LlamaForCausalLM(model.config).to(torch.bfloat16)
    use_plain_attention(fast)
    pairs = list(zip(fast.parameters(), model.parameters(), strict=True))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=schedule.learning_rate, betas=schedule.betas, weight_decay=schedule.weight_decay
    )
    progress = Progress()
    for step, batch in zip(range(schedule.steps), data, strict=False):
        with torch.no_grad():
            for copy, weight in pairs:
                copy.copy_(weight)
        loss = _backward(fast, batch, schedule.context_weight)
        for copy, weight in pairs:
            weight.grad = copy.grad.float() if copy.grad is not None else None
            copy.grad = None
        torch.nn.utils.clip_grad_norm_(model.parameters(), schedule.max_grad_norm)
        optimizer.param_groups[0]["lr"] = schedule.rate(step)
        optimizer.step()
        progress.count(batch, loss)
        if progress.steps % REPORT_STEPS == 0:
            _report(progress)
    optimizer.zero_grad()
    return progress


def _backward(model: LlamaForCausalLM, batch: Batch, context_weight: float) -> float:
    """Add up gradients of the mean taught loss and the weighted mean context loss; return the taught loss, nats per token."""
    hidden = model.model(input_ids=batch.ids, use_cache=False).last_hidden_state[:, :-1]
    following, taught = batch.ids[:, 1:], batch.taught[:, 1:]
    loss = F.cross_entropy(model.lm_head(hidden[taught]).float(), following[taught])
    total = loss
    if context_weight:
        context = batch.real[:, 1:] & ~taught
        total = loss + context_weight * F.cross_entropy(model.lm_head(hidden[context]).float(), following[context])
    torch.autograd.backward(total)
    return loss.item()


def _report(progress: Progress) -> None:
    log.info(
        "step %d: loss %.4f, %.2f M tokens, %.0f tokens per CPU second, %.1f CPU minutes",
        progress.steps,
        progress.loss,
        progress.tokens / 1e6,
        progress.tokens / max(progress.cpu_minutes * 60, 1e-9),
        progress.cpu_minutes,
    )
