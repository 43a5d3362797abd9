"""manage.py sweep_artifacts: which old models' files would go by the policy; with --apply they go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand
from curation.stages import sweeping
from curation.stages.sweeping import Going


class Command(StageCommand):
    help = "Show which old models' files would go by the policy and why the others stay; --apply deletes them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=sweeping.DAYS, help="that a run has been over; 30 unless told")
        parser.add_argument("--apply", action="store_true", help="do it; without it nothing is changed")

    def run(self, **options: Any) -> None:
        apply, files, size = options["apply"], 0, 0
        for going in list(sweeping.plan(max(0, options["days"]))):
            self._show(sweeping.give_up(going.run) if apply else going)
        if apply:
            files, size = sweeping.delete_unnamed()
        else:
            for file in sweeping.unnamed():
                files, size = files + 1, size + file.bytes
        self.stdout.write(f"{files} files that no row names{', deleted' if apply else ''}: {size:,} bytes")
        if not apply:
            self.stderr.write("nothing was changed; --apply does it")

    def _show(self, going: Going) -> None:
        stays = ", ".join([*map(str, going.whole), *(f"{number} (adapter)" for number in going.adapters)]) or "none"
        self.stdout.write(f"run {going.run.pk} is over since {going.run.ended_at:%Y-%m-%d}; iterations that stay: {stays}")
        for each in going.checkpoints:
            self.stdout.write(f"  iteration {each.iteration.number} {each.kind} {each.sha256[:12]} goes")
