"""Answers read and compared per second and core, beside bfcl-eval's own decoder and checker on the same golden rows of BFCL.

python -m bench.toolcalls [--repeats 7] [--bfcl-eval DIR] [--compiled DIR]   writes bench/results/toolcalls.json
Needs the public data (WHETSTONE_DATA). bfcl-eval is installed into its DIR, a folder that is thrown away unless named, from the
package registry; toolcalls is compiled into the other one, where there is a C compiler, and measured in the same way by a
process of its own. One thread, seconds of CPU, interleaved: each round times every program on all rows of a group, the figures
are medians of the rounds. Rows of one question come together, as many at most as a run samples attempts: so attempts are judged.
Whetstone makes a question's truth ready once for them, which counts. The floor is json.loads of the same calls, already JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.toolcalls.compiled import of_compiled
from bench.toolcalls.growth import growth
from bench.toolcalls.original import VERSION, Original
from bench.toolcalls.rows import GROUPS, Row, golden_rows
from toolcalls.answers import Calls
from toolcalls.comparing import Comparator
from toolcalls.official.bfcl import score
from toolcalls.parsing import parse
from toolcalls.plain_lists import COMPILED
from toolcalls.rendering import render
from toolcalls.settings import Settings

RESULTS = Path(__file__).parents[1] / "results" / "toolcalls.json"
ATTEMPTS = Settings().k
Batch = Sequence[Row]  # of one question
Work = Callable[[Batch], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--bfcl-eval", type=Path, help="a folder that has it, or is to have it")
    parser.add_argument("--compiled", type=Path, help="a folder that has the compiled toolcalls, or is to have it")
    parser.add_argument("--alone", action="store_true", help="print the report of the toolcalls that is imported, and no more")
    options = parser.parse_args()
    if not (data := os.environ.get("WHETSTONE_DATA")):
        print("without WHETSTONE_DATA, the folder of the public data, there is nothing to read")
        return
    warnings.simplefilter("ignore", SyntaxWarning)  # of what models write, by the original's parser
    with tempfile.TemporaryDirectory() as thrown_away:
        peer = options.bfcl_eval or Path(thrown_away, "bfcl-eval")
        report = report_of(Path(data), Original(peer), options.repeats)
        if not options.alone:
            folder = options.compiled or Path(thrown_away, "compiled")
            report["compiled"] = of_compiled(
                folder, "bench.toolcalls", ["--bfcl-eval", str(peer), "--repeats", str(options.repeats)]
            )
    if not options.alone:
        RESULTS.write_text(json.dumps({"machine": machine(), **report}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


def report_of(data: Path, original: Original, repeats: int) -> dict[str, Any]:
    _freeze()  # what the peer has loaded is not walked through in Whetstone's time
    grown = growth()
    rows = golden_rows(data)
    _freeze()  # the rows are no program's garbage
    return {**measured(rows, original, repeats), "work at ten times the size": grown}


def _freeze() -> None:
    """Let the garbage collector look at nothing that is there now."""
    gc.collect()
    gc.freeze()


def measured(rows: Sequence[Row], original: Original, repeats: int) -> dict[str, Any]:
    rows = [row for row in rows if not _evaluates(row, original)]
    report: dict[str, Any] = {
        "peer": f"bfcl-eval {VERSION}",
        "toolcalls": "compiled" if COMPILED else "plain Python",
        "repeats": repeats,
        "verdicts": verdicts(rows, original),
    }
    compared = [row for row in rows if row.truth is not None]
    report["parse and compare"] = by_group(compared, reading(original), repeats)
    report["official scorer"] = by_group(rows, {name: _each(work) for name, work in scoring(original).items()}, repeats)
    return report


def _evaluates(row: Row, original: Original) -> bool:
    """Whether the original would evaluate something of this row, which it is kept from doing here."""
    before = original.evaluated
    original.score(row.category, row.mode, row.text, row.item.sample.tools, row.item.answer)
    return original.evaluated > before


def verdicts(rows: Sequence[Row], original: Original) -> dict[str, int]:
    """How many of the golden verdicts each scorer gives here: the original as it runs here must give them all."""
    ours, theirs = scoring(original).values()
    golden = [row.verdict for row in rows]
    return {
        "rows": len(rows),
        "whetstone": sum(map(_same, map(ours, rows), golden)),
        "bfcl-eval": sum(map(_same, map(theirs, rows), golden)),
    }


def _same(verdict: Any, golden: tuple[bool | None, str | None]) -> bool:
    return tuple(verdict) == golden if isinstance(verdict, tuple) else (verdict.valid, verdict.error_type) == golden


def reading(original: Original) -> dict[str, Work]:
    """Read an output and compare it with the truth: the paper's way, as generations are judged, and the benchmark's way."""
    comparator = Comparator()

    def whetstone(batch: Batch) -> object:
        truth = comparator.against(batch[0].truth or (), batch[0].question.functions)
        answers = [parse(row.text) for row in batch]
        return [isinstance(answer, Calls) and truth.compare(answer.calls, told=False) for answer in answers]

    def whetstone_parse(row: Row) -> object:
        return parse(row.text)

    def peer(row: Row) -> object:
        calls = peer_decode(row)
        try:
            return calls and original.check(row.category, row.mode, calls, row.item.sample.tools, row.item.answer)
        except Exception:  # it crashes on some
            return None

    def peer_decode(row: Row) -> Any:
        try:
            return original.decode(row.mode, row.text)
        except Exception:  # it raises what its parser raises
            return None

    alone = {"bfcl-eval": peer, "whetstone, parse": whetstone_parse, "bfcl-eval, decode": peer_decode}
    return {"whetstone": whetstone, **{name: _each(work) for name, work in alone.items()}}


def _each(work: Callable[[Row], object]) -> Work:
    """The work on each row of a batch by itself."""
    return lambda batch: [work(row) for row in batch]


def scoring(original: Original) -> dict[str, Callable[[Row], object]]:
    def whetstone(row: Row) -> object:
        return score(row.category, row.mode, row.text, row.item.sample.tools, row.item.answer)

    def peer(row: Row) -> object:
        return original.score(row.category, row.mode, row.text, row.item.sample.tools, row.item.answer)

    return {"whetstone": whetstone, "bfcl-eval": peer}


def by_group(rows: Sequence[Row], programs: dict[str, Work], repeats: int) -> dict[str, Any]:
    """Figures of each group and of all together."""
    taken = {group: _rounds(batches([row for row in rows if row.group == group]), programs, repeats) for group in GROUPS}
    taken["all"] = {
        name: [sum(times) for times in zip(*(each[name] for each in taken.values()), strict=True)] for name in programs
    }
    floor = [render(answer.calls, "json") for row in rows if isinstance(answer := parse(row.text), Calls) and _is_short(answer)]
    seconds = statistics.median(_seconds(json.loads, floor) for _ in range(repeats))
    figures = {group: _figures(times, sum(group in (row.group, "all") for row in rows)) for group, times in taken.items()}
    return {**figures, "json.loads of the same calls, rows per second": round(len(floor) / seconds)}


def batches(rows: Sequence[Row]) -> list[Batch]:
    """The rows of each question, ATTEMPTS at most at a time."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.item.id].append(row)
    return [same[at : at + ATTEMPTS] for same in found.values() for at in range(0, len(same), ATTEMPTS)]


def _rounds(batches: Sequence[Batch], programs: dict[str, Work], repeats: int) -> dict[str, list[float]]:
    """Seconds of each program, round by round."""
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(repeats):
        for name, work in programs.items():
            taken[name].append(_seconds(work, batches))
    return taken


def _figures(taken: dict[str, list[float]], count: int) -> dict[str, Any]:
    """Rows per second and core of each program, and how many times as many as the peer's Whetstone's are."""
    per_second = {name: round(count / statistics.median(times)) for name, times in taken.items()}
    ratios = [theirs / ours for ours, theirs in zip(taken["whetstone"], taken["bfcl-eval"], strict=True)]
    return {"rows": count, "rows per second": per_second, "times the peer": round(statistics.median(ratios), 2)}


def _is_short(answer: Calls) -> bool:
    return len(answer.calls) < 100


def _seconds(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    gc.collect()
    began = time.process_time()
    for item in items:
        work(item)
    return time.process_time() - began


def machine() -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    cpu = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine())
    return {
        "commit": commit,
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
    }


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    main()
