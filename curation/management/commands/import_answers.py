"""manage.py import_answers FILE: what the site starts when somebody sends a file of answers; it reports to the file's row."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand
from curation.models import AnswerFile
from curation.stages import answer_files
from curation.stages.errors import InputError


class Command(StageCommand):
    help = "Import a file of answers that was sent to a run. The site starts this by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=int, metavar="FILE", help="its number, as REST gives it")

    def run(self, **options: Any) -> None:
        related = ("run__project__team", "run__engine", "by")
        file = AnswerFile.objects.select_related(*related).filter(pk=options["file"]).first()
        if file is None:
            raise InputError(f"file {options['file']} was not sent; the page of a run lists those that were")
        report = answer_files.run(file)
        self.stdout.write(f"file {file.pk}: {report.taken} answers, {report.arrived} of {report.awaited} are here")
