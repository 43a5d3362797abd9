"""Evaluation: how long outputs take to be scored, beside bfcl-eval.

python -m bench.eval [--repeats 7] [--bfcl-eval DIR] [--bfcl-python PYTHON] [--compiled DIR]   writes bench/results/eval.json
Needs the public data (WHETSTONE_DATA). bfcl-eval is put into DIR, a folder that is thrown away unless named, without all that
it depends on, for the two readings within one process. PYTHON is that of an environment into which
`pip install bfcl-eval==2026.3.23 soundfile` brought all of it (some 7 GB): its command `bfcl evaluate` is measured where there
is one. toolcalls is compiled into the last folder, where there is a C compiler, and the two readings within one process are
made with it, too, by a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import warnings
from pathlib import Path

from bench.eval.scoring import merged, scoring
from bench.toolcalls.__main__ import machine
from bench.toolcalls.compiled import of_compiled

RESULTS = Path(__file__).parents[1] / "results" / "eval.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--bfcl-eval", type=Path, help="a folder that has it, or is to have it")
    parser.add_argument("--bfcl-python", type=Path, help="the Python of an environment that has all of it")
    parser.add_argument("--compiled", type=Path, help="a folder that has the compiled toolcalls, or is to have it")
    parser.add_argument("--alone", action="store_true", help="print the report of the toolcalls that is imported, and no more")
    options = parser.parse_args()
    if not (data := os.environ.get("WHETSTONE_DATA")):
        print("without WHETSTONE_DATA, the folder of the public data, there is nothing to read")
        return
    warnings.simplefilter("ignore", SyntaxWarning)  # of what models write, by the original's parser
    with tempfile.TemporaryDirectory() as thrown_away:
        peer = options.bfcl_eval or Path(thrown_away, "bfcl-eval")
        report = {"machine": machine(), **scoring(Path(data), peer, options.repeats, options.bfcl_python)}
        if not options.alone:
            folder = options.compiled or Path(thrown_away, "compiled")
            shared = ["--bfcl-eval", str(peer), "--repeats", str(options.repeats)]
            report["compiled"] = of_compiled(folder, "bench.eval", shared)
    if not options.alone:
        merged(RESULTS, "scoring", report)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
