"""What Label Studio took for the nearest thing, to stand beside our own figures.

Measured once, on a machine of the same kind: Label Studio 1.23.2, gunicorn with 2 workers, Postgres 15, 2 shared cores, 100,000
tasks of 2.2 KB (query, 3 tools, truth, hits of 8), no annotations. Milliseconds at the client, p50 and p95.
"""

from __future__ import annotations

from typing import NamedTuple

VERSION = "Label Studio 1.23.2"
MEASURED = "gunicorn with 2 workers, Postgres 15, 2 shared cores, 100,000 tasks of 2.2 KB without annotations"


class Figure(NamedTuple):
    what: str
    p50: float
    p95: float


PAGE = Figure("data manager, page 1 (30 rows)", 133, 149)
FILTERED = Figure("filter: number =", 489, 522)
FOUND = Figure("filter: contains, with hits", 1006, 1009)
TASK = Figure("single task", 102, 158)

# By the name of our measurement.
PEERS = {
    "projects": Figure("projects list", 630, 662),
    "pool": PAGE,
    "pool, far down": Figure("data manager, page 3,000 (30 rows)", 142, 162),
    "pool by hits": FILTERED,
    "pool in order of other answers": Figure("order by a field of the JSON", 333, 337),
    "pool, search: common": FOUND,
    "pool, search: rare": FOUND,
    "pool, search: nothing found": Figure("filter: contains, no hit", 733, 742),
    "sample": TASK,
    "sample, panel": Figure("next task", 48, 51),
}
