"""Taking a trained model home: its files and its card, as one tar that is made while it is sent, or as a folder."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import tarfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from curation.models import Checkpoint, Iteration, Role, User
from curation.models.checkpoints import CheckpointKind
from curation.stages import artifacts, drafts, events
from curation.stages.errors import InputError
from curation.stages.model_card import card_of
from curation.stages.people import require
from curation.storage.store import Stored

CARD = "README.md"
BLOCK = 2**20  # bytes that are read at a time
_END = bytes(2 * tarfile.BLOCKSIZE)
_PADDED = tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class ModelFile:
    name: str  # below the model's folder, with /
    source: Path | Stored  # on this host, or in the store
    bytes: int


@dataclass(frozen=True, slots=True)
class Model:
    """A checkpoint to take home. `folder` is what its folder is called elsewhere."""

    checkpoint: Checkpoint
    folder: str
    card: str
    files: tuple[ModelFile, ...]  # in order of name, without the card

    @property
    def bytes(self) -> int:
        """Of all files, the card included."""
        return len(self.card.encode()) + sum(file.bytes for file in self.files)

    @property
    def tar_bytes(self) -> int:
        sizes = [(CARD, len(self.card.encode())), *((file.name, file.bytes) for file in self.files)]
        return sum(len(_header(self, name, size)) + size + -size % _PADDED for name, size in sizes) + len(_END)


class DamagedModel(InputError):
    """The weights are not those that were published; what was given out of them is not to be used."""


def trained(iteration: Iteration, kind: str) -> Model:
    """The adapter or the merged model of an iteration. Raises InputError when there is none, or its files are gone."""
    if kind not in CheckpointKind.values:
        raise InputError(f"kind {kind[:40]!r} is unknown; choose one of {', '.join(CheckpointKind.values)}")
    related = ("iteration", "parent__iteration", "run__base", "run__dataset__project__team", "run__revision")
    checkpoint = Checkpoint.objects.filter(iteration=iteration, kind=kind).select_related(*related).first()
    if checkpoint is None and Checkpoint.objects.filter(iteration=iteration).exists():
        raise InputError(f"iteration {iteration.number} of run {iteration.run_id} trained every weight: take its merged model")
    if checkpoint is None:
        why = "it evaluates the base" if not iteration.number else f"it is {iteration.state} and has trained nothing"
        raise InputError(f"iteration {iteration.number} of run {iteration.run_id} has no model of its own: {why}; choose another")
    if checkpoint.removed_at is not None:
        raise InputError(
            f"the files of the {kind} model of iteration {iteration.number} went on {checkpoint.removed_at:%Y-%m-%d}, as old "
            "ones do (docs/operations.md, Artifacts); choose another"
        )
    name = f"run-{checkpoint.run_id}-iteration-{iteration.number}-{kind}"
    return Model(checkpoint, name, card_of(checkpoint), tuple(_files(checkpoint)))


@transaction.atomic
def begin(iteration: Iteration, kind: str, by: User | None = None) -> Model:
    """A model that is about to be given out, on record. Raises as `trained` does."""
    require(by, iteration.run.project.team, Role.VIEWER)
    model = trained(iteration, kind)
    after = {"iteration": iteration.number, "kind": kind, "sha256": model.checkpoint.sha256}
    events.record("model.export", iteration, run_id=iteration.run_id, actor=by, after=after)
    return model


def _files(checkpoint: Checkpoint) -> Iterator[ModelFile]:
    if artifacts.is_stored(checkpoint.uri):
        for entry in artifacts.files_of(checkpoint.uri):
            if entry.name != CARD:
                yield ModelFile(entry.name, entry.stored, entry.bytes)
    else:
        yield from _files_here(checkpoint)


def _files_here(checkpoint: Checkpoint) -> Iterator[ModelFile]:
    root = artifacts.checkpoint_dir(checkpoint)
    if not checkpoint.uri and not root.is_dir():
        raise InputError(
            "the store keeps adapters alone and this host has not merged this model: take the adapter, or ask on a host that "
            "has worked with it; ARTIFACTS_MERGED=1 keeps merged models of trainings to come"
        )
    paths = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    if not any(path.suffix == ".safetensors" for path in paths):
        raise InputError(f"the files of {checkpoint.uri or root.name} are gone from ARTIFACTS_ROOT; put them back")
    for path in paths:
        name = path.relative_to(root).as_posix()
        if name != CARD:
            yield ModelFile(name, path, path.stat().st_size)


def tar_blocks(model: Model) -> Generator[bytes]:
    """The model as a tar, the card first, then its files a block at a time; the same bytes each time.

    Raises DamagedModel, before the last block, when the weights are not the published ones.
    """
    card = model.card.encode()
    yield _header(model, CARD, len(card)) + card + bytes(-len(card) % _PADDED)
    weights = _Weights(model.checkpoint)
    for file in model.files:
        yield _header(model, file.name, file.bytes)
        yield from weights.read(file)
        if padding := -file.bytes % _PADDED:
            yield bytes(padding)
    weights.check()
    yield _END


def write_folder(model: Model, target: Path, on_progress: Callable[[int], None] | None = None) -> None:
    """Write the model into a new folder, complete or not there. Raises InputError when it is there, or cannot be written."""
    if target.exists():
        raise InputError(f"{target} is there already; give another folder, or remove it")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        draft.mkdir()
        _write_files(model, draft, on_progress)
        draft.rename(target)
    except OSError as error:
        raise drafts.unwritable(target, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_files(model: Model, folder: Path, on_progress: Callable[[int], None] | None) -> None:
    (folder / CARD).write_text(model.card, encoding="utf-8")
    weights, written = _Weights(model.checkpoint), 0
    for file in model.files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            for block in weights.read(file):
                written += out.write(block)
                if on_progress:
                    on_progress(written)
            drafts.flush(out)
    weights.check()


def _blocks(file: ModelFile) -> Iterator[bytes]:
    """Its content. Raises OSError, StoreError."""
    if isinstance(file.source, Stored):
        yield from artifacts.store().blocks(file.source)
        return
    left = file.bytes
    with file.source.open("rb") as opened:
        while left and (block := opened.read(min(BLOCK, left))):
            left -= len(block)
            yield block


class _Weights:
    """Reads files in order of name, and takes the sha256 of the weights along, as `model_folder.weights_sha256` has it."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint, self._digests = checkpoint, list[bytes]()

    def read(self, file: ModelFile) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), file.bytes
        for block in _blocks(file):
            digest.update(block)
            left -= len(block)
            yield block
        if left:
            raise DamagedModel(f"{file.name} of {self._checkpoint.uri} became shorter while it was read; try again")
        if file.name.endswith(".safetensors") and "/" not in file.name:
            self._digests.append(digest.digest())

    def check(self) -> None:
        digests = self._digests
        found = digests[0].hex() if len(digests) == 1 else hashlib.sha256(b"".join(digests)).hexdigest()
        if found != self._checkpoint.sha256:
            raise DamagedModel(
                f"the weights of {self._checkpoint.uri} have the sha256 {found}, published was {self._checkpoint.sha256}; "
                "put the published files back"
            )


def _header(model: Model, name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(f"{model.folder}/{name}")
    entry.size, entry.mtime = size, int(model.checkpoint.created_at.timestamp())
    return entry.tobuf(tarfile.PAX_FORMAT)


def listed(model: Model) -> list[dict[str, Any]]:
    """Names and sizes of what is in the tar."""
    sizes = [(CARD, len(model.card.encode())), *((file.name, file.bytes) for file in model.files)]
    return [{"name": name, "bytes": size} for name, size in sizes]
