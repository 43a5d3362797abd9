"""What is trained: a new adapter, the one of the iteration before, an adapter on a base in four bits, or every weight."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import PreTrainedModel

from toolcalls.errors import InputError
from toolcalls.settings import Training
from trainer.models import load_model


def load_base(base: str | Path, training: Training) -> PreTrainedModel:
    """The base as the method wants it: in training.dtype, in four bits for qlora, in float32 where all weights are trained.

    Raises InputError when there is no such model, or this machine cannot do what the method needs.
    """
    if training.method == "qlora":
        _check_qlora()
        return load_model(base, "bfloat16", quantised=True)
    return load_model(base, "float32" if training.method == "full" else training.dtype)


def trainable(model: PreTrainedModel, training: Training, adapter: Path | None = None) -> Any:
    """`model` with what is to be trained: changed in place where an adapter is added. `adapter`: the one to go on with.

    LoRA on all linear layers of the blocks; embeddings and head stay as they are, but where every weight is trained.
    """
    if training.method == "full":
        return model.requires_grad_(True)
    if training.method == "qlora":
        prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if adapter is not None:
        return _continued(model, adapter)
    config = LoraConfig(r=training.lora_rank, lora_alpha=training.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, config)


def _continued(model: PreTrainedModel, adapter: Path) -> Any:
    try:
        return PeftModel.from_pretrained(model, str(adapter), is_trainable=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"{adapter}: this adapter cannot be continued on this base ({str(error).splitlines()[0]}).") from error


def _check_qlora() -> None:
    lacking = [
        what
        for what, there in (
            ("a CUDA GPU", torch.cuda.is_available()),
            ("the package bitsandbytes", importlib.util.find_spec("bitsandbytes") is not None),
        )
        if not there
    ]
    if lacking:
        raise InputError(
            f"training.method qlora needs {' and '.join(lacking)}, which this machine lacks. Choose lora, or another."
        )
