"""When the iterations end: "until the number of selected samples no longer increases" (ToolACE-R §3.2)."""

from __future__ import annotations


def has_saturated(previous: int | None, current: int, epsilon: float = 0.0) -> bool:
    """Whether N_t ≤ N_{t−1}·(1+ε): the count of selected samples, direct and pairs, has stopped growing.

    `previous` is None for the first iteration, which ends the run only when nothing at all was selected.
    """
    if previous is None:
        return current == 0
    return current <= previous * (1 + epsilon)
