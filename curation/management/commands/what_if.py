"""manage.py what_if RUN ITERATION [--k K] [--tolerance N | --exact] [--changes] [--json]: another k or tolerance, at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from curation.management.command import StageCommand, find_run
from curation.stages import whatif
from curation.stages.errors import InputError
from curation.stages.saturation import Bounds, Saturation
from curation.stages.whatif import Changed, Question, Stored, TurnAnswer, WhatIf

TURNS = ("direct", "refine")
PAGE = 1000  # changes fetched at once


class Command(StageCommand):
    help = "What an iteration would have selected with fewer attempts or another tolerance. It writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, metavar="RUN")
        parser.add_argument("iteration", type=int, metavar="ITERATION")
        parser.add_argument("--k", type=int, help="the first so many attempts of each turn; the run's own k where it is left out")
        parser.add_argument("--tolerance", type=int, help="parameters of a call that may differ; the run's own where left out")
        parser.add_argument("--exact", action="store_true", help="exact answers alone: tolerance 0")
        parser.add_argument("--changes", action="store_true", help="list what would be gained and lost as well")
        parser.add_argument("--json", action="store_true", help="for programs: one object, or with --changes one line each")

    def run(self, **options: Any) -> None:
        run = find_run(options["number"])
        iteration = run.iterations.filter(number=options["iteration"]).first()
        if iteration is None:
            raise InputError(f"run {run.pk} has no iteration {options['iteration']}")
        iteration.run = run
        question = whatif.ask(iteration, options["k"], options["tolerance"], exact=options["exact"])
        stored = Stored(iteration)
        if not options["changes"] or not options["json"]:
            answer = stored.answer(question)
            self.stdout.write(json.dumps(asdict(answer)) if options["json"] else "\n".join(_lines(answer)))
        for changed in _all(stored, question) if options["changes"] else ():
            self.stdout.write(json.dumps(asdict(changed), ensure_ascii=False) if options["json"] else _line(changed))


def _lines(answer: WhatIf) -> Iterator[str]:
    asked, own = answer.question, answer.own
    yield f"the first {asked.k} of {own.k} attempts, tolerance {asked.tolerance} (the run's: {own.tolerance})"
    for turn in answer.turns:
        yield f"{TURNS[turn.turn]}: {turn.before:,} selected, {turn.now:,} so ({turn.gained:,} gained, {turn.lost:,} lost)"
        yield from (f"  {number:,} {before} → {now}" for number, before, now in _moves(turn))
        yield f"  by attempts: {', '.join(f'{k}: {number:,}' for k, number in enumerate(turn.by_k, 1))}"
        if turn.unknown:
            yield f"  {turn.unknown:,} cannot be told: fewer attempts of them are stored"
    if said := answer.saturation:
        yield f"{_ends(said.now)} ({_growth(said)}); by its own k and tolerance {_ends(said.before)}"
    if answer.unsampled:
        yield f"pairs of the {answer.unsampled:,} samples gained were never sampled and count nowhere"
    if answer.left_out:
        yield f"{answer.left_out:,} verdicts on samples that were dropped or corrected count nowhere"


def _ends(ends: bool | None) -> str:
    return {True: "the run ends here", False: "the run goes on", None: "whether the run ends here cannot be told"}[ends]


def _growth(saturation: Saturation) -> str:
    if saturation.previous is None:
        return f"{_bounds(saturation.current)} selected, in the first iteration"
    more = f", and ε is {saturation.epsilon:g}" if saturation.epsilon else ""
    return f"{_bounds(saturation.current)} selected, after {_bounds(saturation.previous)}{more}"


def _bounds(bounds: Bounds) -> str:
    return f"{bounds.least:,}" if bounds.least == bounds.most else f"{bounds.least:,} to {bounds.most:,}"


def _moves(turn: TurnAnswer) -> list[tuple[int, str, str]]:
    moves = [(number, before, now) for before, to in turn.counts.items() for now, number in to.items() if before != now]
    return sorted(moves, reverse=True)


def _all(stored: Stored, question: Question) -> Iterator[Changed]:
    for turn in range(len(TURNS)):
        after = 0
        while page := stored.changes(question, turn=turn, after=after, limit=PAGE):
            yield from page
            after = page[-1].id


def _line(changed: Changed) -> str:
    return f"{TURNS[changed.turn]} {changed.change} {changed.key}: {changed.outcome_before} → {changed.outcome}"
