"""The adapter merged into the base: in float32, rounded once to the base's dtype, and checked by its logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor

from trainer.models import base_dtype, load_model, load_tokenizer

EXACT_TOLERANCE = 1e-4
"""Largest difference, relative to the logits' range, that float32 may make between base + adapter and an unrounded merge.

Adding s·BA to W and then multiplying, or multiplying by both and then adding, are the same sums in another order: some
1e-6. An adapter left out, merged twice or wrongly scaled differs by as much as it changed the model.
"""


class MergeError(RuntimeError):
    """The merged model does not say what base and adapter say; it must not be used."""


@dataclass(frozen=True, slots=True)
class MergeCheck:
    """Largest differences of logits against base + adapter, as fractions of the logits' range (0: none)."""

    exact: float  # of the merge in float32, before rounding
    stored: float  # of the merged model as it was written, after rounding to the base's dtype


def merge(
    base: str | Path, adapter: str | Path, out: str | Path, prompts: Sequence[Sequence[int]], *, tolerance: float
) -> MergeCheck:
    """Write base + adapter as one model folder, with the base's tokenizer, in the base's dtype.

    `prompts` are the token ids on which logits are compared, all computed in float32, so that what is seen after rounding is
    the rounding of the weights alone. Raises MergeError when a difference is over EXACT_TOLERANCE before, `tolerance` after it.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = load_tokenizer(base)
    adapted: Any = PeftModel.from_pretrained(load_model(base, "float32", device), str(adapter))
    reference = logits_of(adapted, prompts)
    try:
        merged = adapted.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise MergeError(f"The adapter holds values that are no numbers, so training went wrong ({error}).") from error
    exact = checked_difference(reference, logits_of(merged, prompts), EXACT_TOLERANCE, "the merge in float32")
    merged.to(getattr(torch, base_dtype(base))).save_pretrained(str(out))
    tokenizer.save_pretrained(str(out))
    del adapted, merged
    stored = checked_difference(reference, logits_of(load_model(out, "float32", device), prompts), tolerance, "the merged model")
    return MergeCheck(exact, stored)


def logits_of(model: Any, prompts: Sequence[Sequence[int]]) -> list[Tensor]:
    """The model's logits on each prompt, (tokens, vocabulary), on the CPU."""
    device = next(model.parameters()).device
    with torch.inference_mode():
        return [model(input_ids=torch.tensor([list(ids)], device=device)).logits[0].float().cpu() for ids in prompts]


def checked_difference(reference: Sequence[Tensor], given: Sequence[Tensor], tolerance: float, what: str) -> float:
    """The largest absolute difference on any prompt, divided by the range (largest less smallest) of its reference logits.

    Raises MergeError when it is over `tolerance`, or not a number.
    """
    differences = [
        float((logits - expected).abs().max() / (expected.max() - expected.min()))
        for expected, logits in zip(reference, given, strict=True)
    ]
    largest = max(differences, default=0.0)
    if not all(difference <= tolerance for difference in differences):
        raise MergeError(
            f"Logits of {what} differ from base + adapter by {largest:.2g} of their range; allowed is {tolerance:g}. "
            "Nothing was kept. Train again; if it stays so, the adapter does not fit this base."
        )
    return largest
