"""manage.py import_generations RUN [FILE ...]: answers from elsewhere to what a run asks for."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, find_run
from curation.stages.errors import InputError
from curation.stages.imported import Imported, Waiting, expecting, import_generations, waiting
from toolcalls.outputs import FORMATS


class Command(StageCommand):
    help = "Import answers that a run waits for: OpenAI's batch outputs, BFCL's result files. Without a file: what is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="its id, as start_run printed it")
        parser.add_argument(
            "files", type=Path, metavar="FILE", nargs="*", help="of a form that names no attempts, one file for each"
        )
        parser.add_argument("--format", default="auto", choices=["auto", *FORMATS])
        parser.add_argument("--attempt", type=int, default=0, metavar="NUMBER", help="that the first of such files holds (0)")
        parser.add_argument("--skip-errors", action="store_true", help="import the rest when lines cannot be used")
        parser.add_argument("--allow-missing", action="store_true", help="this is all: go on with the attempts that are here")
        parser.add_argument("--start-over", action="store_true", help="forget what was imported for this turn before")

    def run(self, **options: Any) -> None:
        run, paths = find_run(options["run"]), options["files"]
        if not paths and not options["allow_missing"] and not options["start_over"]:
            self._say_waiting(waiting(expecting(run, None)))
            return
        how = {name: options[name] for name in ("format", "attempt", "skip_errors", "allow_missing", "start_over")}
        with ExitStack() as opened, self.progress("lines") as progress:
            files = [(path.name, opened.enter_context(_opened(path))) for path in paths]
            report = import_generations(run, files, **how, on_progress=progress)
        self._say(report)

    def _say(self, report: Imported) -> None:
        for error in report.errors:
            self.stderr.write(f"left out: {error}")
        if report.left_out > len(report.errors):
            self.stderr.write(f"left out: {report.left_out - len(report.errors):,} more lines")
        self.stdout.write(f"{report.taken:,} generations imported, {report.arrived:,} of {report.awaited:,} attempts are here")
        if report.waiting is None:
            self.stdout.write("the run goes on")
        else:
            self._say_waiting(report.waiting)

    def _say_waiting(self, still: Waiting) -> None:
        self.stdout.write(f"the {still.turn} turn waits: {still.arrived:,} of {still.awaited:,} attempts are here")
        for each in still.missing:
            self.stdout.write(f"  sample {each.key!r} has {each.attempts} of {each.asked}")


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
