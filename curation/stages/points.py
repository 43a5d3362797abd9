"""Points of a training in the store, from which another host goes on when its worker is gone: of each training the last one."""

from __future__ import annotations

import logging
from pathlib import Path

from curation.models import TrainingSet
from curation.stages import artifacts, sweeping
from curation.stages.shards import Claim, held
from curation.storage.errors import StoreError
from curation.storage.folders import fetch_folder
from curation.storage.store import Check, go_on

log = logging.getLogger(__name__)


def publish(claim: Claim, folder: Path, check: Check = go_on) -> None:
    """Store the point that alone is in `folder`, and name it in the stead of the last one, whose files then go.

    Raises StoreError, and LostLease when the training is another worker's by now: nothing is named then.
    """
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    uri = artifacts.publish(folder, names, check)
    with held(claim):
        sweeping.hold_store()
        artifacts.check_stored([uri])
        before = replace(claim.iteration_id, uri)
    if before != uri:
        forget(before)


def replace(iteration_id: int, uri: str) -> str:
    """Name another point, or none; the address of the one that was named. Within a transaction that holds the shard."""
    training_set = TrainingSet.objects.select_for_update(no_key=True).get(iteration_id=iteration_id)
    TrainingSet.objects.filter(pk=training_set.pk).update(point_uri=uri)
    return str(training_set.point_uri)


def forget(uri: str) -> None:
    """Delete the files of a point that is named no more, but for those that other rows name. A store that is away is no failure:
    the next sweep takes them."""
    if not uri:
        return
    try:
        sweeping.delete({uri.removeprefix(artifacts.STORED), *(file.sha256 for file in artifacts.files_of(uri))})
    except StoreError as error:
        log.warning("a point that is of no use any more stays for the next sweep: %s", error)


def last(claim: Claim) -> str:
    """The address of the training's last point in the store; empty when there is none."""
    return str(TrainingSet.objects.values_list("point_uri", flat=True).get(iteration_id=claim.iteration_id))


def names_of(uri: str) -> set[str]:
    """What the points' folders at an address are called. Raises StoreError."""
    return {file.name.partition("/")[0] for file in artifacts.files_of(uri)}


def fetch(uri: str, folder: Path, check: Check = go_on) -> None:
    """Bring a point into `folder`, every file proven. Raises StoreError."""
    fetch_folder(artifacts.store(), artifacts.files_of(uri), folder, check)
