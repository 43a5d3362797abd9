"""Freeze the training set of an iteration, as a list in the record and as a file of its rows."""

from __future__ import annotations

from curation.stages import assembly
from worker.leases import Lease
from worker.station import Station


def run(station: Station, lease: Lease) -> str:
    frozen = assembly.store(lease.claim, lease.check)
    return f"{frozen.direct} direct rows, {frozen.refine} refine rows"
