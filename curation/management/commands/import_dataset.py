"""manage.py import_dataset FILE --project team/project --dataset NAME: a file as the next revision of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from curation.management.command import StageCommand
from curation.models.datasets import Split
from curation.stages import importing, projects
from curation.stages.importing import ImportReport
from toolcalls.importing import FORMATS

BREACHES_SHOWN = 5


class Command(StageCommand):
    help = "Import a file of samples as the next revision of a data set. docs/importing.md describes the formats."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="JSON lines, or a JSON array")
        parser.add_argument("--project", required=True, metavar="TEAM/PROJECT")
        parser.add_argument("--dataset", required=True, metavar="NAME", help="made where it is missing")
        parser.add_argument("--create", action="store_true", help="make the team and the project where they are missing")
        parser.add_argument("--format", default="auto", choices=["auto", *FORMATS])
        split = parser.add_mutually_exclusive_group()
        split.add_argument("--split", choices=Split.values, help="put the whole file into this split")
        split.add_argument("--heldout-share", type=float, default=0.0, metavar="SHARE", help="hold this share out, by hash: 0.1")
        parser.add_argument("--append", action="store_true", help="the new revision holds the last one's samples too")
        parser.add_argument("--skip-errors", action="store_true", help="import the rest when rows cannot be used")

    def run(self, **options: Any) -> None:
        find = projects.find_or_create_project if options["create"] else projects.find_project
        with self.progress("rows") as progress, transaction.atomic():
            report = importing.import_dataset(
                find(options["project"]),
                options["dataset"],
                options["file"],
                format=options["format"],
                split=options["split"],
                heldout_share=options["heldout_share"],
                append=options["append"],
                skip_errors=options["skip_errors"],
                on_progress=progress,
            )
        self._say(report)

    def _say(self, report: ImportReport) -> None:
        for error in report.errors:
            self.stderr.write(f"left out: {error}")
        if report.skipped > len(report.errors):
            self.stderr.write(f"left out: {report.skipped - len(report.errors)} more rows")
        revision, splits = report.revision, report.by_split
        what = "new revision" if report.created else "nothing new: still revision"
        self.stdout.write(
            f"{revision.dataset}: {what} {revision.number} with {splits['train']} samples to train on and "
            f"{splits['heldout']} held out ({report.calls} call tools, {report.no_calls} do not)"
        )
        self.stdout.write(f"rows {report.rows}, new {report.new}, duplicates {report.duplicates}, left out {report.skipped}")
        self.stdout.write(f"sha256 {revision.sha256}")
        self._say_breaches(report)
        if not splits["heldout"]:
            self.stderr.write(
                "No sample is held out, and a run needs some: import again with --heldout-share 0.1, "
                "or another file with --split heldout --append."
            )

    def _say_breaches(self, report: ImportReport) -> None:
        if report.breaking:
            rows, do = ("row", "calls") if report.breaking == 1 else ("rows", "call")
            self.stderr.write(
                f"{report.breaking} {rows} {do} tools in a way that the tools' descriptions do not allow; look at them in review:"
            )
            for row in report.breaches[:BREACHES_SHOWN]:
                self.stderr.write(f"  {row}")
