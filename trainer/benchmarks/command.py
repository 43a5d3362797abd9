"""The command: benchmarks → traces, or published outputs → reports in a folder. What was interrupted goes on from its answers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from toolcalls.benchmarks.catalogue import Benchmark, open_benchmark
from toolcalls.benchmarks.items import HELDOUT, Item
from toolcalls.benchmarks.outputs import read_published
from toolcalls.benchmarks.scoring import Judged, judge_outputs
from toolcalls.reports import report
from toolcalls.settings import Settings
from trainer.benchmarks.flags import check, name_server
from trainer.benchmarks.folder import evaluating
from trainer.benchmarks.heldout import open_heldout
from trainer.benchmarks.plan import plan_of, plan_of_outputs
from trainer.benchmarks.results import Baseline, Evaluated, Result, read_baseline, results_json, results_text, write_results
from trainer.benchmarks.tracing import Asking, trace
from trainer.engines.protocol import Engine
from trainer.progress import Progress
from trainer.sampling import greedy

_T = TypeVar("_T")
Engines = Callable[[argparse.Namespace, Settings], AbstractContextManager[Engine]]


def run(arguments: argparse.Namespace, settings: Settings, engines: Engines) -> None:
    """Evaluate, write the folder, and print the tables on a terminal, else JSON. Raises InputError, EngineError, OutputError."""
    check(arguments)
    name_server(arguments)
    benchmarks = [_opened(name, arguments, settings) for name in arguments.benchmark]
    if arguments.outputs is not None:
        evaluated = _scored(benchmarks[0], arguments)
    else:
        evaluated = _asked(benchmarks, arguments, settings, engines)
    if sys.stdout.isatty():
        print(results_text(evaluated), end="")
    else:
        print(json.dumps(results_json(evaluated), ensure_ascii=False))


def _opened(name: str, arguments: argparse.Namespace, settings: Settings) -> Benchmark:
    if name == HELDOUT:
        return open_heldout(arguments, settings)
    return open_benchmark(
        name, arguments.data, categories=arguments.categories, changed_files=arguments.changed_files, prompts=arguments.prompts
    )


def _asked(benchmarks: Sequence[Benchmark], arguments: argparse.Namespace, settings: Settings, engines: Engines) -> Evaluated:
    """Ask a model; what it answers is kept from the first answer on."""
    plan, out = plan_of(arguments, settings, benchmarks), Path(arguments.out)
    items = {each.name: spread(each.items, arguments.limit) for each in benchmarks}
    baseline = _baseline(arguments, plan, items)
    with ExitStack() as stack, evaluating(out, plan) as kept:
        engine = cache(lambda: stack.enter_context(engines(arguments, settings)))  # not opened where all answers were kept
        results = []
        for each in benchmarks:
            asking = Asking(engine, items[each.name], arguments.prompts, greedy(settings), kept, Progress(each.name))
            results.append(
                _result(each, Judged(tuple(trace(asking, settings.refine_turns)), settings.refine_turns, {}), baseline)
            )
        evaluated = Evaluated(plan, results, baseline)
        write_results(out, evaluated)
    return evaluated


def _scored(benchmark: Benchmark, arguments: argparse.Namespace) -> Evaluated:
    """Score published outputs."""
    outputs = read_published(arguments.outputs, benchmark.items, arguments.mode)
    judged = judge_outputs(benchmark, outputs, arguments.missing)
    plan, out = plan_of_outputs(arguments, outputs, judged.n, benchmark), Path(arguments.out)
    baseline = _baseline(arguments, plan, {benchmark.name: benchmark.items})
    evaluated = Evaluated(plan, [_result(benchmark, judged, baseline)], baseline)
    with evaluating(out, plan):
        write_results(out, evaluated)
    return evaluated


def _baseline(arguments: argparse.Namespace, plan: Mapping[str, Any], asked: Mapping[str, Sequence[Item]]) -> Baseline | None:
    return None if arguments.baseline is None else read_baseline(arguments.baseline, plan, asked)


def _result(benchmark: Benchmark, judged: Judged, baseline: Baseline | None) -> Result:
    traced, n, left_out = judged
    available = len(benchmark.items) - sum(left_out.values())
    found = report(benchmark.name, traced, n, left_out=left_out, available=available)
    return Result(found, traced, {} if baseline is None else baseline.contrasts(benchmark.name, traced, n))


def spread(items: Sequence[_T], limit: int | None) -> Sequence[_T]:
    """At most `limit` items, evenly spread, so that the categories keep their shares."""
    if limit is None or limit >= len(items):
        return items
    return [items[number * len(items) // limit] for number in range(limit)]
