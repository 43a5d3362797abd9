"""The folder of a tiny base: made by one command, and described by its own meta.json."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import shutil
import time
from pathlib import Path
from typing import Any, Literal

import tokenizers
import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from toolcalls.errors import InputError
from trainer.models import load_model, load_tokenizer
from trainer.tiny.full_training import Progress
from trainer.tiny.pretraining import Pretraining, pretrain
from trainer.tiny.refine_stage import RefineStage, refine
from trainer.tiny.tokenizer import build_tokenizer

Stage = Literal["base", "refine", "all"]
CHECKPOINT = Path(__file__).parent / "checkpoint"  # the shipped base
META = "meta.json"


def make(out: Path, *, seed: int, threads: int, stage: Stage = "all", base: Path | None = None) -> dict[str, Any]:
    """Train a tiny base into the new folder `out` and return its meta.json.

    Stage "refine" goes on from the folder `base`; "all" is both stages, with the same result as one after the other.
    Raises InputError when `out` holds something already or `base` is missing.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty: name a new folder, or remove this one first")
    if (stage == "refine") != (base is not None):
        raise InputError("--stage refine needs --base, the folder of the first stage; the other stages take no --base")
    stages: dict[str, Any] = {}
    if base is None:
        tokenizer: PreTrainedTokenizerBase = build_tokenizer(seed=seed)
        first = Pretraining(seed=seed, threads=threads)
        started = time.process_time()
        model, progress = pretrain(tokenizer, first)
        stages["base"] = _stage(first, progress, started)
    else:
        tokenizer, model = load_tokenizer(base), load_model(base, "float32")
        stages = json.loads((base / META).read_text())["stages"]
    model = _rounded(model)
    if stage != "base":
        second = RefineStage(seed=seed, threads=threads)
        started = time.process_time()
        stages["refine"] = _stage(second, refine(model, tokenizer, second), started)
    return _save(out, model, tokenizer, seed=seed, stages=stages)


def sha256(file: Path) -> str:
    """The file's digest, hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _rounded(model: PreTrainedModel) -> PreTrainedModel:
    """The model as its folder holds it: in bfloat16's precision, but in float32."""
    return model.to(torch.bfloat16).to(torch.float32)


def _save(
    out: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, seed: int, stages: dict[str, Any]
) -> dict[str, Any]:
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.to(torch.bfloat16).save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    (partial / "model.safetensors").chmod(0o644)
    meta = {
        "made_by": f"python -m trainer.tiny pretrain --out DIR --seed {seed}",
        "seed": seed,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "stages": stages,
        "sha256": {name: sha256(partial / name) for name in ("model.safetensors", "tokenizer.json")},
        "versions": {
            "python": platform.python_version(),
            **{module.__name__: module.__version__ for module in (torch, transformers, tokenizers)},
        },
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
    (partial / META).write_text(json.dumps(meta, indent=2) + "\n")
    if out.exists():
        out.rmdir()
    partial.replace(out)
    return meta


def _stage(settings: Pretraining | RefineStage, progress: Progress, started: float) -> dict[str, Any]:
    return {
        "settings": dataclasses.asdict(settings),
        "steps": progress.steps,
        "tokens": progress.tokens,
        "taught_tokens": progress.taught_tokens,
        "final_loss": round(progress.loss, 5),
        "cpu_minutes": round((time.process_time() - started) / 60, 2),
    }
