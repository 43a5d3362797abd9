"""manage.py evaluate: a model, or published outputs, on a benchmark of a project or a held-out split; the table at the end."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import Progress, StageCommand, assignments
from curation.models import Evaluation, EvaluationItem, Project, Run
from curation.models.runs import RunState
from curation.stages import benchmarks, datasets, evaluating, projects, published, running
from curation.stages.errors import InputError
from curation.stages.evaluation_files import report_words
from curation.stages.trial_models import Model, named
from curation.stages.workforce import lack
from toolcalls.benchmarks.outputs import MODES

LOOK = 1.0  # seconds between two looks at how far it is
OVER = (RunState.COMPLETED, RunState.FAILED, RunState.STOPPED)


class Command(StageCommand):
    help = (
        "Evaluate a model on a benchmark of a project or on a data set's held-out split, by the workers, or score published "
        "outputs; print the table at the end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, metavar="TEAM/PROJECT")
        on = parser.add_mutually_exclusive_group(required=True)
        on.add_argument("--benchmark", default="", metavar="NAME", help="a data set of import_benchmark")
        on.add_argument("--dataset", default="", metavar="NAME", help="the held-out split of the project's own data")
        parser.add_argument("--revision", type=int, metavar="NUMBER", help="of the data set; its last without this")
        parser.add_argument("--model", default="", metavar="BASE|RUN:ITERATION", help="without it, the engine's own")
        parser.add_argument(
            "--engine", default="", metavar="NAME", help="the run's, or the newest run's on the base, without this"
        )
        parser.add_argument("--n", type=int, metavar="NUMBER", help="most refine turns; 5 by the paper")
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", dest="choices",
            help="a setting that is not to be the model's own, e.g. max_new_tokens=256; may be given several times",
        )  # fmt: skip
        parser.add_argument("--outputs", type=Path, metavar="PATH", help="score these published results; no model is asked")
        parser.add_argument("--mode", choices=MODES, help="of --outputs: text, or calls of a function-calling API")
        parser.add_argument(
            "--missing", choices=("refuse", "wrong", "leave_out"), default="refuse", help="of --outputs: items without an answer"
        )
        parser.add_argument("--name", default="", help="of the evaluation, for people")
        parser.add_argument("--json", action="store_true", help="the report for programs")

    def run(self, **options: Any) -> None:
        project = projects.find_project(options["project"])
        made = self._asked(project, options) if options["outputs"] is None else _scored(project, options)
        found = Evaluation.objects.select_related("iteration__run", "revision__dataset").get(iteration__run=made)
        if options["json"]:
            self.stdout.write(json.dumps({"run": made.pk, "evaluation": found.pk, **found.figures}, ensure_ascii=False))
        else:
            self.stdout.write(f"evaluation {found.pk}, run {made.pk}: {made.name}")
            self.stdout.write(report_words(found), ending="")

    def _asked(self, project: Project, options: dict[str, Any]) -> Run:
        if options["mode"] or options["missing"] != "refuse":
            raise InputError("--mode and --missing are of published outputs; give --outputs, or leave them out")
        name, is_benchmark = options["benchmark"] or options["dataset"], bool(options["benchmark"])
        revision = datasets.named(project, name, options["revision"], benchmark=is_benchmark)
        settings = assignments(options["choices"], "--set")
        settings |= {} if options["n"] is None else {"refine_turns": options["n"]}
        model = _model(project, options["model"], options["engine"])
        made = evaluating.create_evaluation(project, revision, model, settings, name=options["name"])
        running.start_run(made)
        self.stderr.write(f"run {made.pk}: {model} on {revision}, {revision.heldout} items")
        with self.progress("items", revision.heldout) as progress:
            _follow(made, progress)
        return made


def _scored(project: Project, options: dict[str, Any]) -> Run:
    if not options["benchmark"]:
        raise InputError("--outputs are those of a benchmark; name it with --benchmark")
    if options["model"] or options["engine"] or options["choices"] or options["n"] is not None:
        raise InputError("--outputs are answers that are there; leave --model, --engine, --n and --set out")
    benchmark = benchmarks.named(project, options["benchmark"], options["revision"])
    names = {name: options[name] for name in ("mode", "missing", "name")}
    return published.store_outputs(project, benchmark, options["outputs"], **names)


def _model(project: Project, model: str, engine: str) -> Model:
    run, colon, iteration = model.partition(":")
    if not colon:
        return named(project, base=model, engine=engine)
    if not run.isdecimal() or not (iteration.isdecimal() or not iteration):
        raise InputError(f"--model {model}: a registered base, or RUN:ITERATION in numbers")
    return named(project, run=int(run), iteration=int(iteration) if iteration else None, engine=engine)


def _follow(run: Run, progress: Progress) -> None:
    """Until it has ended. Whoever interrupts this leaves it going. Raises InputError when it ended without a result."""
    told = ""
    while run.state not in OVER:
        time.sleep(LOOK)
        run.refresh_from_db()
        progress(EvaluationItem.objects.filter(iteration__run=run).count())
        if (lacks := lack(run)) and lacks != told:
            progress.stream.write(lacks)
            told = lacks
    if run.state != RunState.COMPLETED:
        raise InputError(f"run {run.pk} is {run.state}: {run.why or 'somebody stopped it'}")
