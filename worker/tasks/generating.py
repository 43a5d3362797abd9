"""Ask the engine for a shard's batch."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import close_old_connections

from curation.models.registry import EngineKind
from curation.stages import imported
from curation.stages.jobs import EngineRequest
from toolcalls.records import Generation
from worker.leases import Lease
from worker.station import Station


def generate(station: Station, lease: Lease, requests: Sequence[EngineRequest]) -> dict[int, list[Generation]]:
    """All attempts by sample version. A shard without requests starts no engine; imported answers need none."""
    if not requests:
        return {}
    if lease.claim.engine_kind == EngineKind.IMPORTED:
        return imported.answers(lease.claim)
    with station.engines.serving(lease) as engine:
        answers = engine.generate(requests)
    close_old_connections()  # Postgres may have been restarted meanwhile
    return {int(name): attempts for name, attempts in answers.items()}
