"""manage.py import_upload PK: what the site starts when somebody presses Import; it reports to the upload's row."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand
from curation.models import Upload
from curation.stages import import_child
from curation.stages.errors import InputError


class Command(StageCommand):
    help = "Import an uploaded file whose import was begun on its page. The site starts this by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("upload", type=int, metavar="UPLOAD", help="its number, as in its address")

    def run(self, **options: Any) -> None:
        upload = Upload.objects.select_related("project__team").filter(pk=options["upload"]).first()
        if upload is None:
            raise InputError(f"upload {options['upload']} does not exist; the data sets' page lists them")
        report = import_child.run(upload)
        self.stdout.write(f"upload {upload.pk}: {report.rows} rows, {report.revision}")
