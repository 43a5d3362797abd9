"""Runs of the loop under faults, beside one that nothing disturbs: is anything lost or doubled, and how soon does work go on?

    python -m bench.chaos --faults 50 --seed 0 [--engine vllm] [--devices 2] [--report bench/results/chaos.json]

A folder of its own holds Postgres, Valkey and the workers. The first run is left in peace. Then runs on the same data follow
each other until all faults have struck: workers killed -9, asked to end and stopped for longer than a lease; Postgres
restarted and killed; Valkey killed and flushed; messages doubled. Each is said with the seconds until work went on: until the
shard of a worker that is gone was leased again, or else until any shard was claimed or done or any step of training recorded.
Ends with 1 when a row is lost or nobody asked for it, a shard was stored twice, a run failed, a goal of issue 5 was missed, or a
row is another than in peace. With --engine vllm that last is no failure: the share of equal rows is reported.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.chaos.folder import own_folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--engine", choices=("transformers", "vllm"), default="transformers")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--devices", type=int, choices=range(7), default=0, help="made-up ones of each worker")
    parser.add_argument("--train", type=int, default=12, help="samples")
    parser.add_argument("--heldout", type=int, default=4, help="samples")
    parser.add_argument("--iterations", type=int, default=1)
    parser.add_argument("--k", type=int, default=2, help="attempts")
    parser.add_argument("--quick", action="store_true", help="no worker stands still, which takes longer than a lease")
    parser.add_argument("--report", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    with own_folder() as var:
        from bench.chaos.runner import disturb

        report = disturb(options, var)
    if options.report:
        options.report.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for complaint in report["complaints"]:
        print(f"FAILED: {complaint}", flush=True)
    return 1 if report["complaints"] else 0


if __name__ == "__main__":
    sys.exit(main())
