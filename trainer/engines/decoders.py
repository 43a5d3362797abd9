"""How a model is stepped: rows admitted by prompt, one token per row and step, finished rows dropped."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from trainer.engines.kept_prompts import KeptPrompts
from trainer.engines.protocol import EngineError
from trainer.engines.shared_prefix import ATTENTION, Cohort, SharedPrefixCache, UnsupportedAttention

if TYPE_CHECKING:
    from transformers import PreTrainedModel

log = logging.getLogger(__name__)
_LAYERS = {"full_attention", "sliding_attention", "chunked_attention"}  # what a key-value cache of rows can hold
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 6e-2}  # of the probe's logits, as a fraction of their range


class Decoder(Protocol):
    """The rows being written. Not in charge of which token is drawn, nor of when a row has ended."""

    device: torch.device
    joins: bool  # whether rows can be admitted while others are being written

    def admit(self, prompts: Sequence[Sequence[int]], counts: Sequence[int], again: Collection[int] = ()) -> Tensor:
        """Add counts[i] rows of prompt i behind the rows already there; logits (new rows, vocabulary) of their first token.

        Prompts whose numbers are in `again` may be admitted again soon.
        """

    def forget(self, room: int) -> None:
        """Drop what is kept of prompts for that; at most so many tokens of them are kept from now on."""

    def step(self, tokens: Tensor) -> Tensor:
        """Append one token to every row, (rows,) int64; logits (rows, vocabulary) of the next."""

    def keep(self, rows: Sequence[int]) -> None:
        """Drop every row but these, given in ascending order."""


class SharedPrefixDecoder:
    """Prompts run once each, in passes of at most `prompt_tokens` padded tokens; attention as in `shared_prefix`."""

    joins = True

    def __init__(self, model: PreTrainedModel, max_length: int, prompt_tokens: int = 8192) -> None:
        self.model, self.device = model, model.device
        self.backbone, self.head = model.base_model, model.get_output_embeddings()
        self.max_length, self.prompt_tokens = max_length, prompt_tokens
        self.layers: int = model.config.num_hidden_layers
        self.cache = SharedPrefixCache()
        self.positions = torch.empty(0, dtype=torch.int64, device=self.device)  # of each row's next token
        self.kept = KeptPrompts()
        self.forget = self.kept.forget

    @torch.inference_mode()
    def admit(self, prompts: Sequence[Sequence[int]], counts: Sequence[int], again: Collection[int] = ()) -> Tensor:
        cohort = Cohort([len(prompt) for prompt in prompts], counts, self.layers, self.device)
        found = self.kept.find(prompts)
        self.kept.fill(cohort, found)
        last = {number: place.last for number, place in found.items()}
        new = [number for number in range(len(prompts)) if number not in found]
        last |= self._run_all(cohort, {number: prompts[number] for number in new})
        ordered = [last[number] for number in range(len(prompts))]
        self.kept.keep(cohort, {number: prompts[number] for number in new if number in again}, ordered)
        logits = self.head(torch.stack(ordered))
        self.cache.cohorts.append(cohort)
        owners = torch.tensor(cohort.owners, device=self.device)
        self.positions = torch.cat([self.positions, cohort.lengths[owners]])
        return torch.as_tensor(logits.index_select(0, owners))

    def _run_all(self, cohort: Cohort, prompts: Mapping[int, Sequence[int]]) -> dict[int, Tensor]:
        """Run prompts of a cohort, given by their numbers in it; the hidden state of each one's last token."""
        waiting, texts, last = list(prompts), list(prompts.values()), dict[int, Tensor]()
        try:
            while len(last) < len(prompts):
                part = self._pass(texts[len(last) :])
                numbers = waiting[len(last) : len(last) + len(part)]
                last |= zip(numbers, self._run_prompts(cohort, numbers, part), strict=True)
        finally:
            self.cache.filling = None
        return last

    def _pass(self, prompts: Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
        """As many of the first prompts as run in one pass; at least one."""
        number, longest = 0, 0
        for prompt in prompts:
            longest = max(longest, len(prompt))
            if number and (number + 1) * longest > self.prompt_tokens:
                break
            number += 1
        return prompts[:number]

    def _run_prompts(self, cohort: Cohort, numbers: Sequence[int], prompts: Sequence[Sequence[int]]) -> list[Tensor]:
        """Run prompts, padded on the right; the hidden state of each one's last token. Causal attention never sees padding."""
        longest = max(map(len, prompts))
        ids = torch.tensor([[*prompt, *[0] * (longest - len(prompt))] for prompt in prompts], device=self.device)
        self.cache.filling = (cohort, numbers)
        hidden = self._forward(ids, torch.arange(longest, device=self.device)[None])
        return [hidden[row, len(prompt) - 1] for row, prompt in enumerate(prompts)]

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        output = self.backbone(
            input_ids=ids, position_ids=positions, past_key_values=self.cache, use_cache=True, shared_prefix=self.cache
        )
        return torch.as_tensor(output.last_hidden_state)

    @torch.inference_mode()
    def step(self, tokens: Tensor) -> Tensor:
        hidden = self._forward(tokens[:, None], self.positions.clamp(max=self.max_length - 1)[:, None])
        for cohort in self.cache.cohorts:
            cohort.written += 1
        self.positions = self.positions + 1
        return torch.as_tensor(self.head(hidden[:, 0]))

    @torch.inference_mode()
    def keep(self, rows: Sequence[int]) -> None:
        kept: list[Cohort] = []
        start = 0
        for cohort in self.cache.cohorts:
            own = [row - start for row in rows if start <= row < start + cohort.rows]
            start += cohort.rows
            if own and len(own) < cohort.rows:
                cohort.keep(own)
            if own:
                kept.append(cohort)
        self.cache.cohorts = kept
        self.positions = self.positions[torch.tensor(rows, dtype=torch.int64, device=self.device)]


class PlainDecoder:
    """transformers' own cache and attention, each row with its own copy of the prompt: for models with sliding windows and
    other kinds of attention. Slower; rows wait until all others are done."""

    joins = False

    def __init__(self, model: PreTrainedModel, max_length: int) -> None:
        self.model, self.device, self.max_length = model, model.device, max_length
        self.cache = DynamicCache(config=model.config)
        self.mask = torch.empty(0, 0, dtype=torch.int64, device=self.device)

    def forget(self, room: int) -> None:
        """Nothing: each row has its own copy of the prompt."""

    @torch.inference_mode()
    def admit(self, prompts: Sequence[Sequence[int]], counts: Sequence[int], again: Collection[int] = ()) -> Tensor:
        longest = max(map(len, prompts))
        ids = torch.tensor([[*[0] * (longest - len(prompt)), *prompt] for prompt in prompts], device=self.device)
        lengths = torch.tensor([[len(prompt)] for prompt in prompts], device=self.device)
        self.mask = (torch.arange(longest, device=self.device) >= longest - lengths).long()
        self.cache = DynamicCache(config=self.model.config)
        logits = self._forward(ids, (self.mask.cumsum(-1) - 1).clamp(min=0))
        owners = torch.repeat_interleave(torch.arange(len(prompts)), torch.tensor(counts)).to(self.device)
        self.cache.batch_select_indices(owners)
        self.mask = self.mask[owners]
        return logits[owners]

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        output = self.model(
            input_ids=ids,
            attention_mask=self.mask,
            position_ids=positions.clamp(max=self.max_length - 1),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return torch.as_tensor(output.logits[:, -1])

    @torch.inference_mode()
    def step(self, tokens: Tensor) -> Tensor:
        positions = self.mask.sum(-1, keepdim=True)
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], -1)
        return self._forward(tokens[:, None], positions)

    @torch.inference_mode()
    def keep(self, rows: Sequence[int]) -> None:
        index = torch.tensor(rows, dtype=torch.int64, device=self.device)
        self.mask = self.mask[index]
        if rows:
            self.cache.batch_select_indices(index)
        else:
            self.cache = DynamicCache(config=self.model.config)


def decoder_for(model: PreTrainedModel, max_length: int) -> Decoder:
    """The shared-prefix decoder where the model gives the same logits through it, else the plain one.

    Raises EngineError for models whose memory is no key-value cache (Mamba and the like).
    """
    kinds = set(getattr(model.config, "layer_types", None) or ["full_attention"])
    if getattr(model, "_is_stateful", False) or not kinds <= _LAYERS:
        layers = ", ".join(sorted(kinds))
        raise EngineError(f"{type(model).__name__} is no plain attention model ({layers}); use the vllm engine for it.")
    reason = _why_not_shared(model, kinds, max_length)
    if reason is None:
        return SharedPrefixDecoder(model, max_length)
    log.warning("%s: prompts are not shared between attempts (%s); decoding is slower", type(model).__name__, reason)
    return PlainDecoder(model, max_length)


def _why_not_shared(model: PreTrainedModel, kinds: set[str], max_length: int) -> str | None:
    window = getattr(model.config, "sliding_window", None)
    if window is not None and window < max_length and (kinds != {"full_attention"} or not hasattr(model.config, "layer_types")):
        return f"sliding window of {window} tokens"
    if "chunked_attention" in kinds:
        return "chunked attention"
    own: Any = model.config._attn_implementation
    probe = [1, 2, 3, 5, 8]
    expected = _last_logits(PlainDecoder(model, max_length), probe)
    model.set_attn_implementation(ATTENTION)
    try:
        found = _last_logits(SharedPrefixDecoder(model, max_length), probe)
        reason = "" if model.config._attn_implementation == ATTENTION else "the model cannot change its attention"
    except UnsupportedAttention as error:
        found, reason = expected, str(error)
    spread = float(expected.max() - expected.min())
    difference = float((found - expected).abs().max())
    if not reason and not difference <= _TOLERANCE.get(model.dtype, 6e-2) * spread:
        reason = f"its logits differ by {difference:.2g} of {spread:.2g}"
    if not reason:
        return None
    model.set_attn_implementation(own)
    return reason


def _last_logits(decoder: Decoder, probe: Sequence[int]) -> Tensor:
    decoder.admit([probe[:-1]], [1])
    return decoder.step(torch.tensor(probe[-1:], device=decoder.device)).float()
