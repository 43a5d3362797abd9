"""Ask the engine for a shard's attempts: as one batch, or in waves as long as samples are without a hit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import close_old_connections

from curation.models.registry import EngineKind
from curation.stages import imported, judging
from curation.stages.jobs import EngineRequest
from toolcalls.records import Generation
from toolcalls.waves import until_hit
from worker.engines import EngineChild
from worker.leases import Lease
from worker.models import at_hand
from worker.station import Station


def generate(station: Station, lease: Lease, requests: Sequence[EngineRequest]) -> dict[int, list[Generation]]:
    """The attempts by sample version, as settings.sampling_mode wants them. A shard without requests starts no engine;
    imported answers need none."""
    if not requests:
        return {}
    if lease.claim.engine_kind == EngineKind.IMPORTED:
        return imported.answers(lease.claim)
    in_waves = lease.claim.settings.sampling_mode == "until_hit"
    with at_hand(station, lease), station.engines.serving(lease) as engine:
        answers = _in_waves(engine, lease, requests) if in_waves else engine.generate(requests)
    close_old_connections()  # Postgres may have been restarted meanwhile
    return {int(name): attempts for name, attempts in answers.items()}


def _in_waves(engine: EngineChild, lease: Lease, requests: Sequence[EngineRequest]) -> dict[str, list[Generation]]:
    asked = {request.id: request for request in requests}

    def ask(wave: Mapping[str, range]) -> dict[str, list[Generation]]:
        lease.check()
        return engine.generate([asked[name].only(attempts) for name, attempts in wave.items()])

    return until_hit({name: len(request.seeds) for name, request in asked.items()}, ask, judging.is_hit_of(lease.claim))
