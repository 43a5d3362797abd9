"""manage.py export_model RUN --iteration N --kind adapter|merged --to DIR: what an iteration trained, with its model card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, find_run
from curation.models.checkpoints import CheckpointKind
from curation.stages import exporting, model_files


class Command(StageCommand):
    help = "Take home what an iteration trained: a folder with its files and a model card."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="its id, as start_run printed it")
        parser.add_argument("--iteration", type=int, required=True, metavar="N", help="its number, from 1")
        parser.add_argument("--kind", choices=CheckpointKind.values, default=CheckpointKind.ADAPTER)
        parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder, complete or not there")

    def run(self, **options: Any) -> None:
        iteration = exporting.find_iteration(find_run(options["run"]), options["iteration"])
        model = model_files.begin(iteration, options["kind"])
        with self.progress("bytes") as progress:
            model_files.write_folder(model, options["to"], progress)
        self.stderr.write(f"{options['to']}: {len(model.files) + 1} files, {model.bytes:,} bytes")
        self.stderr.write(f"sha256 of the weights {model.checkpoint.sha256}")
