"""manage.py export_dataset RUN ITERATION --format whetstone|trl: the training set of an iteration, as lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, find_run
from curation.models import Export
from curation.models.exports import ExportKind
from curation.stages import export_files, exporting


class Command(StageCommand):
    help = "Export what an iteration trains on: to standard output, or to a file with a manifest beside it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="its id, as start_run printed it")
        parser.add_argument("iteration", type=int, metavar="ITERATION", help="its number, from 1")
        parser.add_argument("--format", default="whetstone", choices=exporting.FORMATS[ExportKind.TRAINING_SET])
        parser.add_argument("--out", type=Path, metavar="FILE", help="written when it is complete, or not at all")

    def run(self, **options: Any) -> None:
        iteration = exporting.find_iteration(find_run(options["run"]), options["iteration"])
        export = exporting.begin(iteration, format=options["format"])
        if options["out"] is None:
            for line in export_files.write_lines(export):
                self.stdout.write(line)
        else:
            self._to_file(export, options["out"])

    def _to_file(self, export: Export, path: Path) -> None:
        with self.progress("rows") as progress:
            manifest = export_files.write_file(export, path, progress)
        self.stderr.write(f"{path}: {manifest['rows']} rows ({manifest['direct']} direct, {manifest['refine']} refine)")
        self.stderr.write(f"sha256 {manifest['sha256']}")
