"""Every choice of a run, with the paper's value as its default (ToolACE-R §4.1) and its unit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Training:
    """How an iteration's adapter is trained: LoRA supervised fine-tuning, one epoch, optimiser and schedule afresh."""

    learning_rate: float = 1e-4  # peak; paper: 1e-4
    batch_rows: int = 64  # rows per optimiser step (global batch); paper: 64
    device_rows: int = 8  # rows per forward pass; the rest by accumulation
    lora_rank: int = 16  # paper: 16
    lora_alpha: int = 32  # paper: 32
    schedule: Literal["cosine", "linear", "constant"] = "cosine"  # paper: cosine
    warmup: float = 0.1  # fraction of the steps; paper: 0.1
    max_length: int = 4096  # tokens; a longer row is left out and counted, never truncated
    max_grad_norm: float = 1.0
    dtype: Literal["float32", "bfloat16"] = "bfloat16"  # of the frozen weights and the forward pass
    threads: int = 1  # CPU threads; fixed, because sums depend on it
    merge_tolerance: float = 0.05  # largest |logit difference| of merged against base + adapter, relative to their range


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run does with its pool. Stored with the run and repeated in every manifest."""

    k: int = 8  # attempts per sample and turn; paper: 8
    temperature: float = 1.0  # of sampling; paper: 1.0. Evaluation is greedy
    max_new_tokens: int = 512  # tokens per attempt
    max_length: int = 4096  # tokens of prompt + answer; a longer prompt is `too_long`
    tolerance: int = 1  # parameters that may differ in a call of an approximate answer; §3.2: 1
    schema_defaults: bool = True  # Deviation: an omitted optional parameter equals its schema default
    refine_scope: Literal["all", "selected"] = "all"  # whose A₁ is refined
    first_answer: Literal["sampled", "greedy"] = "sampled"  # A₁: attempt 0 of the direct turn, or a greedy one
    stop_target: Literal["truth", "first_answer"] = "truth"  # target text where A₁ is exact but written differently
    no_call_policy: Literal["exclude", "any_no_call"] = "exclude"  # samples whose truth calls nothing; the paper is silent
    prompts: Literal["diversified", "fixed", "keep"] = "diversified"  # system prompts in training; §A.3: diversified
    review: Literal["optional", "required"] = "optional"  # required: training waits for a person
    max_iterations: int = 5  # the loop also ends when the selected count stops growing (§3.2)
    epsilon: float = 0.0  # growth below which the count has stopped growing, as a fraction
    refine_turns: int = 5  # n of Alg. 1; paper: 5
    seed: int = 0
    shard_samples: int = 64  # samples per shard of sampling; a shard is one batch of the engine
    engine_dtype: Literal["float32", "bfloat16"] = "bfloat16"
    engine_threads: int = 1  # CPU threads of one engine process
    training: Training = field(default_factory=Training)


class SettingsError(ValueError):
    """A setting has no such name or no such value; the message says which and what is allowed."""


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Build Settings from plain JSON, refusing unknown names and wrong types."""
    values = dict(values)
    training = _fill(Training, "training.", values.pop("training", {}))
    return dataclasses.replace(_fill(Settings, "", values), training=training)


def settings_json(settings: Settings) -> dict[str, Any]:
    """The inverse of settings_from."""
    return dataclasses.asdict(settings)
