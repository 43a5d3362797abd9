"""manage.py start_iteration RUN: begin the next iteration of a run in step mode."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, find_run
from curation.stages import running


class Command(StageCommand):
    help = "Begin the next iteration of a run that waits for a person (mode step)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="its id, as start_run printed it")

    def run(self, **options: Any) -> None:
        run = find_run(options["run"])
        running.start_iteration(run)
        self.stdout.write(f"run {run.pk}: iteration {run.iterations.count() - 1} has begun")
