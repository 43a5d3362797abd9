"""How long 2,351 outputs of BFCL take to be scored, here and by bfcl-eval, in rounds that take turns."""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.eval.outputs import CATEGORIES, outputs, write_results
from bench.eval.peer import Runner, command, folder_name
from bench.toolcalls.original import VERSION, Original
from toolcalls.benchmarks.catalogue import Benchmark, open_benchmark
from toolcalls.benchmarks.judging import judge
from toolcalls.benchmarks.scoring import score_files, scores_json
from toolcalls.plain_lists import COMPILED

Work = Callable[[], object]
GOAL = 5  # times the peer's time
FLOOR = "json.loads of the benchmark's files, nothing kept"


def scoring(data: Path, peer: Path, repeats: int, python: Path | None) -> dict[str, Any]:
    """Three readings: verdicts alone, from files to accuracy in one process, and the two commands. CPU seconds, medians."""
    original = Original(peer)
    runner = Runner(original)
    benchmark = open_benchmark("bfcl", data, categories=CATEGORIES)
    texts = outputs(data, benchmark.items)
    with tempfile.TemporaryDirectory() as thrown_away:
        results, scores = Path(thrown_away, "result"), Path(thrown_away, "score")
        write_results(results / folder_name(), benchmark.items, texts)

        def whole() -> dict[str, Any]:
            return scores_json(*score_files("bfcl", data, results, categories=CATEGORIES))

        def theirs() -> dict[str, float]:
            return runner.evaluate(results / folder_name(), scores)

        agree = _agree(whole(), theirs())
        gc.collect()
        gc.freeze()  # what is held here is no program's garbage
        alone = {
            "whetstone": lambda: [judge(item, texts[item.id]) for item in benchmark.items],
            "bfcl-eval": lambda: [
                original.score(item.category, "prompt", texts[item.id], item.sample.tools, item.answer)
                for item in benchmark.items
            ],
        }
        return {
            "peer": f"bfcl-eval {VERSION}",
            "toolcalls": "compiled" if COMPILED else "plain Python",
            "outputs": len(texts),
            "categories": list(CATEGORIES),
            "repeats": repeats,
            "same number of right answers in every category": agree,
            "goal": f"{GOAL} times the peer's speed",
            "verdicts alone, in memory": _figures(_rounds(alone, repeats, _own_cpu)),
            "from files to accuracy, in one process": _figures(
                _rounds({"whetstone": whole, "bfcl-eval": theirs, FLOOR: lambda: _json_alone(data, benchmark)}, repeats, _own_cpu)
            ),
            "as commands": _commands(data, results, scores, repeats, python),
        }


def _commands(data: Path, results: Path, scores: Path, repeats: int, python: Path | None) -> dict[str, Any] | str:
    """What a person waits for: programs that start, read, score, write."""
    if python is None:
        return "not measured: no Python with bfcl-eval and all that it depends on was named (--bfcl-python)"
    ours = [sys.executable, "-m", "toolcalls", "score", "--benchmark", "bfcl", "--data", str(data)]
    ours += ["--categories", *CATEGORIES, "--outputs", str(results)]

    def whetstone() -> None:
        subprocess.run(ours, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": "."})

    def peer() -> None:
        shutil.rmtree(scores, ignore_errors=True)
        command(python, results, scores, CATEGORIES)

    peer()  # compiles its modules
    seconds, waited = _both(_rounds({"whetstone": whetstone, "bfcl-eval": peer}, repeats, _children))
    return {"cpu": _figures(seconds), "wall": _figures(waited)}


def _json_alone(data: Path, benchmark: Benchmark) -> None:
    for file in benchmark.files:
        for line in (data / "bfcl" / file.name).read_text(encoding="utf-8").split("\n"):
            if line:
                json.loads(line)


def _agree(ours: dict[str, Any], theirs: dict[str, float]) -> bool:
    mine = {category: each["direct"] for category, each in ours["categories"].items()}
    return theirs == {category: each["right"] / each["total"] for category, each in mine.items()}


def _rounds(programs: dict[str, Work], repeats: int, clock: Callable[[], Any]) -> dict[str, list[Any]]:
    taken: dict[str, list[Any]] = {name: [] for name in programs}
    for _ in range(repeats):
        for name, work in programs.items():
            gc.collect()
            began = clock()
            work()
            taken[name].append(_since(began, clock()))
    return taken


def _own_cpu() -> float:
    return time.process_time()


def _children() -> tuple[float, float]:
    """CPU seconds of all children so far, and the time of day."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, time.perf_counter()


def _since(began: Any, ended: Any) -> Any:
    return tuple(late - early for early, late in zip(began, ended, strict=True)) if isinstance(began, tuple) else ended - began


def _both(taken: dict[str, list[Any]]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    return tuple({name: [each[at] for each in rounds] for name, rounds in taken.items()} for at in (0, 1))  # type: ignore[return-value]


def _figures(taken: dict[str, list[float]]) -> dict[str, Any]:
    seconds = {name: round(statistics.median(times), 4) for name, times in taken.items()}
    times = [theirs / ours for ours, theirs in zip(taken["whetstone"], taken["bfcl-eval"], strict=True)]
    return {"seconds": seconds, "times the peer": round(statistics.median(times), 2)}


def merged(path: Path, part: str, report: dict[str, Any]) -> None:
    """Put a part into the file of results, whose other parts stay."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**kept, part: report}, indent=2) + "\n", encoding="utf-8")
