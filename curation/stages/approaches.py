"""How the attempts of a turn come nearer to the truth, in a line that is kept with its verdict.

Each attempt that is nearer than all before it is a step; under any k and any tolerance the first hit and the nearest attempt
are steps, so that what-if need not read generations. "0:wrong_tool,2:3,5:0/8": attempt 0 calls a wrong tool, attempt 2 differs
in 3 parameters, attempt 5 in none, and the first 8 are all there. `curation/migrations` fills older verdicts in by these rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from toolcalls.selection import REASONS

APART = 10  # differences from here on are one, unless the run's own tolerance is as large
FAR = 1000  # a nearness from here on is a place in REASONS, below it a max_param_diff
MOST_STEPS = 60  # the last ones: an entry of the index that holds them has room for 2,700 bytes in all


class Judged(Protocol):
    """What is read of a judgement."""

    @property
    def max_param_diff(self) -> int | None: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Approach:
    """`steps`: attempt and nearness, the attempts going up and the nearness going down. Of the first `whole` none is missing."""

    steps: tuple[tuple[int, int], ...]
    whole: int

    def first_hit(self, tolerance: int) -> int | None:
        """The first attempt that differs in at most so many parameters."""
        return next((attempt for attempt, nearness in self.steps if nearness <= tolerance), None)

    def nearest(self, k: int) -> int | None:
        """The least nearness of the first k attempts; None where that is not known."""
        return next((nearness for attempt, nearness in reversed(self.steps) if attempt < k), None)


def approach_of(attempts: Iterable[int], judgements: Iterable[Judged], tolerance: int) -> str:
    """The line of a turn, given its attempts' numbers and judgements in their order; `tolerance` is the run's."""
    steps: list[tuple[int, int]] = []
    whole = 0
    for attempt, judgement in zip(attempts, judgements, strict=True):
        whole += attempt == whole
        nearness = _nearness(judgement, max(APART, tolerance + 1))
        if not steps or nearness < steps[-1][1]:
            steps.append((attempt, nearness))
    return ",".join(f"{attempt}:{_written(nearness)}" for attempt, nearness in steps[-MOST_STEPS:]) + f"/{whole}"


@lru_cache(maxsize=10_000)
def read(line: str) -> Approach:
    """What a line says; an empty one says nothing."""
    steps, _, whole = line.partition("/")
    pairs = (step.split(":") for step in steps.split(",") if step)
    return Approach(tuple((int(attempt), _read(nearness)) for attempt, nearness in pairs), int(whole or 0))


def reason_of(nearness: int) -> str:
    """Why an attempt that is so near is no hit."""
    return "param_mismatch" if nearness < FAR else REASONS[nearness - FAR]


def _nearness(judgement: Judged, most: int) -> int:
    if judgement.max_param_diff is not None:
        return min(judgement.max_param_diff, most)
    return FAR + REASONS.index(judgement.reason)


def _written(nearness: int) -> str:
    return str(nearness) if nearness < FAR else REASONS[nearness - FAR]


def _read(nearness: str) -> int:
    return int(nearness) if nearness.isdigit() else FAR + REASONS.index(nearness)
