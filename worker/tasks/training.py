"""Train an iteration's adapter in a child process: `python -m trainer train`, its progress line by line into the record."""

from __future__ import annotations

import json
import logging
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from curation.services.launching import STUB
from curation.stages import training
from curation.stages.shards import Claim
from curation.stages.training import TrainingJob
from toolcalls.errors import InputError
from toolcalls.settings import settings_json
from trainer.tracking import ENVIRONMENT
from worker.children import EXIT_INPUT, Child, ChildFailed
from worker.devices import on_devices
from worker.engines import PROJECT
from worker.leases import Lease
from worker.logs import log_file
from worker.models import at_hand
from worker.points import gather, publishing
from worker.station import Station

log = logging.getLogger(__name__)


def run(station: Station, lease: Lease) -> str:
    station.engines.end()
    with at_hand(station, lease):
        return _train(station, lease)


def _train(station: Station, lease: Lease) -> str:
    job = training.job(lease.claim)
    job.out_dir.parent.mkdir(parents=True, exist_ok=True)
    # Named after the attempt, so that publishing removes what a killed worker left of it.
    with tempfile.TemporaryDirectory(dir=job.out_dir.parent, prefix=f"{job.out_dir.name}-job-") as folder:
        gather(job, lease.check)
        command = launched(lease.devices, train_command(lease.claim, job, Path(folder)))
        log_to = log_file(station.logs, "training")
        needs = {variable for kind in settings.TRACKERS for variable in ENVIRONMENT[kind]}
        child = Child(command, name="the training", log=log_to, threads=job.settings.threads, folder=PROJECT, needs=needs)
        try:
            with publishing(lease.claim, job.points), lease.watching(child):
                report = follow(child, lease.claim)
        finally:
            child.end(patience=0)
    close_old_connections()  # Postgres may have been restarted meanwhile
    training.publish(lease.claim, job.out_dir, report, lease.check)
    return f"{report['rows']} rows, {report['too_long']} too long"


def train_command(claim: Claim, job: TrainingJob, folder: Path) -> list[str]:
    """Write the settings into `folder`; the command line that trains from them."""
    chosen = folder / "settings.json"
    chosen.write_text(json.dumps(settings_json(claim.settings)))
    values = ["--in", str(job.rows), "--out", str(job.out_dir), "--model", str(job.model), "--settings", str(chosen)]
    values += ["--points", str(job.points), "--track-in", str(settings.TRACKING_ROOT)]
    values += ["--track-name", f"run-{claim.run_id}-iteration-{claim.iteration_number}"]
    for kind in settings.TRACKERS:
        values += ["--track", kind]
    if job.adapter is not None:
        values += ["--adapter", str(job.adapter)]
    return [sys.executable, "-m", "trainer", "train", *values]


def launched(devices: Sequence[str], command: Sequence[str]) -> list[str]:
    """`command` on these devices: on several of them as one process each, by `accelerate launch`.

    Each of those leads a session of its own, which a kill of the launcher's group does not reach; so each asks the kernel to
    be killed when the launcher dies.
    """
    if len(devices) < 2:
        return on_devices(devices, command)
    many = ["--multi_gpu", "--num_machines", "1", "--num_processes", str(len(devices)), "--mixed_precision", "no"]
    alone = ["--main_process_port", "0", "--dynamo_backend", "no", "--no_python"]
    bound = [sys.executable, "-I", "-S", str(STUB), str(int(signal.SIGKILL)), "0", "-"]
    return on_devices(devices, [sys.executable, "-m", "accelerate.commands.launch", *many, *alone, *bound, *command])


def follow(child: Child, claim: Claim) -> dict[str, Any]:
    """Record the steps as they come; the last line is the report. Raises ChildFailed, or InputError when the user must act."""
    report: dict[str, Any] | None = None
    for line in child.lines():
        if line.get("done"):
            report = line
        elif "step" in line:
            _record(claim, line)
        elif "begins_after" in line:
            _begin(claim, line["begins_after"])
    try:
        child.finish()
    except ChildFailed as error:
        if error.exit_status == EXIT_INPUT:
            raise InputError(str(error)) from error
        raise
    if report is None:
        raise ChildFailed("the training ended without a report", exit_status=0)
    return report


def _begin(claim: Claim, step: int) -> None:
    if step:
        log.info("shard %s: the training goes on after step %s", claim.shard_id, step)
    training.begin_after(claim, step)


def _record(claim: Claim, line: dict[str, Any]) -> None:
    """A step that the database could not take is not worth a training: the lease decides whether to go on."""
    try:
        training.progress(claim, line)
    except (DatabaseError, InterfaceError) as error:
        log.warning("shard %s: step %s not recorded: %s", claim.shard_id, line["step"], str(error).strip())
        close_old_connections()
