"""The training stage: an iteration's rows and a base in, a published checkpoint folder out."""

from __future__ import annotations

import importlib.metadata
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from toolcalls.assembly import training_set_hash
from toolcalls.errors import InputError
from toolcalls.records import TrainingRow
from toolcalls.settings import Settings, settings_json
from trainer.checkpoints import publishing, save_adapter, weights_sample, weights_sha256, write_meta, write_rows
from trainer.encoding import EncodedRow, encode_row
from trainer.fitting import Fitted, Progress, fit, uses_liger
from trainer.merging import MergeCheck, merge, store
from trainer.methods import load_base
from trainer.models import load_tokenizer
from trainer.points import Points, newest, step_of

_CHECKED_PROMPTS = 4  # training rows on which the merged model's logits are checked
_CHECKED_TOKENS = 512  # of each


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training stage made. The sha256s are of the safetensors files."""

    rows: int  # trained on
    too_long: int  # left out
    adapter_sha256: str | None  # None where every weight was trained
    merged_sha256: str
    max_logit_difference: float  # merged against base + adapter, as a fraction of the logits' range
    seconds: float


def train(
    rows: Sequence[TrainingRow],
    base: str | Path,
    out: str | Path,
    settings: Settings,
    report: Callable[[Progress], None] = lambda progress: None,
    *,
    adapter: Path | None = None,
    points: Path | None = None,
    begin: Callable[[int], None] = lambda step: None,
) -> Trained | None:
    """Train an adapter on `rows`, merge it, and publish both under `out`; or every weight, and publish the model.

    `adapter` is the one to go on with, where settings say so and there is one; `base` is what it was trained on. In the folder
    `points` it leaves points to go on from, and goes on from the last one there that is this training's; `begin` is told after
    which step that is, 0 without one. Under `accelerate launch` only the first process writes and returns something. Raises
    InputError (no rows, no model), MergeError, CheckpointError; nothing is left under `out` then.
    """
    started = time.monotonic()
    if adapter is not None and settings.training.adapter != "continued":
        raise InputError(
            "An adapter is given, and training.adapter says that a new one is trained. Set it to continued, or give none."
        )
    torch.set_num_threads(settings.training.threads)
    kept_points = Points(points, identity(rows, base, settings, adapter)) if points else None
    if os.environ.get("RANK", "0") != "0":
        kept = _kept(_encoded(rows, base, settings))
        fit(load_base(base, settings.training), kept, settings.training, seed=settings.seed, points=kept_points, adapter=adapter)
        return None
    encoded = _encoded(rows, base, settings)
    kept, too_long = _kept(encoded), [row.sample_id for row, fitting in zip(rows, encoded, strict=True) if fitting is None]
    last = newest(kept_points) if kept_points else None
    begin(step_of(last) if last else 0)
    with publishing(out) as folder:
        model = load_base(base, settings.training)
        fitted = fit(model, kept, settings.training, seed=settings.seed, report=report, points=kept_points, adapter=adapter)
        check = _store(fitted, base, folder, kept, settings)
        trained = Trained(
            rows=len(kept),
            too_long=len(too_long),
            adapter_sha256=weights_sha256(folder / "adapter") if (folder / "adapter").is_dir() else None,
            merged_sha256=weights_sha256(folder / "merged"),
            max_logit_difference=check.rounded,
            seconds=time.monotonic() - started,
        )
        write_rows(folder, encoded)
        meta = _meta(rows, too_long, base, settings, fitted, check, trained)
        write_meta(folder / "meta.json", meta | {"continued_adapter_sha256": weights_sha256(adapter) if adapter else None})
    return trained


def identity(rows: Sequence[TrainingRow], base: str | Path, settings: Settings, adapter: Path | None) -> dict[str, Any]:
    """What makes a training this one and no other."""
    return {
        "training_set_sha256": training_set_hash(rows),
        "base": weights_sample(base),
        "adapter": weights_sample(adapter) if adapter else None,
        "training": settings_json(settings)["training"],
        "seed": settings.seed,
        "versions": _versions(),
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
    }


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft", "accelerate")}


def _encoded(rows: Sequence[TrainingRow], base: str | Path, settings: Settings) -> list[EncodedRow | None]:
    """The rows as the model sees them, None for each that is too long."""
    if not rows:
        raise InputError("There is no training row: nothing was selected, so there is nothing to train on.")
    tokenizer = load_tokenizer(base)
    limit = settings.training.max_length
    encoded = [row if len(row.input_ids) <= limit else None for row in (encode_row(tokenizer, row) for row in rows)]
    if not any(encoded):
        raise InputError(f"All {len(rows)} training rows are longer than training.max_length = {limit} tokens. Raise it.")
    return encoded


def _kept(encoded: Sequence[EncodedRow | None]) -> list[EncodedRow]:
    return [row for row in encoded if row is not None]


def _store(fitted: Fitted, base: str | Path, folder: Path, rows: Sequence[EncodedRow], settings: Settings) -> MergeCheck:
    """Write the adapter, and it merged into the base; or the model, where every weight was trained."""
    by_length = sorted(rows, key=lambda row: (len(row.input_ids), row.input_ids))
    chosen = by_length[:: max(1, len(by_length) // _CHECKED_PROMPTS)][:_CHECKED_PROMPTS]
    prompts = [row.input_ids[:_CHECKED_TOKENS] for row in chosen]
    tolerance = settings.training.merge_tolerance
    if settings.training.method == "full":
        return store(fitted.weights, base, folder / "merged", prompts, tolerance=tolerance)
    save_adapter(fitted.model, folder / "adapter", Path(base).name, fitted.weights)
    return merge(base, folder / "adapter", folder / "merged", prompts, tolerance=tolerance)


def _meta(
    rows: Sequence[TrainingRow],
    too_long: Sequence[str],
    base: str | Path,
    settings: Settings,
    fitted: Fitted,
    check: MergeCheck,
    trained: Trained,
) -> dict[str, Any]:
    return {
        "training_set_sha256": training_set_hash(rows),
        "rows": trained.rows,
        "too_long": trained.too_long,
        "too_long_samples": list(too_long),
        "base": {"name": Path(base).name, "sha256": weights_sha256(base)},
        "adapter_sha256": trained.adapter_sha256,
        "merged_sha256": trained.merged_sha256,
        "max_logit_difference": check.rounded,
        "max_logit_difference_before_rounding": check.exact,
        "seed": settings.seed,
        "steps": len(fitted.losses),
        "losses": list(fitted.losses),
        "tokens": fitted.tokens,
        "tokens_per_second": fitted.tokens_per_second,
        "began_after": fitted.began_after,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "liger": uses_liger(settings.training),
        "versions": _versions(),
        "settings": settings_json(settings),
    }
