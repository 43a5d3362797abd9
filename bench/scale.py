"""How the record grows: sizes of its tables, rows written per second, seconds of selection and of assembly, at a tenth of the
pool and at all of it.

python -m bench.scale [--samples 150000] [--k 8] [--iterations 4]   writes bench/results/scale.json
Samples, verdicts and pairs are copied as bench.web.seeding does. The attempts of all iterations and both turns are written as the
loop writes them: a shard at a time, through curation.stages.copying.copy_rows, each in its own durable transaction. Only that
writing is timed, not the inventing of the rows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.web.serving import database  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "scale.json"
SHARD = 256  # samples
SKILL = 0.5  # of the invented model
REPEATS = 3
TABLES = (
    "curation_sample", "curation_sampleversion", "curation_samplewords", "curation_revisionentry", "curation_generation",
    "curation_verdict", "curation_refinepair",
)  # fmt: skip


def measured(samples: int, k: int, iterations: int) -> dict[str, Any]:
    """One database of that size, filled and asked."""
    with database(samples=samples, k=k, iterations=iterations, attempts=False) as (seeded, _):
        from curation.models import Iteration

        opened = [Iteration.objects.select_related("run__revision").get(pk=pk) for pk in seeded.iterations]
        written = write_attempts(opened, samples, k)
        return {"samples": samples, **written, **_asked(opened[-1]), **_sizes()}


def write_attempts(opened: list[Any], samples: int, k: int) -> dict[str, Any]:
    """Rows per second of each shard; of the first and the last tenth of them, to see whether a fuller table takes longer."""
    rates, rows, seconds = [], 0, 0.0
    for shard in _shards(opened, samples, k):
        start = time.perf_counter()
        written = _write(shard)
        took = time.perf_counter() - start
        rates.append(written / took)
        rows, seconds = rows + written, seconds + took
    tenth = max(1, len(rates) // 10)
    return {
        "generations": rows,
        "insert_rows_per_second": round(rows / seconds),
        "of_the_first_tenth": round(statistics.median(rates[:tenth])),
        "of_the_last_tenth": round(statistics.median(rates[-tenth:])),
    }


def _shards(opened: list[Any], samples: int, k: int) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of one shard's attempts at a time: every iteration, both turns, every sample."""
    from bench.web.seeding import Seeder, answered_by, generations
    from curation.models import SampleVersion

    seeder = Seeder(samples, k, seed=0, first_version=SampleVersion.objects.order_by("pk").values_list("pk", flat=True)[0])
    for start in range(0, samples, SHARD):
        (batch,) = seeder.batches(range(start, min(samples, start + SHARD)))
        for iteration in opened:
            answered = answered_by(seeder, iteration, SKILL, batch)
            for turn in (0, 1):
                yield [row for one in answered for row in generations(seeder, iteration, one, turn)]


def _write(rows: list[tuple[Any, ...]]) -> int:
    from django.db import transaction

    from bench.web.seeding import GENERATION
    from curation.models import Generation
    from curation.stages.copying import copy_rows

    with transaction.atomic():
        return copy_rows(Generation, GENERATION, rows)


def _asked(iteration: Any) -> dict[str, Any]:
    """Seconds of what reads a whole iteration, after the statistics are up to date."""
    from django.db import connection

    from curation.stages import assembly, selection
    from curation.stages.facets import facets_of
    from curation.stages.verdict_filter import VerdictFilter

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    found = selection.count(iteration)
    seconds = {
        "select_seconds": _median(lambda: selection.count(iteration)),
        "facets_seconds": _median(lambda: facets_of(iteration, VerdictFilter(0))),
    }
    start = time.perf_counter()
    frozen = assembly.freeze(iteration)
    assembled = round(time.perf_counter() - start, 1)
    return {
        "selected": found.total,
        **seconds,
        "assemble_seconds": assembled,
        "training_rows": frozen.direct + frozen.refine,
        "training_file_mib": frozen.bytes >> 20,
    }


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return round(statistics.median(taken), 3)


def _sizes() -> dict[str, Any]:
    """Megabytes of the tables with their partitions, and bytes per row, the indexes apart."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            (rows,) = cursor.fetchone()
            cursor.execute(
                "SELECT sum(pg_table_size(relid)), sum(pg_indexes_size(relid)) "
                "FROM (SELECT relid FROM pg_partition_tree(%s) UNION SELECT %s::regclass) part",
                [table, table],
            )
            table_bytes, index_bytes = map(int, cursor.fetchone())
            found[table.removeprefix("curation_")] = {
                "rows": rows,
                "table_mib": table_bytes >> 20,
                "index_mib": index_bytes >> 20,
                "bytes_per_row": round((table_bytes + index_bytes) / max(1, rows)),
            }
        cursor.execute("SELECT pg_database_size(current_database())")
        (whole,) = cursor.fetchone()
    return {"database_mib": whole >> 20, "tables": found}


def machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0], "python": platform.python_version()}


def commit() -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False, cwd=ROOT).stdout.strip()


def _apart(samples: int, options: argparse.Namespace) -> dict[str, Any]:
    """`measured` in a process of its own, because one process knows one database."""
    size = ["--samples", str(samples), "--k", str(options.k), "--iterations", str(options.iterations)]
    done = subprocess.run([sys.executable, __file__, "--one", *size], stdout=subprocess.PIPE, check=True, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(found, indent=2), flush=True)
    return found


GROWING = ("select_seconds", "facets_seconds", "assemble_seconds", "database_mib")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=150_000)
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=4)
    parser.add_argument("--one", action="store_true", help="this size alone, printed and not kept")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.samples, options.k, options.iterations)))
        return
    report: dict[str, Any] = {"commit": commit(), "machine": machine(), "k": options.k, "iterations": options.iterations}
    tenth, whole = (_apart(size, options) for size in (options.samples // 10, options.samples))
    growth = {name: round(whole[name] / tenth[name], 1) for name in GROWING}
    report |= {"tenth": tenth, "whole": whole, "growth": growth}
    print(json.dumps(growth, indent=2))
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
