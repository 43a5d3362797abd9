"""The worker's Celery application: `python -m celery -A worker.app worker -P threads -c 1 -Q celery`."""

from __future__ import annotations

import logging
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")
os.environ.setdefault("DATABASE_KEPT", "1")

import click

import django  # after the settings' name is in the environment

django.setup()

from celery import bootsteps, signals  # noqa: E402

from django.conf import settings  # noqa: E402

from curation.celery import app  # noqa: E402
from curation.services.errors import ServiceError  # noqa: E402
from curation.stages import workforce  # noqa: E402
from curation.stages.reconciling import Reconciler  # noqa: E402
from worker.devices import device_names  # noqa: E402
from worker.tasks import station  # noqa: E402

app.conf.imports = ("worker.tasks",)
app.user_options["worker"].add(
    click.Option(["--devices"], default="", help="Accelerators that this worker owns, as in 0,1,2,3. Default: what CUDA shows.")
)
app.conf.worker_redirect_stdouts = False
for chatty in ("celery.worker.strategy", "celery.app.trace"):  # one line per shard says more
    logging.getLogger(chatty).setLevel(logging.WARNING)

reconciler = Reconciler(on_beat=station.beat, on_session=lambda session: workforce.sign_in(session, len(station.group.names)))


class OwnDevices(bootsteps.Step):
    """Locks the devices before any work is taken."""

    def __init__(self, worker: object, devices: str = "", **options: object) -> None:
        try:
            station.own(device_names(devices), settings.DEVICE_LOCKS)
        except ServiceError as error:
            raise SystemExit(f"Error: {error}") from error


app.steps["worker"].add(OwnDevices)


@signals.setup_logging.connect
def _leave_logging_alone(**_: object) -> None:
    """The settings have configured it; a listener here keeps Celery from doing so again."""


@signals.worker_ready.connect
def _start_reconciling(**_: object) -> None:
    reconciler.start()


@signals.worker_shutting_down.connect
def _give_back(**_: object) -> None:
    """Runs in the signal's handler: the shard at work is released by its own threads."""
    station.stopping.set()


@signals.worker_shutdown.connect
def _end_children(**_: object) -> None:
    station.stopping.set()
    reconciler.stop()
    reconciler.join(5.0)
    station.engines.end()
