"""Seeds of the attempts (ToolACE-R §4.1: each sample is generated up to k times)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable


def attempt_seed(run_seed: int, iteration: int, sample: str, turn: int, attempt: int) -> int:
    """Return the seed of one attempt, 0 ≤ seed < 2⁶³, from what the attempt is and never from where or when it runs.

    `sample` is whatever names the sample version for good: its content hash, or its id.
    """
    return attempt_seeds(run_seed, iteration, sample, turn, (attempt,))[0]


def attempt_seeds(run_seed: int, iteration: int, sample: str, turn: int, attempts: Iterable[int]) -> tuple[int, ...]:
    """Return the seeds of several attempts at one turn of a sample, each as `attempt_seed` gives it."""
    identity = json.dumps([run_seed, iteration, sample, turn])[:-1]
    digests = (hashlib.sha256(f"{identity}, {attempt}]".encode()).digest() for attempt in attempts)
    return tuple(int.from_bytes(digest[:8], "big") >> 1 for digest in digests)
