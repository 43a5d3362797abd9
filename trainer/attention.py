"""Causal attention in plain matrix products: in bfloat16 on a CPU, PyTorch's fused kernel has a slow backward for short rows."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

PLAIN = "whetstone_plain"  # its name among transformers' attention functions
_LONGEST = 512  # tokens; beyond, the (tokens, tokens) scores cost more memory than the fused kernel costs time


def use_plain_attention(model: PreTrainedModel) -> None:
    """Let a model that would use PyTorch's fused attention use this one where it can. Only for training on a CPU."""
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(PLAIN, plain_causal_attention)
        AttentionMaskInterface.register(PLAIN, sdpa_mask)
        model.set_attn_implementation(PLAIN)


def plain_causal_attention(
    module: Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """query (batch, heads, tokens, head size), key and value (batch, kv heads, tokens, head size) → (batch, tokens, heads, size).

    Without a mask every token sees itself and what precedes it. With one, and for long rows, the fused kernel takes over.
    """
    batch, heads, tokens, size = query.shape
    if attention_mask is not None or tokens > _LONGEST:
        output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
        return output, None
    groups = heads // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    future = torch.full((tokens, tokens), -math.inf, dtype=query.dtype, device=query.device).triu(1)
    query, key, value = (states.reshape(batch * heads, tokens, -1) for states in (query, key, value))
    scores = torch.baddbmm(future.expand(batch * heads, -1, -1), query, key.mT, alpha=scaling or size**-0.5)
    output = torch.bmm(scores.softmax(dim=-1), value).view(batch, heads, tokens, -1)
    return output.transpose(1, 2).contiguous(), None
