"""The one task: a message is a wake-up, and what there is to do stands in Postgres."""

from __future__ import annotations

from django.conf import settings

from curation.celery import WAKE_UP, app
from curation.models.shards import StageKind
from worker.station import Station
from worker.tasks import assembly, evaluation, measuring, refinement, sampling, training, trying

station = Station(
    {
        StageKind.SAMPLING: sampling.run,
        StageKind.REFINEMENT: refinement.run,
        StageKind.ASSEMBLY: assembly.run,
        StageKind.TRAINING: training.run,
        StageKind.EVALUATION: evaluation.run,
    },
    settings.VAR,
    measuring.work,
    trying.work,
)


@app.task(name=WAKE_UP)
def wake_up() -> None:
    """Work until no shard is left. Whatever the message was sent for, another worker may have done it already."""
    station.work_off()
