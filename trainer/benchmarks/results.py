"""What an evaluation came to: its report as JSON, CSV and text, and how it differs from another one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from toolcalls.benchmarks.items import Item
from toolcalls.benchmarks.outputs import outputs_notes
from toolcalls.contrasts import Contrast, contrast, contrast_json, outcomes, turns_note
from toolcalls.errors import InputError
from toolcalls.report_json import report_json
from toolcalls.report_rows import report_csv
from toolcalls.report_text import NAMES, contrast_text, report_text
from toolcalls.reports import Report
from toolcalls.strategies import Strategy, Traced
from toolcalls.tracing import traced_from_json, traced_json
from toolcalls.wire import Fields
from trainer.benchmarks.folder import ITEMS, PLAN, read_plan, write_items, write_text
from trainer.jsonl import read_objects

COMPARED: tuple[Strategy, ...] = ("direct", "adaptive")


@dataclass(frozen=True, slots=True)
class Result:
    """One benchmark's traces and report. `contrasts`: against a baseline, by strategy."""

    report: Report
    traced: Sequence[Traced]
    contrasts: Mapping[Strategy, Contrast]


class Evaluated(NamedTuple):
    """What was evaluated, what each benchmark came to, and what that is compared with."""

    plan: Mapping[str, Any]
    results: Sequence[Result]
    baseline: Baseline | None


def write_results(folder: Path, evaluated: Evaluated) -> None:
    """Write items.jsonl and the reports. Raises OutputError."""
    write_items(folder, _lines(evaluated.results))
    write_text(folder / "report.json", json.dumps(results_json(evaluated), indent=2, ensure_ascii=False) + "\n")
    write_text(folder / "report.csv", report_csv(*(each.report for each in evaluated.results)))
    write_text(folder / "report.txt", results_text(evaluated))


def _lines(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    for each in results:
        for traced in each.traced:
            yield {"benchmark": each.report.benchmark, **traced_json(traced)}


def results_json(evaluated: Evaluated) -> dict[str, Any]:
    """What was evaluated, and each benchmark's report; with a baseline, the differences to it."""
    plan, results, baseline = evaluated
    benchmarks = {
        name: {key: value for key, value in each.items() if key != "files"}  # which the digest stands for
        for name, each in plan["benchmarks"].items()
    }
    found: dict[str, Any] = {**plan, "benchmarks": benchmarks, "reports": [report_json(each.report) for each in results]}
    if baseline is not None:
        contrasts = [
            {"strategy": strategy, **contrast_json(each)} for result in results for strategy, each in result.contrasts.items()
        ]
        told = {"folder": str(baseline.folder), "n": baseline.n, "note": baseline.note(plan["n"])}
        found["baseline"] = {**told, "contrasts": contrasts}
    return found


def results_text(evaluated: Evaluated) -> str:
    """The same in the layout of the paper's tables."""
    plan, results, baseline = evaluated
    parts = [_changed(plan), "".join(f"{line}\n" for line in outputs_notes(plan["outputs"])) if "outputs" in plan else ""]
    for result in results:
        parts.append(report_text(result.report))
        parts += [] if baseline is None else _compared(result, baseline)
    if baseline is not None and (note := baseline.note(plan["n"])):
        parts.append(f"{note}\n")
    return "\n".join(filter(None, parts))


def _compared(result: Result, baseline: Baseline) -> list[str]:
    if not result.contrasts:
        return [f"{result.report.benchmark}: not compared, {baseline.folder} has no question of it\n"]
    return [
        f"{NAMES[strategy]}, {contrast_text(each, str(baseline.folder), 'this')}" for strategy, each in result.contrasts.items()
    ]


def _changed(plan: Mapping[str, Any]) -> str:
    changed = {name: ", ".join(each["changed_files"]) for name, each in plan["benchmarks"].items() if each["changed_files"]}
    return "".join(f"{name}: not the known files: {files}\n" for name, files in changed.items())


@dataclass(frozen=True, slots=True)
class Baseline:
    """Another evaluation's traces by benchmark, of at most n refine turns."""

    folder: Path
    traced: Mapping[str, Sequence[Traced]]
    n: int

    def note(self, n: int) -> str:
        """What to know where this evaluation refines at most n times and the other not: "" where as often."""
        if bool(n) != bool(self.n):
            return f"Not the same n: {self.folder} has n = {self.n}, this n = {n}, so only direct answers are compared."
        return turns_note("adaptive", str(self.folder), "this", (self.n, n))

    def contrasts(self, benchmark: str, traced: Sequence[Traced], n: int) -> dict[Strategy, Contrast]:
        """Direct and adaptive answers against its own, each at its evaluation's n."""
        if benchmark not in self.traced:
            return {}
        return {
            strategy: contrast(benchmark, outcomes(self.traced[benchmark], strategy, self.n), outcomes(traced, strategy, n))
            for strategy in (COMPARED if n and self.n else COMPARED[:1])
        }


def read_baseline(folder: Path, plan: Mapping[str, Any], asked: Mapping[str, Sequence[Item]]) -> Baseline:
    """`asked`: items by benchmark. Raises InputError where the folder holds no finished evaluation, or one of other questions."""
    other = Fields(read_plan(folder), str(folder / PLAN))
    for name, each in plan["benchmarks"].items():
        there = other.get("benchmarks", dict).get(name, {"files": {}})
        if changed := [file for file, sha256 in each["files"].items() if there["files"].get(file, sha256) != sha256]:
            raise InputError(f"{folder}: its {name} was read from other files ({', '.join(changed)}); its questions are others.")
    if not (folder / ITEMS).exists():
        raise InputError(f"{folder}: its evaluation did not end. Go on with it first, by the command that began it.")
    traced: dict[str, list[Traced]] = {}
    for where, value in read_objects(folder / ITEMS):
        traced.setdefault(Fields(value, where).get("benchmark", str), []).append(traced_from_json(value, where))
    if not any({item.id for item in items} & {item.id for item in traced.get(name, ())} for name, items in asked.items()):
        has = ", ".join(f"{len(items)} of {name}" for name, items in traced.items())
        raise InputError(
            f"{folder}: shares no question with this evaluation, it has {has or 'none'}. Give one of the same questions."
        )
    return Baseline(folder, traced, other.get("n", int))
