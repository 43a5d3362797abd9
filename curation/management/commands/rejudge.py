"""manage.py rejudge REJUDGING, or rejudge --run RUN --iteration N [--rule NAME=VALUE]: judge stored attempts again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, assignments, find_run
from curation.models import Rejudging
from curation.stages import rejudging
from curation.stages.errors import InputError


class Command(StageCommand):
    help = "Judge an iteration's stored attempts again, by the current comparator or other rules. It selects nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rejudging", type=int, nargs="?", metavar="REJUDGING", help="one begun on its page, for the site")
        parser.add_argument("--run", type=int, dest="number", help="the run whose iteration is judged again")
        parser.add_argument("--iteration", type=int, help="the number of the iteration")
        parser.add_argument("--rule", action="append", default=[], metavar="NAME=VALUE", help="another rule than the run's")

    def run(self, **options: Any) -> None:
        work = self._wanted(**options)
        with self.progress("verdicts judged") as counter:
            rejudging.run(work, counter)
        for turn, name in enumerate(("direct", "refine")):
            before, now = rejudging.selected(work.counts, turn)
            self.stdout.write(f"{name}: {before:,} selected, {now:,} by these rules")
        changed = work.changed.count()
        self.stdout.write(f"re-judging {work.pk}: {changed:,} of {work.judged:,} verdicts change under {work.comparator}")

    def _wanted(self, **options: Any) -> Rejudging:
        related = Rejudging.objects.select_related("iteration__run__project__team", "by")
        if options["rejudging"] is not None:
            found = related.filter(pk=options["rejudging"]).first()
            if found is None:
                raise InputError(f"re-judging {options['rejudging']} does not exist")
            return found
        if options["number"] is None or options["iteration"] is None:
            raise InputError("say which iteration: --run RUN --iteration N")
        run = find_run(options["number"])
        iteration = run.iterations.filter(number=options["iteration"]).first()
        if iteration is None:
            raise InputError(f"run {run.pk} has no iteration {options['iteration']}")
        return rejudging.begin(iteration, assignments(options["rule"], "--rule"), None, here=True)
