"""manage.py export_requests RUN --turn direct|refine --model NAME: what a run asks for, as OpenAI's batch input."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, find_run
from curation.stages.batch_requests import batch_requests
from toolcalls.batches import TURNS


class Command(StageCommand):
    help = "Write what a run of imported generations waits for as lines of OpenAI's batch input, to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="its id, as start_run printed it")
        parser.add_argument("--turn", required=True, choices=TURNS, help="the one that the run waits for")
        parser.add_argument("--model", required=True, metavar="NAME", help="as the one who answers knows it")

    def run(self, **options: Any) -> None:
        for line in batch_requests(find_run(options["run"]), options["turn"], options["model"]):
            self.stdout.write(line)
