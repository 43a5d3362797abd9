"""Rows per second of an import (detection, truth, schema, content hash, duplicates, split by hash, words for the search), of the
same rows by plain Django (json.loads and bulk_create, none of those), and of json.loads alone.

python -m bench.importing [--rows 100000] [--repeats 3]   writes bench/results/importing.json
The rows are like ToolACE's, of about 2 KB. Postgres is the embedded one with its usual settings (durable), on the same cores.
Interleaved; the figures are medians. Seconds of CPU are of this process with the one that reads for it, and of its connection's
server process; the peaks of memory are of the two Python processes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.toolace_rows import write_rows  # noqa: E402
from curation.services.paths import Paths  # noqa: E402
from curation.services.postgres import EmbeddedPostgres  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "importing.json"
BATCH = 1000  # rows that plain Django creates at once


def by_whetstone(project: Any, name: str, path: Path) -> int:
    from curation.stages.importing import import_dataset

    return import_dataset(project, name, path, heldout_share=0.1).rows


def by_plain_django(project: Any, name: str, path: Path) -> int:
    """What one would write first: nothing is looked at, nothing is found again."""
    from django.db import transaction

    from curation.models import Dataset, DatasetRevision, RevisionEntry, Sample, SampleVersion

    rows = 0
    with transaction.atomic(), path.open(encoding="utf-8") as file:
        dataset = Dataset.objects.create(project=project, name=name, slug=name)
        revision = DatasetRevision.objects.create(dataset=dataset, number=1, sha256="", train=0, heldout=0)
        while contents := [json.loads(line) for line in islice(file, BATCH)]:
            numbered = list(enumerate(contents, rows))
            rows += len(contents)
            samples = Sample.objects.bulk_create(Sample(dataset=dataset, key=str(at), split="train") for at, _ in numbered)
            versions = SampleVersion.objects.bulk_create(
                SampleVersion(sample=sample, sha256=str(at), content=content)
                for sample, (at, content) in zip(samples, numbered, strict=True)
            )
            RevisionEntry.objects.bulk_create(
                RevisionEntry(revision=revision, position=at, version=version)
                for version, (at, _) in zip(versions, numbered, strict=True)
            )
    return rows


def by_json_loads(project: Any, name: str, path: Path) -> int:
    with path.open(encoding="utf-8") as file:
        return sum(1 for line in file if json.loads(line))


WAYS: dict[str, Callable[[Any, str, Path], int]] = {
    "whetstone": by_whetstone,
    "plain_django": by_plain_django,
    "json_loads": by_json_loads,
}


def measured(way: Callable[[Any, str, Path], int], project: Any, name: str, path: Path) -> dict[str, float]:
    """Rows per second of wall clock, and seconds of CPU."""
    server, wall, cpu = server_seconds(), time.perf_counter(), python_seconds()
    rows = way(project, name, path)
    return {
        "rows_per_second": rows / (time.perf_counter() - wall),
        "python_cpu_seconds": python_seconds() - cpu,
        "postgres_cpu_seconds": server_seconds() - server,
    }


def python_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def server_seconds() -> float:
    """CPU time of the server process behind this thread's connection."""
    from django.db import connection

    connection.ensure_connection()
    ran = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return int(ran.split()[0]) / 1e9


def measure(project: Any, path: Path, repeats: int) -> dict[str, Any]:
    """Medians over interleaved runs; memory is the process's peak before and after ours alone."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    peaks = [peak()]
    for turn in range(repeats):
        for name, way in WAYS.items():
            runs[name].append(measured(way, project, f"{name}-{turn}", path))
            peaks += [peak()] if len(peaks) == 1 else []
            print(name, {figure: round(value, 2) for figure, value in runs[name][-1].items()}, flush=True)
    found: dict[str, Any] = {"peak_mb_before": peaks[0], "peak_mb_after_one_import": peaks[1]}
    for name, each in runs.items():
        found[name] = {figure: round(statistics.median(run[figure] for run in each), 2) for figure in each[0]}
    found["times_plain_django"] = round(found["whetstone"]["rows_per_second"] / found["plain_django"]["rows_per_second"], 2)
    return found


def peak() -> int:
    """Megabytes of this process and of the largest of its children that have ended."""
    return sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024


def machine() -> dict[str, Any]:
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ":")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    return {
        "commit": commit,
        "cpu": cpu.partition(":")[2].strip() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="whetstone-bench-"))
    paths = Paths(folder / "var")
    server = EmbeddedPostgres(paths)
    try:
        path = folder / "rows.jsonl"
        write_rows(path, options.rows)
        server.start()
        report: dict[str, Any] = {
            "machine": machine(),
            "rows": options.rows,
            "bytes_per_row": path.stat().st_size // options.rows,
        }
        report |= measure(prepared(paths), path, options.repeats)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(paths.sockets, ignore_errors=True)
    print(json.dumps(report, indent=2))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def prepared(paths: Paths) -> Any:
    """A project in a new database."""
    os.environ.update(
        DJANGO_SETTINGS_MODULE="curation.settings",
        SECRET_KEY="of no use outside the measurement",
        DATABASE_URL=paths.postgres_url,
        WHETSTONE_VAR=str(paths.var),
    )
    import django

    django.setup()
    from django.core.management import call_command

    from curation.stages import people, projects

    call_command("migrate", verbosity=0)
    return projects.create_project(people.create_team("Bench", None), "Bench", None)


if __name__ == "__main__":
    main()
