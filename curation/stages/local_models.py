"""A checkpoint's files on this host: fetched from the store, or merged from the adapter, and found to be the published ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from curation.models import Checkpoint
from curation.models.checkpoints import CheckpointKind
from curation.stages import artifacts
from curation.stages.errors import InputError
from curation.stages.model_folder import weights_sha256
from curation.storage.errors import DamagedFile
from curation.storage.folders import fetch_folder
from curation.storage.store import Check, go_on

Merge = Callable[[Path, Path, Path], None]  # the model, the adapter that was trained on it, and the folder to make


@contextmanager
def held(checkpoint: Checkpoint, merge: Merge, check: Check = go_on) -> Iterator[Path]:
    """The checkpoint's folder on this host, kept there within the block. `check` stops the work by raising.

    Raises InputError when a sweep took its files, StoreError when the store does not give them, DamagedFile when they are not
    those that were published.
    """
    key = artifacts.cache_key(checkpoint)
    if checkpoint.removed_at is not None:
        raise InputError(f"the files of checkpoint {checkpoint.pk} have gone, as old ones do; choose another model")
    if key is None:
        yield artifacts.checkpoint_dir(checkpoint)
        return
    make = partial(_make, checkpoint, merge, check)
    needed = sum(entry.bytes for entry in artifacts.files_of(checkpoint.uri)) if checkpoint.uri else 0
    with artifacts.cache().held(key, make, bytes_needed=needed, check=check) as folder:
        yield folder


def _make(checkpoint: Checkpoint, merge: Merge, check: Check, folder: Path) -> None:
    if checkpoint.uri:
        fetch_folder(artifacts.store(), artifacts.files_of(checkpoint.uri), folder, check)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        _merge(checkpoint, merge, check, folder)
    found = weights_sha256(folder)
    if found != checkpoint.sha256:
        shutil.rmtree(folder)
        raise DamagedFile(_words(checkpoint, found))


def _merge(checkpoint: Checkpoint, merge: Merge, check: Check, folder: Path) -> None:
    adapter = Checkpoint.objects.filter(iteration=checkpoint.iteration_id, kind=CheckpointKind.ADAPTER).first()
    if adapter is None or not adapter.uri:
        raise InputError(f"checkpoint {checkpoint.pk} has neither files nor an adapter to merge; put its files back")
    with _parent(checkpoint, merge, check) as model, held(adapter, merge, check) as adapter_folder:
        merge(model, adapter_folder, folder)


@contextmanager
def _parent(checkpoint: Checkpoint, merge: Merge, check: Check) -> Iterator[Path]:
    """What the adapter was trained on: the merged model of the iteration before, or the base."""
    if checkpoint.parent is None:
        yield artifacts.base_dir(checkpoint.run.base)
    else:
        with held(checkpoint.parent, merge, check) as folder:
            yield folder


def _words(checkpoint: Checkpoint, found: str) -> str:
    what = f"the weights of checkpoint {checkpoint.pk} have the sha256 {found} here, published was {checkpoint.sha256}"
    if checkpoint.uri:
        return f"{what}; they were thrown away. Put the published files back into the store"
    return (
        f"{what}: this host does not merge as the one that trained. They were thrown away. Give both hosts the same base, torch, "
        "transformers and kind of device, or set ARTIFACTS_MERGED=1 where models are trained, so that merged ones are kept too"
    )
