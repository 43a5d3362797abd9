"""k refinements of A₁ for every sample of a shard that has a usable one (Eq. 3), as one batch of the engine."""

from __future__ import annotations

from curation.stages import refinement
from worker.leases import Lease
from worker.station import Station
from worker.tasks.generating import generate


def run(station: Station, lease: Lease) -> str:
    answers = generate(station, lease, refinement.requests(lease.claim))
    refinement.store(lease.claim, answers)
    return f"{len(answers)} pairs, {sum(map(len, answers.values()))} attempts"
