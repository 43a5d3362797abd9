"""manage.py change_run RUN pause|resume|stop|retry|approve: what a person may do to a run."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, find_run
from curation.models import Run
from curation.models.runs import IterationState
from curation.stages import review, running
from curation.stages.errors import WrongState

ACTIONS = ("pause", "resume", "stop", "retry", "approve")


class Command(StageCommand):
    help = "Pause, resume, stop or retry a run, or approve the review that holds it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="its id, as start_run printed it")
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument("--why", default="", help="for the record, of a pause or a stop")

    def run(self, **options: Any) -> None:
        run = find_run(options["run"])
        match options["action"]:
            case "pause":
                running.pause_run(run, why=options["why"])
            case "resume":
                running.resume_run(run)
            case "stop":
                running.stop_run(run, why=options["why"])
            case "retry":
                running.retry_run(run)
            case "approve":
                _approve(run)
        run.refresh_from_db()
        self.stdout.write(f"run {run.pk} is {run.state}")


def _approve(run: Run) -> None:
    iteration = run.iterations.filter(state=IterationState.OPEN).first()
    if iteration is None:
        raise WrongState(f"run {run.pk} is {run.state} and has no iteration under way, so no review waits")
    review.approve(iteration, None)
