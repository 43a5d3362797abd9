"""The adapter merged into the base: in float32, rounded once to the base's dtype, and checked by its logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor

from trainer.models import base_dtype, load_model, load_tokenizer
from trainer.weights import set_weights

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
    rounded: float  # after rounding to the base's dtype


def merge(
    base: str | Path, adapter: str | Path, out: str | Path, prompts: Sequence[Sequence[int]], *, tolerance: float
) -> MergeCheck:
    """Write base + adapter as one model folder, with the base's tokenizer, in the base's dtype.

    Logits on `prompts` (token ids) are compared three times, all computed in float32: the merge against base + adapter, which
    must be equal but for the order of sums; the rounded merge against base + adapter, which shows the rounding of the weights
    alone and must stay within `tolerance`; and what can be read back from `out` against the rounded merge, which must be
    equal. Without prompts nothing is compared: for who knows the sha256 that must come out. Raises MergeError.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    adapted: Any = PeftModel.from_pretrained(load_model(base, "float32", device), str(adapter))
    reference = logits_of(adapted, prompts)
    try:
        merged = adapted.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise MergeError(f"The adapter holds values that are no numbers, so training went wrong ({error}).") from error
    exact = checked_difference(reference, logits_of(merged, prompts), EXACT_TOLERANCE, "the merge in float32")
    rounded, of_rounded = _write_rounded(merged, base, out, prompts, reference, tolerance, "merge")
    del adapted, merged
    if prompts:
        check_stored(out, prompts, of_rounded)
    return MergeCheck(exact, rounded)


def store(
    weights: Mapping[str, Tensor], base: str | Path, out: str | Path, prompts: Sequence[Sequence[int]], *, tolerance: float
) -> MergeCheck:
    """Write the base with these weights in place of its own, as `merge` writes a merged model: rounded to the base's dtype once,
    and compared with what it was in float32. Raises MergeError."""
    model: Any = load_model(base, "float32", "cuda" if torch.cuda.is_available() else "cpu")
    set_weights(model, weights)
    rounded, of_rounded = _write_rounded(model, base, out, prompts, logits_of(model, prompts), tolerance, "model")
    del model
    check_stored(out, prompts, of_rounded)
    return MergeCheck(0.0, rounded)


def _write_rounded(
    model: Any,
    base: str | Path,
    out: str | Path,
    prompts: Sequence[Sequence[int]],
    reference: Sequence[Tensor],
    tolerance: float,
    what: str,
) -> tuple[float, list[Tensor]]:
    """Write a model in float32 in the base's dtype, with the base's tokenizer: the difference that this makes to the `reference`
    logits, and the logits that it now has."""
    tokenizer = load_tokenizer(base)
    _cast(model, getattr(torch, base_dtype(base)))
    model.save_pretrained(str(out))
    tokenizer.save_pretrained(str(out))
    _cast(model, torch.float32)
    of_rounded = logits_of(model, prompts)
    return checked_difference(reference, of_rounded, tolerance, f"the rounded {what}"), of_rounded


def check_stored(folder: str | Path, prompts: Sequence[Sequence[int]], expected: Sequence[Tensor]) -> None:
    """Raise MergeError when the model in a folder does not give the expected logits on the prompts."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    given = logits_of(load_model(folder, "float32", device), prompts)
    checked_difference(expected, given, EXACT_TOLERANCE, "the merged model as it was stored")


def _cast(model: Any, dtype: torch.dtype) -> None:
    """Cast weights only: `Module.to` would round what is computed from the config too, such as rotary frequencies."""
    for weight in model.parameters():
        weight.data = weight.data.to(dtype)


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
            f"Logits of {what} differ from what they must be by {largest:.2g} of their range; allowed is {tolerance:g}. "
            "Nothing was kept. Train again; if it stays so, the adapter does not fit this base."
        )
    return largest
