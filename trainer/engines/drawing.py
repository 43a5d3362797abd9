"""Drawing one token per row from logits, so that a token depends on the row's logits, seed and step and on nothing else.

The random number of (seed, step) is counter-based (splitmix64), so no generator's state ties a row to its neighbours or to
its place in a batch. The token is found by inverting the cumulative distribution in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from toolcalls.records import Sampling

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)  # as a signed 64-bit number
_FACTORS = (0xBF58476D1CE4E5B9 - (1 << 64), 0x94D049BB133111EB - (1 << 64))
_BITS = 40  # of a uniform number: fewer than float64 holds, so that u · total stays below total


def splitmix64(state: Tensor) -> Tensor:
    """The output of splitmix64 for int64 states, by its 64 bits (Steele, Lea, Flood, OOPSLA 2014)."""
    z = state + _GOLDEN
    z = (z ^ _shifted(z, 30)) * _FACTORS[0]
    z = (z ^ _shifted(z, 27)) * _FACTORS[1]
    return z ^ _shifted(z, 31)


def uniform(keys: Tensor, steps: Tensor) -> Tensor:
    """float64 in [0, 1) per row, for keys = splitmix64(seeds) and the number of the token being drawn, from 0."""
    return _shifted(splitmix64(keys + steps * _GOLDEN), 64 - _BITS).to(torch.float64) * 2.0**-_BITS


def _shifted(value: Tensor, bits: int) -> Tensor:
    return (value >> bits) & ((1 << (64 - bits)) - 1)  # >> keeps the sign of int64; a counter needs zeros there


@dataclass(slots=True)
class Draw:
    """Decoding parameters of the rows of a batch, one entry per row, and which tokens each row has seen.

    Order as in transformers: repetition penalty, temperature, top_k, top_p. Temperature 0 is greedy.
    """

    keys: Tensor
    steps: Tensor  # tokens drawn so far
    temperature: Tensor
    top_k: Tensor
    top_p: Tensor
    penalty: Tensor
    some_greedy: bool
    all_greedy: bool
    cuts: bool  # whether any row has top_k or top_p
    seen: Tensor | None = None  # (rows, vocabulary) bool, only where a penalty asks for it

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, Sampling]], device: torch.device) -> Draw:
        """Parameters of rows given as (seed, tokens drawn so far, sampling)."""
        samplings = [sampling for _, _, sampling in rows]

        def column(values: Sequence[float], dtype: torch.dtype) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        return cls(
            keys=splitmix64(column([seed for seed, _, _ in rows], torch.int64)),
            steps=column([step for _, step, _ in rows], torch.int64),
            temperature=column([s.temperature for s in samplings], torch.float32),
            top_k=column([s.top_k for s in samplings], torch.int64),
            top_p=column([s.top_p for s in samplings], torch.float32),
            penalty=column([s.repetition_penalty for s in samplings], torch.float32),
            some_greedy=any(s.temperature <= 0 for s in samplings),
            all_greedy=all(s.temperature <= 0 for s in samplings),
            cuts=any(s.top_k > 0 or s.top_p < 1 for s in samplings),
        )

    def see(self, contexts: Sequence[Sequence[int]], vocabulary: int) -> None:
        """Note the tokens of each row's prompt and answer so far, for the repetition penalty."""
        self.seen = torch.zeros(len(contexts), vocabulary, dtype=torch.bool, device=self.keys.device)
        for row, context in enumerate(contexts):
            self.seen[row, torch.tensor(context, device=self.keys.device)] = True

    def tokens(self, logits: Tensor) -> Tensor:
        """One token per row, (rows,) int64, for logits (rows, vocabulary); counts the step."""
        logits = logits.float()
        if self.seen is not None:
            penalty = self.penalty[:, None]
            logits = torch.where(self.seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)
        chosen = logits.argmax(-1) if self.all_greedy else self._sampled(logits)
        if self.some_greedy and not self.all_greedy:
            chosen = torch.where(self.temperature <= 0, logits.argmax(-1), chosen)
        self.steps += 1
        if self.seen is not None:
            self.seen[torch.arange(len(chosen), device=chosen.device), chosen] = True
        return chosen

    def _sampled(self, logits: Tensor) -> Tensor:
        weights = torch.softmax(logits / torch.where(self.temperature > 0, self.temperature, 1.0)[:, None], -1)
        if self.cuts:
            weights = self._cut(weights)
        cumulative = weights.cumsum(-1, dtype=torch.float64)
        point = uniform(self.keys, self.steps)[:, None] * cumulative[:, -1:]
        return torch.searchsorted(cumulative, point, right=True)[:, 0]

    def _cut(self, weights: Tensor) -> Tensor:
        """Zero for the tokens outside top_k and top_p. Ties at the edge of top_k go to the lower token id."""
        ordered, tokens = weights.sort(dim=-1, descending=True, stable=True)
        rank = torch.arange(weights.shape[-1], device=weights.device)
        outside = (self.top_k > 0)[:, None] & (rank >= self.top_k[:, None])
        ordered = ordered.masked_fill(outside, 0)
        mass = ordered.cumsum(-1, dtype=torch.float64) - ordered
        outside |= (self.top_p < 1)[:, None] & (mass >= self.top_p[:, None] * ordered.sum(-1, keepdim=True))
        outside[:, 0] = False
        return torch.zeros_like(weights).scatter(-1, tokens, ordered.masked_fill(outside, 0))
