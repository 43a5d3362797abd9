"""A checkpoint folder: adapter/, merged/, rows.jsonl, rows.index and meta.json, there as a whole or not at all.

adapter/    adapter_model.safetensors, adapter_config.json: what is published
merged/     the next iteration's base: model and tokenizer, in the base's dtype
rows.jsonl  per row trained on: sample_id, kind, input_ids, label_span [start, end), pieces (text of each token)
rows.index  per row given, in order: where its line begins, as 8 bytes, little-endian; -1 for one that was left out
meta.json   settings, training set hash, base, versions, sha256s, seed, rows, too_long, steps, losses
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from toolcalls.errors import InputError
from trainer.encoding import EncodedRow

INDEX_ENTRY = struct.Struct("<q")
LEFT_OUT = -1
_SAMPLED_BLOCKS, _BLOCK = 64, 4096  # of each file, bytes


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written where it should go; the operator must act."""


@contextmanager
def publishing(out: str | Path) -> Iterator[Path]:
    """Give a new folder OUT.partial to write in; it becomes OUT when all went well and is removed when not.

    A folder that a killed process left is removed first. Raises InputError when OUT is there already, CheckpointError when
    the disk is full or not writable.
    """
    target = Path(out)
    partial = target.with_name(f"{target.name}.partial")
    if target.exists():
        raise InputError(f"{target}: is there already. Give another --out, or remove it.")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        _sync(partial)
        partial.rename(target)
        _sync_folder(target.parent)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{target}: cannot be written ({error}). Free or choose another place; nothing was kept."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def save_adapter(model: Any, folder: Path, base_name: str, weights: Mapping[str, Any] | None = None) -> None:
    """The adapter's weights (the model's, where they are not given) and config. `base_name` is all that the config says of the
    base: no path of this machine."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    folder.mkdir()
    state = get_peft_model_state_dict(model, state_dict=weights, save_embedding_layers=False)
    plain = {name: state[name].detach().cpu().contiguous() for name in sorted(state)}
    save_file(plain, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = model.peft_config["default"]
    config.base_model_name_or_path = base_name
    config.inference_mode = True
    config.target_modules = sorted(config.target_modules)
    config.save_pretrained(str(folder))


def write_rows(folder: Path, rows: Iterable[EncodedRow | None]) -> None:
    """A line per training row as the model saw it, none for a row that was left out (None); and the index of both."""
    place = 0
    with (folder / "rows.jsonl").open("wb") as file, (folder / "rows.index").open("wb") as index:
        for row in rows:
            if row is None:
                index.write(INDEX_ENTRY.pack(LEFT_OUT))
                continue
            line = {
                "sample_id": row.sample_id,
                "kind": row.kind,
                "input_ids": row.input_ids,
                "label_span": [row.label_start, len(row.input_ids)],
                "pieces": row.pieces,
            }
            index.write(INDEX_ENTRY.pack(place))
            place += file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def write_meta(path: Path, meta: Mapping[str, Any]) -> None:
    """meta.json, readable by people."""
    path.write_text(json.dumps(meta, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def weights_sha256(folder: str | Path) -> str:
    """sha256, hex, of a folder's safetensors file; of several, that of their own sha256s in order of name."""
    digests = [_file_sha256(path) for path in sorted(Path(folder).glob("*.safetensors"))]
    return digests[0].hex() if len(digests) == 1 else hashlib.sha256(b"".join(digests)).hexdigest()


def weights_sample(folder: str | Path) -> str:
    """sha256, hex, of names, sizes and some blocks of a folder's safetensors files: another for another model, found at once."""
    digest = hashlib.sha256()
    for path in sorted(Path(folder).glob("*.safetensors")):
        size = path.stat().st_size
        digest.update(f"{path.name} {size} ".encode())
        with path.open("rb") as file:
            for number in range(_SAMPLED_BLOCKS):
                file.seek(number * size // _SAMPLED_BLOCKS)
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def _file_sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _sync(folder: Path) -> None:
    """Bring every file to the disk, readable by whoever may read the folder (safetensors makes its files private)."""
    mode = folder.stat().st_mode & 0o666
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
