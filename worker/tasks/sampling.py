"""k direct answers for every sample of a shard (Eq. 2), as one batch of the engine."""

from __future__ import annotations

from curation.stages import sampling
from worker.leases import Lease
from worker.station import Station
from worker.tasks.generating import generate


def run(station: Station, lease: Lease) -> str:
    answers = generate(station, lease, sampling.requests(lease.claim))
    sampling.store(lease.claim, answers)
    return f"{len(answers)} samples, {sum(map(len, answers.values()))} attempts"
