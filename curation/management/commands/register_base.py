"""manage.py register_base NAME PATH: let runs use a model folder under MODEL_ROOTS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand
from curation.stages import registering


class Command(StageCommand):
    help = "Register a Hugging Face model folder under MODEL_ROOTS as a base that runs may use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what runs call it: letters, digits, - and _")
        parser.add_argument("path", metavar="PATH", help="the folder, absolute or relative to one of MODEL_ROOTS")

    def run(self, **options: Any) -> None:
        base = registering.register_base(options["name"], options["path"])
        self.stdout.write(f"base {base.name}: {base.path}\nsha256 {base.sha256}")
