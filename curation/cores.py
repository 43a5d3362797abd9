"""How many CPU cores there are for us."""

from __future__ import annotations

import os


def default_workers() -> int:
    """One worker for each core, two at most: an engine on a CPU needs a core of its own."""
    return min(cores(), 2)


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
