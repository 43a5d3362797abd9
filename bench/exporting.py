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
import time
from pathlib import Path
from typing import Any

from bench.web.serving import Server, database, web_server

RESULTS = Path(__file__).parent / "results" / "exporting.json"
BLOCK = 2**16  # bytes that the reader takes at a time
KINDS = ("training-set", "training-set?format=trl", "pool", "pairs")
REPEATS = 3


def freeze(iteration: int) -> dict[str, Any]:
    """Assemble the seeded iteration; memory is what this process grew by."""
    from curation.models import Iteration
    from curation.stages import assembly

    before, start = _peak(), time.perf_counter()
    frozen = assembly.freeze(Iteration.objects.select_related("run__revision").get(pk=iteration))
    seconds, rows = time.perf_counter() - start, frozen.direct + frozen.refine
    grown = {"grew_mib": _peak() - before, "file_mib": frozen.bytes // 2**20}
    return {"rows": rows, "seconds": round(seconds, 1), "rows_per_second": round(rows / seconds), **grown}


def export(where: Server, token: str, run: int, kind: str) -> dict[str, Any]:
    """Read an export to its end; the best of REPEATS by rate, the worst of first byte and memory."""
    made = [_export(where, token, run, kind) for _ in range(REPEATS)]
    best = max(made, key=lambda one: one["rows_per_second"])
    return {**best, **{name: max(one[name] for one in made) for name in ("first_byte_seconds", "grew_mib")}}


def _export(where: Server, token: str, run: int, kind: str) -> dict[str, Any]:
    before, most, rows, size, start = where.memory(), 0, 0, 0, time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", where.port)
    headers = {"Authorization": f"Bearer {token}"}
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=50_000)
    options = parser.parse_args()
    with database(samples=options.samples, k=2, iterations=1) as (seeded, _):
        report: dict[str, Any] = {"samples": options.samples, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
        report["freeze"] = freeze(seeded.iterations[0])
        print(json.dumps({"freeze": report["freeze"]}), flush=True)
        with web_server() as where:
            token = _token()
            for kind in KINDS:
                report[kind] = export(where, token, seeded.run, kind)
                print(json.dumps({kind: report[kind]}), flush=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
