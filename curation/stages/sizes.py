"""How many bytes models take: those in the store by its lists of files, those on this host by their folders."""

from __future__ import annotations

from pathlib import Path

from curation.models import Checkpoint
from curation.stages import artifacts
from curation.stages.errors import InputError
from curation.storage.errors import StoreError


def checkpoint_bytes(checkpoint: Checkpoint) -> int:
    """In the store, and of a merged model in this host's cache; 0 where it is in neither."""
    try:
        if artifacts.is_stored(checkpoint.uri):
            return sum(entry.bytes for entry in artifacts.files_of(checkpoint.uri))
        return folder_bytes(artifacts.checkpoint_dir(checkpoint))
    except (InputError, StoreError):
        return 0


def folder_bytes(folder: Path) -> int:
    """Of the files in a folder; 0 for one that is gone."""
    return sum(path.stat().st_size for path in folder.glob("*") if path.is_file())
