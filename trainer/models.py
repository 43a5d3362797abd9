"""Loading a base from a local Hugging Face folder: safetensors only, no remote code, no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolcalls.errors import InputError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DTYPES = ("float32", "bfloat16")


def load_tokenizer(path: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a base, with its chat template. Raises InputError when the folder has no usable one."""
    folder = _model_folder(path)
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise InputError(f"{folder}: no tokenizer can be loaded ({_first_line(error)}). Put tokenizer.json there.") from error
    if not getattr(tokenizer, "is_fast", False):
        raise InputError(f"{folder}: needs a fast tokenizer (tokenizer.json); this one is {type(tokenizer).__name__}.")
    if not isinstance(tokenizer.chat_template, str):
        raise InputError(f"{folder}: its tokenizer has no chat template. Use an instruct base, or add chat_template.jinja.")
    return tokenizer


def load_model(
    path: str | Path, dtype: str, device: str | torch.device | None = None, *, quantised: bool = False
) -> PreTrainedModel:
    """The causal language model of a base in `dtype` ("float32" or "bfloat16"), in eval mode on `device` (default CPU).

    `quantised`: linear layers in four bits (NF4, their scales quantised too), computed in `dtype`; needs bitsandbytes and CUDA.

    Raises InputError when the folder is no model, has no safetensors, lacks weights or needs code of its own.
    """
    folder = _model_folder(path)
    if dtype not in DTYPES:
        raise InputError(f"dtype {dtype!r} is not one of {', '.join(DTYPES)}.")
    if not any(folder.glob("*.safetensors")):
        raise InputError(f"{folder}: holds no .safetensors file, and no other format is read. Convert the base's weights first.")
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # stderr is for messages
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=getattr(torch, dtype),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **({"quantization_config": _four_bits(getattr(torch, dtype))} if quantised else {}),
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise InputError(f"{folder}: this model cannot be loaded ({_first_line(error)}).") from error
    model, loading = loaded
    if loading["missing_keys"]:
        missing = sorted(loading["missing_keys"])
        raise InputError(f"{folder}: {len(missing)} weights are missing ({missing[0]} …). Copy the whole folder again.")
    ready: PreTrainedModel = model.eval() if device is None else model.eval().to(device)
    return ready


def _four_bits(computed_in: torch.dtype) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=computed_in
    )


def base_dtype(path: str | Path) -> str:
    """The dtype in which a base's weights are stored, "float32" unless its config names another."""
    config = json.loads((_model_folder(path) / "config.json").read_text(encoding="utf-8"))
    return str(config.get("dtype") or config.get("torch_dtype") or "float32")


def _model_folder(path: str | Path) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder. Give the path of a Hugging Face model folder.")
    config_file = folder / "config.json"
    if not config_file.is_file():
        raise InputError(f"{folder}: is no model, it holds no config.json. Give the path of a Hugging Face model folder.")
    try:
        config: Any = json.loads(config_file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{config_file}: is not JSON ({error}).") from error
    if not isinstance(config, dict) or "model_type" not in config:
        raise InputError(f"{config_file}: names no model_type, so it is no Hugging Face model.")
    if "auto_map" in config:
        raise InputError(f"{folder}: needs code of its own (auto_map), which is never run. Use a base that transformers knows.")
    return folder


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
