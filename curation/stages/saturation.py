"""Saturation: whether an iteration ends its run (ToolACE-R §3.2), where N_t is known within bounds alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from toolcalls.stopping import has_saturated


class Bounds(NamedTuple):
    """What N_t is at least, and at most where too few attempts are stored to tell."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Saturation:
    """Whether the run ends with an iteration, N_t ≤ N_{t−1}·(1+ε), each model having been trained as it was.

    previous, current: N_{t−1} and N_t as asked; `previous` is None in iteration 1, which only selecting nothing ends.
    before: by the run's own k and tolerance. now: None where what is not known decides.
    """

    epsilon: float  # fraction
    previous: Bounds | None
    current: Bounds
    before: bool
    now: bool | None


def saturation(previous_before: int | None, previous: Bounds | None, before: int, current: Bounds, epsilon: float) -> Saturation:
    """By the numbers as they were counted (`before`) and as they would be."""
    surely = has_saturated(None if previous is None else previous.least, current.most, epsilon)
    perhaps = has_saturated(None if previous is None else previous.most, current.least, epsilon)
    was = has_saturated(previous_before, before, epsilon)
    return Saturation(epsilon, previous, current, was, surely if surely == perhaps else None)
