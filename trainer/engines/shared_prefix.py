"""Attention in which the attempts at a prompt share the prompt's keys and values, for any model that uses transformers'
attention interface with full causal attention.

Rows that are admitted together form a cohort: their prompts are run once, and the prompts' keys and values are kept once
per prompt, not once per attempt. A decoding step is one forward pass of (rows, 1) tokens over all cohorts; only attention
works cohort by cohort. So new rows can join while old ones are still being written, and finished ones can be dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface
from transformers.cache_utils import Cache

from trainer.engines.protocol import EngineError

ATTENTION = "whetstone_shared_prefix"  # its name among transformers' attention functions
_BLOCK = 16  # tokens of answer for which room is made at a time; all of it is multiplied, as slices would be copied each step
_CHANGING = ("softcap", "s_aux", "position_bias", "head_mask")  # arguments of attention that this one does not know


class UnsupportedAttention(EngineError):
    """The model asks for something in attention that the shared prefix does not do."""


class Cohort:
    """Rows admitted together, sorted by prompt: their prompts' keys and values once, and each row's own behind them."""

    def __init__(self, lengths: Sequence[int], counts: Sequence[int], layers: int, device: torch.device) -> None:
        self.lengths = torch.tensor(lengths, device=device)
        self.prompt_keys: list[Tensor | None] = [None] * layers  # (prompts, kv heads, prompt tokens, head size)
        self.prompt_values: list[Tensor | None] = [None] * layers
        self.keys: list[Tensor | None] = [None] * layers  # (rows, kv heads, capacity, head size)
        self.values: list[Tensor | None] = [None] * layers
        self.written = 0  # tokens of each row in keys and values
        self.longest = max(lengths)
        self.padding = torch.arange(self.longest, device=device) >= self.lengths[:, None]
        self._arrange([prompt for prompt, count in enumerate(counts) for _ in range(count)])

    def _arrange(self, owners: list[int]) -> None:
        """Place row i at (its prompt, its rank among the prompt's rows) of a grid, which attention to the prompts works on."""
        counts = torch.bincount(torch.tensor(owners), minlength=len(self.lengths)).tolist()
        self.owners = owners
        self.width = max(counts)
        places = [prompt * self.width + rank for prompt, count in enumerate(counts) for rank in range(count)]
        full = len(places) == len(counts) * self.width
        self.places = None if full else torch.tensor(places, device=self.lengths.device)

    @property
    def rows(self) -> int:
        return len(self.owners)

    def store_prompts(self, layer: int, numbers: Sequence[int], keys: Tensor, values: Tensor) -> None:
        """Keep keys and values (prompts, kv heads, tokens, head size) of the prompts with these numbers, in ascending order."""
        together = numbers[-1] - numbers[0] == len(numbers) - 1
        at = slice(numbers[0], numbers[-1] + 1) if together else torch.tensor(numbers, device=keys.device)
        for store, states in ((self.prompt_keys, keys), (self.prompt_values, values)):
            kept = store[layer]
            if kept is None:
                shape = (len(self.lengths), states.shape[1], self.longest, states.shape[3])
                kept = store[layer] = states.new_zeros(shape)
            kept[at, :, : states.shape[2]] = states

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        """Attention of one new token per row: query (rows, heads, head size), key and value (rows, kv heads, head size)."""
        rows, kv_heads, size = key.shape
        keys, values = self._append(layer, key, value)
        prompt_keys, prompt_values = self.prompt_keys[layer], self.prompt_values[layer]
        assert prompt_keys is not None and prompt_values is not None
        query = (query * scaling).reshape(rows, kv_heads, -1, size)
        to_prompt = self._to_rows(self._to_grid(query) @ prompt_keys.transpose(2, 3), hidden=self.padding)
        to_answer = query @ keys.transpose(2, 3)
        to_answer[..., self.written + 1 :] = float("-inf")
        weights = torch.cat([to_prompt, to_answer], -1).softmax(-1, dtype=torch.float32).to(value.dtype)
        of_prompt, of_answer = weights.split([self.longest, keys.shape[2]], -1)
        out: Tensor = self._to_rows(self._to_grid(of_prompt) @ prompt_values) + of_answer @ values
        return out.reshape(rows, -1, size)

    def _to_grid(self, states: Tensor) -> Tensor:
        """(rows, kv heads, group, x) -> (prompts, kv heads, width · group, x)."""
        _, kv_heads, group, last = states.shape
        if self.places is not None:
            grid = states.new_zeros(len(self.lengths) * self.width, kv_heads, group, last)
            states = grid.index_copy_(0, self.places, states)
        states = states.reshape(-1, self.width, kv_heads, group, last).transpose(1, 2)
        return states.reshape(-1, kv_heads, self.width * group, last)

    def _to_rows(self, grid: Tensor, hidden: Tensor | None = None) -> Tensor:
        """The inverse of _to_grid; where `hidden` (prompts, x) is true, -inf."""
        if hidden is not None:
            grid = grid.masked_fill_(hidden[:, None, None], float("-inf"))
        prompts, kv_heads, _, last = grid.shape
        states = grid.reshape(prompts, kv_heads, self.width, -1, last).transpose(1, 2)
        states = states.reshape(prompts * self.width, kv_heads, -1, last)
        return states if self.places is None else states.index_select(0, self.places)

    def _append(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        appended = []
        for store, states in ((self.keys, key), (self.values, value)):
            kept = store[layer]
            if kept is None or self.written == kept.shape[2]:
                room = states.new_zeros(states.shape[0], states.shape[1], self.written + _BLOCK, states.shape[2])
                if kept is not None:
                    room[:, :, : self.written] = kept
                kept = store[layer] = room
            kept[:, :, self.written] = states
            appended.append(kept)
        return appended[0], appended[1]

    def keep(self, rows: Sequence[int]) -> None:
        """Drop every other row, and the prompts that have no row left."""
        device = self.lengths.device
        owners = [self.owners[row] for row in rows]
        prompts = sorted(set(owners))
        if len(prompts) < len(self.lengths):
            index = torch.tensor(prompts, device=device)
            self.lengths, self.padding = self.lengths[index], self.padding[index]
            for prompt_store in (self.prompt_keys, self.prompt_values):
                prompt_store[:] = [None if kept is None else kept.index_select(0, index) for kept in prompt_store]
        index = torch.tensor(rows, device=device)
        for store in (self.keys, self.values):
            store[:] = [None if kept is None else kept.index_select(0, index) for kept in store]
        number = {prompt: place for place, prompt in enumerate(prompts)}
        self._arrange([number[owner] for owner in owners])


class SharedPrefixCache(Cache):
    """The cohorts being written, as a model's `past_key_values`. Attention reads it through the argument `shared_prefix`."""

    def __init__(self) -> None:
        super().__init__(layers=[])
        self.cohorts: list[Cohort] = []
        self.filling: tuple[Cohort, Sequence[int]] | None = None  # while prompts run: the cohort and the prompts' numbers
        self.layer = -1

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Called by each attention layer just before its attention function; storing is left to that."""
        self.layer = layer_idx
        return key_states, value_states

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """0: positions are always given, and rows differ in length."""
        return 0

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        """query (batch, heads, tokens, head size) -> (batch, tokens, heads, head size)."""
        if self.filling is not None:
            cohort, numbers = self.filling
            cohort.store_prompts(self.layer, numbers, key, value)
            grouped = query.shape[1] != key.shape[1]
            out = functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=grouped)
            return out.transpose(1, 2)
        if query.shape[2] != 1:
            raise UnsupportedAttention("a decoding step takes one token per row")
        query, key, value = query[:, :, 0], key[:, :, 0], value[:, :, 0]
        if len(self.cohorts) == 1:
            return self.cohorts[0].attend(self.layer, query, key, value, scaling)[:, None]
        sizes = [cohort.rows for cohort in self.cohorts]
        parts = zip(self.cohorts, query.split(sizes), key.split(sizes), value.split(sizes), strict=True)
        return torch.cat([cohort.attend(self.layer, q, k, v, scaling) for cohort, q, k, v in parts])[:, None]


def _attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    shared_prefix: SharedPrefixCache | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """transformers' attention function. Raises UnsupportedAttention where the model wants more than full causal attention."""
    if shared_prefix is None or attention_mask is not None:
        raise UnsupportedAttention("the model does not hand its keyword arguments down to attention")
    unknown = [name for name in _CHANGING if kwargs.get(name) is not None]
    if unknown:
        raise UnsupportedAttention(f"the model's attention needs {', '.join(unknown)}")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return shared_prefix.attend(query, key, value, scale), None


AttentionInterface.register(ATTENTION, _attention)
