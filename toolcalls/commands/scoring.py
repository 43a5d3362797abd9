"""`python -m toolcalls score`: what a benchmark's own scorer says, named as such and never blended with ≈.

Without --outputs standard input is scored line by line. With it, a model's result files are scored as a whole: accuracy by
category and the paper's averages, as a table on a terminal and as JSON elsewhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from toolcalls.benchmarks.catalogue import Benchmark, items_by_id, open_files
from toolcalls.benchmarks.files import ChangedFiles, Files
from toolcalls.benchmarks.items import NAMES, Item
from toolcalls.benchmarks.judging import judge
from toolcalls.benchmarks.outputs import MODES, Outputs, outputs_json, outputs_notes
from toolcalls.benchmarks.scoring import Missing, score_files, scores_json
from toolcalls.commands.json_lines import answer_lines, write
from toolcalls.errors import InputError
from toolcalls.report_text import report_text
from toolcalls.wire import Fields


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--benchmark", required=True, choices=NAMES)
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="the benchmark's folder, or one that holds them all"
    )
    parser.add_argument("--changed-files", choices=get_args(ChangedFiles), default="refuse")
    parser.add_argument("--outputs", type=Path, metavar="PATH", help="a result file, or a folder of one model's")
    parser.add_argument("--categories", nargs="+", metavar="NAME", help="with --outputs: these alone")
    parser.add_argument("--mode", choices=MODES, help="with --outputs: text, or calls of a function-calling API")
    parser.add_argument("--missing", choices=get_args(Missing), default="refuse", help="with --outputs: items without an answer")


def run(arguments: argparse.Namespace) -> int:
    """Score result files, or every line of standard input. Raises InputError where files cannot be read or used."""
    if arguments.outputs is not None:
        return _score_files(arguments)
    if arguments.categories or arguments.mode or arguments.missing != "refuse":
        raise InputError("--categories, --mode and --missing are of --outputs; a line says its own category and mode.")
    asked = Asked(arguments.benchmark, open_files(arguments.benchmark, arguments.data, arguments.changed_files))
    return answer_lines(lambda row: scored(row, asked))


def _score_files(arguments: argparse.Namespace) -> int:
    scores = score_files(
        arguments.benchmark,
        arguments.data,
        arguments.outputs,
        categories=arguments.categories,
        changed_files=arguments.changed_files,
        mode=arguments.mode,
        missing=arguments.missing,
    )
    if sys.stdout.isatty():
        told = notes(scores.benchmark, scores.outputs)
        sys.stdout.write(report_text(scores.report) + "".join(f"{line}\n" for line in told))
    else:
        write(scores_json(*scores))
    return 0


def notes(benchmark: Benchmark, outputs: Outputs) -> Iterator[str]:
    """What must be told beside a table."""
    if benchmark.changed_files:
        yield f"CHANGED BENCHMARK: not the known files: {', '.join(benchmark.changed_files)}"
    yield from outputs_notes(outputs_json(outputs))


class Asked:
    """The items that lines ask for; a category's files are read when the first line names it."""

    def __init__(self, benchmark: str, files: Files) -> None:
        self._benchmark = benchmark
        self._files = files
        self._read: dict[str, dict[str, Item]] = {}

    def item(self, category: str, sample_id: str) -> Item:
        """One item. Raises InputError for a category or an id that the benchmark has not."""
        if category not in self._read:
            self._read[category] = items_by_id(self._benchmark, self._files, (category,))
        try:
            return self._read[category][sample_id]
        except KeyError:
            raise InputError(f"sample_id {sample_id!r}: {self._benchmark} has no such question of {category}") from None

    @property
    def changed(self) -> bool:
        """Whether what was read so far is not all of the benchmark's known files."""
        return not all(file.known for file in self._files.read)


def scored(row: dict[str, Any], asked: Asked) -> dict[str, Any]:
    """The official verdict on {"sample_id", "category", "mode", "output_text"}; raises InputError for no such question."""
    fields = Fields(row, "the line")
    sample_id = fields.get("sample_id", str)
    item = asked.item(fields.get("category", str), sample_id)
    found = judge(item, fields.get("output_text", str), fields.get("mode", str))
    changed = {"changed_files": True} if asked.changed else {}
    return {"sample_id": sample_id, "valid": found.valid, "error_type": found.error_type, **changed}
