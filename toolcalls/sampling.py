"""Seeds of the attempts (ToolACE-R §4.1: each sample is generated up to k times)."""

from __future__ import annotations

import hashlib
import json


def attempt_seed(run_seed: int, iteration: int, sample: str, turn: int, attempt: int) -> int:
    """Return the seed of one attempt, 0 ≤ seed < 2⁶³, from what the attempt is and never from where or when it runs.

    `sample` is whatever names the sample version for good: its content hash, or its id.
    """
    identity = json.dumps([run_seed, iteration, sample, turn, attempt]).encode()
    return int.from_bytes(hashlib.sha256(identity).digest()[:8], "big") >> 1
