"""Freezing and exporting: rows per second, first byte and memory, through the site's own web server.

python -m bench.exporting [--samples 50000]   writes bench/results/exporting.json
A Postgres of its own, a seeded iteration (bench.web.seeding), one granian process with pooled connections, an API token.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

from curation.services.paths import Paths
from curation.services.postgres import EmbeddedPostgres

RESULTS = Path(__file__).parent / "results" / "exporting.json"
BLOCK = 2**16  # bytes that the reader takes at a time
KINDS = ("training-set", "training-set?format=trl", "pool", "pairs")
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Site:
    """A web server on the seeded rows."""

    port: int
    process: subprocess.Popen[bytes]
    token: str

    def memory(self) -> int:
        """MiB that the server and its workers hold."""
        family = [self.process.pid, *_children(self.process.pid)]
        return sum(_resident(pid) for pid in family) // 1024


@contextmanager
def database(samples: int) -> Iterator[Any]:
    """A migrated Postgres with one seeded run in it."""
    folder = Path(tempfile.mkdtemp(prefix="whetstone-bench-"))
    server = EmbeddedPostgres(Paths(folder))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "curation.settings", "WHETSTONE_VAR": str(folder), "DATABASE_URL": server.url,
        "LOG_LEVEL": "WARNING", "ALLOWED_HOSTS": "127.0.0.1", "SECRET_KEY": "of no use outside the benchmark",
    }  # fmt: skip
    server.start()
    try:
        django.setup()
        call_command("migrate", verbosity=0)
        from bench.web.seeding import seed

        yield seed(samples=samples, k=2, iterations=1)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def site(token: str) -> Iterator[Site]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--port", str(port), "curation.asgi:application"]
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_POOL": "1"})
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        warm = http.client.HTTPConnection("127.0.0.1", port)
        warm.request("GET", "/api/v1/runs", headers={"Authorization": f"Bearer {token}"})
        warm.getresponse().read()
        yield Site(port, process, token)
    finally:
        process.terminate()
        process.wait(20)


def freeze(iteration: int) -> dict[str, Any]:
    """Assemble the seeded iteration; memory is what this process grew by."""
    from curation.models import Iteration
    from curation.stages import assembly

    before, start = _peak(), time.perf_counter()
    frozen = assembly.freeze(Iteration.objects.select_related("run__revision").get(pk=iteration))
    seconds, rows = time.perf_counter() - start, frozen.direct + frozen.refine
    grown = {"grew_mib": _peak() - before, "file_mib": frozen.bytes // 2**20}
    return {"rows": rows, "seconds": round(seconds, 1), "rows_per_second": round(rows / seconds), **grown}


def export(where: Site, run: int, kind: str) -> dict[str, Any]:
    """Read an export to its end; the best of REPEATS by rate, the worst of first byte and memory."""
    made = [_export(where, run, kind) for _ in range(REPEATS)]
    best = max(made, key=lambda one: one["rows_per_second"])
    return {**best, **{name: max(one[name] for one in made) for name in ("first_byte_seconds", "grew_mib")}}


def _export(where: Site, run: int, kind: str) -> dict[str, Any]:
    before, most, rows, size, start = where.memory(), 0, 0, 0, time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", where.port)
    headers = {"Authorization": f"Bearer {where.token}"}
    connection.request("GET", f"/api/v1/runs/{run}/iterations/1/export/{kind}", headers=headers)
    response = connection.getresponse()
    if response.status != 200:
        raise SystemExit(f"{kind}: {response.status} {response.read(500)!r}")
    first, looked = 0.0, start
    while block := response.read1(BLOCK):
        now = time.perf_counter()
        first = first or now - start
        rows, size = rows + block.count(b"\n"), size + len(block)
        if now - looked > 0.1:
            most, looked = max(most, where.memory()), now
    seconds = time.perf_counter() - start
    rates = {"rows_per_second": round(rows / seconds), "first_byte_seconds": round(first, 3)}
    return {"rows": rows, "mib": size // 2**20, "seconds": round(seconds, 2), **rates, "grew_mib": max(0, most - before)}


def _token() -> str:
    from curation.models import Role, Team
    from curation.stages import people, tokens

    user = people.create_user("bench@example.org", "bench")
    people.add_member(Team.objects.get(), user, Role.VIEWER, None)
    return tokens.create(user, "bench", "read", 1)[1]


def _peak() -> int:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _resident(pid: int) -> int:
    """KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=50_000)
    options = parser.parse_args()
    with database(options.samples) as seeded:
        report: dict[str, Any] = {"samples": options.samples, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
        report["freeze"] = freeze(seeded.iterations[0])
        print(json.dumps({"freeze": report["freeze"]}), flush=True)
        with site(_token()) as where:
            for kind in KINDS:
                report[kind] = export(where, seeded.run, kind)
                print(json.dumps({kind: report[kind]}), flush=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
