"""The model that a shard needs, on this host: fetched from the store, or merged here by `python -m trainer merge`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from django.db import close_old_connections

from curation.models import Checkpoint
from curation.models.checkpoints import CheckpointKind
from curation.models.shards import StageKind
from curation.stages import local_models
from curation.stages.shards import Claim
from worker.children import Child
from worker.engines import PROJECT
from worker.logs import log_file
from worker.rack import Owning
from worker.station import Station


class Working(Owning, Protocol):
    """Somebody who works on a claim, and may have to stop."""

    def check(self) -> None: ...


@contextmanager
def at_hand(station: Station, lease: Working) -> Iterator[None]:
    """What the claim names is there, whole, and not evicted within the block. A base is the operator's to provide.

    Raises StoreError, DamagedFile, ChildFailed, GivenUp.
    """
    with ExitStack() as stack:
        for checkpoint in _needed(lease.claim):
            stack.enter_context(local_models.held(checkpoint, partial(_merge, station, lease), lease.check))
        close_old_connections()  # a merge takes minutes
        yield


def _needed(claim: Claim) -> list[Checkpoint]:
    """The claim's model; where an adapter is trained further, that one on the run's base instead."""
    if claim.checkpoint_id is None:
        return []
    found = Checkpoint.objects.select_related("run__base", "parent")
    checkpoint = found.get(pk=claim.checkpoint_id)
    if claim.stage_kind == StageKind.TRAINING and claim.settings.training.adapter == "continued":
        return [found.get(iteration=checkpoint.iteration_id, kind=CheckpointKind.ADAPTER)]
    return [checkpoint]


def _merge(station: Station, lease: Working, model: Path, adapter: Path, out: Path) -> None:
    """The engine ends first: a merge wants the device's memory."""
    station.engines.end()
    threads = lease.claim.settings.training.threads
    command = [sys.executable, "-m", "trainer", "merge", "--model", str(model), "--adapter", str(adapter)]
    words = [*command, "--out", str(out), "--threads", str(threads)]
    child = Child(words, name="the merge", log=log_file(station.logs, "merging"), threads=threads, folder=PROJECT)
    try:
        with lease.watching(child):
            for _ in child.lines():
                pass
            child.finish()
    finally:
        child.end(patience=0)
    close_old_connections()
