"""The frozen rows of a training set as a file of lines: what is trained on and exported, from this host's workspace, else from
the store, else written anew."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curation.models import Iteration, TrainingSet
from curation.stages import artifacts, drafts
from curation.stages.errors import InputError
from curation.storage.errors import DamagedFile, MissingFile, StoreError
from curation.storage.store import Stored
from toolcalls.assembly import identity
from toolcalls.exporting import whetstone_line
from toolcalls.records import TrainingRow

log = logging.getLogger(__name__)

NAME = "training-set.jsonl"
BUFFER = 2**20  # bytes that are written at a time


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole file under a name of its own; `publish` gives it its place."""

    path: Path
    final: Path
    identity: str  # of the rows: toolcalls.assembly.training_set_hash
    sha256: str  # of the file
    bytes: int

    def keep(self) -> None:
        """Put it into the store, for other hosts. Raises StoreError."""
        artifacts.store().put(self.path, settled=True)

    def publish(self) -> None:
        self.path.replace(self.final)

    def discard(self) -> None:
        drafts.remove(self.path)

    @property
    def uri(self) -> str:
        return artifacts.uri_of(self.final)


def place_of(iteration: Iteration) -> Path:
    """Where the rows of an iteration stand."""
    return artifacts.path_of(f"runs/{iteration.run_id}/iteration-{iteration.number}/{NAME}")


def write(final: Path, rows: Iterable[TrainingRow]) -> Draft:
    """Write rows, one at a time in memory, as a draft of `final`. Raises InputError, with nothing left, when that fails."""
    beside = drafts.draft_of(final)
    known, content, size = hashlib.sha256(), hashlib.sha256(), 0
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("xb", buffering=BUFFER) as file:
            for row in rows:
                line = whetstone_line(row).encode() + b"\n"
                file.write(line)
                known.update(identity(row))
                content.update(line)
                size += len(line)
            drafts.flush(file)
    except OSError as error:
        drafts.remove(beside)
        raise drafts.unwritable(final, error) from error
    except BaseException:
        drafts.remove(beside)
        raise
    return Draft(beside, final, known.hexdigest(), content.hexdigest(), size)


def path(training_set: TrainingSet) -> Path:
    """Where its file should be."""
    return artifacts.path_of(training_set.uri)


def is_there(training_set: TrainingSet) -> bool:
    """Whether the file is there with its length: said at once, however large it is."""
    return bool(training_set.uri) and _size(path(training_set)) == training_set.bytes


def is_whole(training_set: TrainingSet) -> bool:
    """Whether the file is what was frozen, to the byte: reads all of it."""
    return is_there(training_set) and _sha256(path(training_set)) == training_set.file_sha256


def fetch(training_set: TrainingSet) -> bool:
    """Bring the frozen file from the store to its place. False when the store has none, or a damaged one, which goes."""
    if not training_set.file_sha256 or training_set.bytes is None:
        return False
    final, store = path(training_set), artifacts.store()
    beside = drafts.draft_of(final)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        store.fetch(Stored(training_set.file_sha256, training_set.bytes), beside)
        beside.replace(final)
        return True
    except DamagedFile:
        log.warning("training set %d: its file in the store is damaged, and removed there", training_set.pk)
        store.delete(training_set.file_sha256)
    except MissingFile:
        pass
    except (OSError, StoreError) as error:
        log.warning("training set %d: its file could not be fetched: %s", training_set.pk, error)
    finally:
        drafts.remove(beside)
    return False


def rebuild(training_set: TrainingSet, rows: Iterable[TrainingRow]) -> Path:
    """Write a file that was lost or damaged anew, and note what it is now.

    Raises InputError when these rows are not those that were frozen.
    """
    log.warning("training set %d: its file is gone or damaged, and written anew", training_set.pk)
    final = path(training_set) if training_set.uri else place_of(training_set.iteration)
    draft = write(final, rows)
    if draft.identity != training_set.sha256:
        draft.discard()
        raise InputError(
            f"the training set of iteration {training_set.iteration.number} is not what was frozen any more, because another "
            "version of this program renders its prompts differently; train and export with the version that began the run"
        )
    try:
        draft.keep()
    except StoreError as error:
        log.warning("training set %d: its file stays on this host: %s", training_set.pk, error)
    draft.publish()
    training_set.uri, training_set.file_sha256, training_set.bytes = draft.uri, draft.sha256, draft.bytes
    training_set.save(update_fields=["uri", "file_sha256", "bytes"])
    return final


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return ""
