"""manage.py keep_model RUN --iteration N: choose a model, so that no sweep takes its files."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, find_run
from curation.stages import exporting, sweeping


class Command(StageCommand):
    help = "Choose an iteration's model, so that sweep_artifacts never takes its files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="its id, as start_run printed it")
        parser.add_argument("--iteration", type=int, required=True, metavar="N", help="its number, from 1")
        parser.add_argument("--no-longer", action="store_true", help="leave it to the policy again")

    def run(self, **options: Any) -> None:
        iteration = exporting.find_iteration(find_run(options["run"]), options["iteration"])
        sweeping.keep(iteration, kept=not options["no_longer"])
        how = "left to the policy" if options["no_longer"] else "kept"
        self.stdout.write(f"the model of iteration {iteration.number} of run {iteration.run_id} is {how}")
