"""manage.py try_model: a question to a model, answered by a worker with adaptive self-refine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand
from curation.models import Project, SampleVersion, Trial
from curation.models.trials import TrialState
from curation.stages import projects, trying
from curation.stages.errors import InputError, WrongState
from curation.stages.trial_models import named
from curation.stages.trial_questions import asked_by, newest_version, typed_question
from curation.stages.trial_turns import ReadTurn, read_turns, turn_json
from toolcalls.records import Sample

LOOK = 0.5  # seconds between two looks at whether it is answered


class Command(StageCommand):
    help = "Put a question to a model: what a run has trained, a base, or a server. A worker answers with adaptive self-refine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, metavar="TEAM/PROJECT")
        parser.add_argument("--run", type=int, metavar="RUN", dest="run_number")
        parser.add_argument("--iteration", type=int, metavar="NUMBER", help="of the run; its last model without this")
        parser.add_argument("--base", default="", metavar="NAME")
        parser.add_argument("--engine", default="", metavar="NAME", help="the run's without this")
        asked = parser.add_mutually_exclusive_group(required=True)
        asked.add_argument("--message", metavar="TEXT")
        asked.add_argument("--sample", type=int, metavar="ID", help="whose question is asked, and whose truth is compared with")
        parser.add_argument("--tools", metavar="FILE", help="a JSON list")
        parser.add_argument("--system", default="", metavar="TEXT")
        parser.add_argument("--turns", type=int, metavar="NUMBER", help="refine turns at most")
        parser.add_argument("--max-new-tokens", type=int, metavar="NUMBER")
        parser.add_argument("--patience", type=float, default=1800.0, metavar="SECONDS", help="to wait for the answer")
        parser.add_argument("--json", action="store_true", help="for programs")

    def run(self, **options: Any) -> None:
        project = projects.find_project(options["project"])
        asked, version = _question(project, options)
        names = {name: options[name] for name in ("iteration", "base", "engine")}
        limits = {name: options[name] for name in ("turns", "max_new_tokens")}
        made = trying.ask(project, named(project, run=options["run_number"], **names), asked, version=version, **limits)
        try:
            _wait(made, options["patience"])
        except BaseException:
            _take_back(made)
            raise
        trial = Trial.objects.select_related("version").get(pk=made.pk)
        if trial.state != TrialState.DONE:
            raise InputError(f"the trial is {trial.state}: {trial.error or 'somebody took it back'}")
        turns = list(read_turns(trial))
        if options["json"]:
            self.stdout.write(json.dumps([turn_json(turn) for turn in turns], ensure_ascii=False))
        else:
            self.stdout.write("\n".join(map(_line, turns)))


def _question(project: Project, options: dict[str, Any]) -> tuple[Sample, SampleVersion | None]:
    if options["sample"] is not None:
        if options["tools"] or options["system"]:
            raise InputError("--sample has tools and a system text of its own; leave --tools and --system out")
        version = newest_version(project, options["sample"])
        return asked_by(version), version
    return typed_question("", options["message"], _read(options["tools"]), options["system"], None), None


def _read(path: str | None) -> str:
    try:
        return "" if path is None else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--tools {path}: cannot be read ({error})") from error


def _wait(trial: Trial, patience: float) -> None:
    deadline = time.monotonic() + patience
    while trial.is_open:
        if time.monotonic() > deadline:
            raise InputError(f"no worker has answered within {patience:g} s; is one running?")
        time.sleep(LOOK)
        trial.refresh_from_db()


def _take_back(trial: Trial) -> None:
    """One that is being answered goes on: it stands on the page."""
    try:
        trying.cancel(trial)
    except WrongState:
        return


def _line(read: ReadTurn) -> str:
    turn, judged = read.turn, read.judgement
    told = [f"{turn.prompt_tokens} → {turn.completion_tokens} tokens", f"{turn.seconds:.1f} s"]
    if turn.finish_reason != "stop":
        told.append(turn.finish_reason)
    if judged is not None:
        told.append("equals the truth" if judged.max_param_diff == 0 else judged.reason or f"near: {read.differences}")
    told += [f"breaks: {one}" for one in read.breaks]
    stands = ["this answer stands"] if read.stops else []
    return f"A{read.number}  {turn.text}\n    {', '.join(told + stands)}"
