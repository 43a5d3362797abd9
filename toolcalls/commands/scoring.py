"""`python -m toolcalls score`: what a benchmark's own scorer says, named as such and never blended with ≈."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from toolcalls.commands.json_lines import answer_lines
from toolcalls.errors import InputError
from toolcalls.official import bfcl
from toolcalls.official.acebench.questions import Questions
from toolcalls.official.apibank.dialogues import Dialogues
from toolcalls.official.scored import Scored
from toolcalls.wire import Fields


class Benchmark(Protocol):
    """The questions of a benchmark, each with its answer."""

    def score(self, sample_id: str, category: str, mode: str, output_text: str) -> Scored: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--benchmark", required=True, choices=tuple(_OPEN))
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="the folder that holds bfcl/, acebench/, apibank/"
    )


def run(arguments: argparse.Namespace) -> int:
    """Score every line of standard input. Raises InputError where the benchmark's files cannot be read."""
    folder: Path = arguments.data / arguments.benchmark
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; --data names the one that holds it")
    benchmark = _OPEN[arguments.benchmark](folder)
    return answer_lines(lambda row: scored(row, benchmark))


def scored(row: dict[str, Any], benchmark: Benchmark) -> dict[str, Any]:
    """The official verdict on {"sample_id", "category", "mode", "output_text"}; raises InputError for no such question."""
    fields = Fields(row, "the line")
    sample_id = fields.get("sample_id", str)
    result = benchmark.score(sample_id, fields.get("category", str), fields.get("mode", str), fields.get("output_text", str))
    return {"sample_id": sample_id, "valid": result.valid, "error_type": result.error_type}


class _Bfcl:
    """The Berkeley leaderboard's questions, judged by id."""

    def __init__(self, folder: Path) -> None:
        self._questions = bfcl.Questions(folder)

    def score(self, sample_id: str, category: str, mode: str, output_text: str) -> Scored:
        if mode not in bfcl.MODES:
            raise InputError(f"mode {mode!r}: there are {', '.join(map(repr, bfcl.MODES))}")
        question = self._questions.question(category, sample_id)
        return bfcl.score(category, mode, output_text, question.functions, question.answer)


_OPEN: dict[str, Callable[[Path], Benchmark]] = {"bfcl": _Bfcl, "acebench": Questions, "apibank": Dialogues}
