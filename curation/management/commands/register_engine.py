"""manage.py register_engine NAME KIND --option k=v: let runs generate in this way."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, assignments
from curation.models.registry import EngineKind
from curation.stages import registering


class Command(StageCommand):
    help = "Register an engine that runs may generate with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what runs call it: letters, digits, - and _")
        parser.add_argument("kind", metavar="KIND", choices=EngineKind.values, help=", ".join(EngineKind.values))
        parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="may be given several times")

    def run(self, **options: Any) -> None:
        engine = registering.register_engine(options["name"], options["kind"], assignments(options["option"], "--option"))
        self.stdout.write(f"engine {engine.name}: {engine.kind} {engine.options or ''}".rstrip())
