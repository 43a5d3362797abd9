"""What both sides train: models of a shape with random weights, and rows as long as those of the synthetic tool world."""

from __future__ import annotations

import random
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from trainer.encoding import EncodedRow

VOCABULARY = 1740
SHAPES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 192, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 3},
    "small": {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 8, "num_attention_heads": 8},
}


def model_of(shape: str, dtype: str) -> LlamaForCausalLM:
    """A model with random weights; what a step costs does not depend on them. "tiny" has the shape of the tiny base."""
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=VOCABULARY, max_position_embeddings=1024, tie_word_embeddings=True, **SHAPES[shape])
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
