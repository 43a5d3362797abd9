"""Whether a folder holds a Hugging Face model that may be loaded: read with the standard library, nothing is run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curation.stages.artifacts import within
from curation.stages.errors import InputError

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
TOKENIZERS = (("tokenizer.json",), ("tokenizer.model",), ("vocab.json", "merges.txt"))
MAX_HEADER = 100_000_000  # bytes; the format's own limit


def check_model_folder(folder: Path, roots: Sequence[Path]) -> list[Path]:
    """Return the folder's weight files in order of name, when config, weights and tokenizer are all there and whole.

    Raises InputError that says what is missing or broken, where, and what to do.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the folder that holds a model's config.json and *.safetensors")
    config = _json_object(folder / "config.json", "it is no Hugging Face model folder")
    if not isinstance(config.get("model_type"), str):
        raise InputError(f"{folder / 'config.json'} names no model_type; give a folder that transformers can load")
    weights = _weights(folder)
    for path in weights:
        within(roots, path, f"weights {path.name}")
        _check_whole(path)
    if not any(all((folder / name).is_file() for name in names) for names in TOKENIZERS):
        raise InputError(f"{folder} has no tokenizer (tokenizer.json or tokenizer.model); copy the model's tokenizer files there")
    _check_chat_template(folder)
    return weights


def weights_sha256(folder: Path) -> str:
    """sha256, hex, of a folder's safetensors file; of several, that of their own sha256s in order of name. As the trainer's."""
    digests = []
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").digest())
    return digests[0].hex() if len(digests) == 1 else hashlib.sha256(b"".join(digests)).hexdigest()


def _weights(folder: Path) -> list[Path]:
    """The *.safetensors of the folder; all that the index names, where there is one."""
    found = sorted(folder.glob("*.safetensors"))
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = set(_json_object(index, "it is broken").get("weight_map", {}).values())
        if missing := sorted(named - {path.name for path in found}):
            raise InputError(f"{folder} lacks {', '.join(missing[:3])}, which {index.name} names; fetch the model again")
    if found:
        return found
    if any(path for pattern in PICKLES for path in folder.glob(pattern)):
        raise InputError(
            f"{folder} has its weights as pickles only, which may run code when they are read; "
            "save the model with save_pretrained(..., safe_serialization=True) and give that folder"
        )
    raise InputError(f"{folder} has no *.safetensors; give a folder with the model's weights")


def _check_whole(path: Path) -> None:
    """The header is readable and the file is as long as it says (a download cut short and a Git LFS pointer are not)."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: Any = json.loads(file.read(length)) if 0 < length <= MAX_HEADER else None
        tensors = [entry for name, entry in header.items() if name != "__metadata__"]
        end = max(entry["data_offsets"][1] for entry in tensors)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path} is no safetensors file; fetch it again (a Git LFS pointer needs `git lfs pull`)") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check its rights") from error
    if path.stat().st_size != 8 + length + end:
        raise InputError(f"{path} has {path.stat().st_size} bytes but its header promises {8 + length + end}; fetch it again")


def _check_chat_template(folder: Path) -> None:
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return
    path = folder / "tokenizer_config.json"
    if not path.is_file() or not _json_object(path, "it is broken").get("chat_template"):
        raise InputError(f"{folder} has no chat template; use an instruct model, or put a chat_template.jinja there")


def _json_object(path: Path, otherwise: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path.parent} has no {path.name}: {otherwise}; give the folder that holds it") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); fetch the model again") from error
    if not isinstance(data, dict):
        raise InputError(f"{path} holds no JSON object; fetch the model again")
    return data
