"""manage.py supervise: the whole site, from the servers to the workers, until Ctrl-C."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from curation import environment
from curation.cores import default_workers
from curation.management.command import StageCommand
from curation.supervising import Site, ended_by_signals


class Command(StageCommand):
    help = "Run Postgres and Valkey (unless DATABASE_URL and REDIS_URL name others), the web site, workers and the reconciler."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=int, default=default_workers(), help=f"worker processes ({default_workers()})")
        parser.add_argument(
            "--devices", action="append", metavar="0,1", help="accelerators of one worker; once for each, instead of --workers"
        )
        parser.add_argument("--port", type=int, default=environment.text("WEB_PORT", "8000"), help="of the web site")
        parser.add_argument("--host", default=environment.text("WEB_HOST", "127.0.0.1"), help="address the web site listens on")

    def run(self, **options: Any) -> None:
        try:
            chosen = {name: options[name] for name in ("workers", "port", "host")}
            with ended_by_signals(), Site(say=self._say, devices=options["devices"] or (), **chosen) as site:
                self._say(f"Whetstone runs at {site.url} with {site.workers} workers; logs are in {site.logs}; Ctrl-C ends it")
                site.watch_over()
        except KeyboardInterrupt:
            self._say("everything has ended")

    def _say(self, line: str) -> None:
        print(line, file=sys.stdout, flush=True)
