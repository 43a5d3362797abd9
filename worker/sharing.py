"""How a worker's time is shared between the shards of runs and people who try a model."""

from __future__ import annotations

import time
from collections.abc import Callable

PARTS = 4  # seconds that shards come first for each second that a trial took


class Share:
    """Trials go between two shards, but cost runs a fifth of the time at most while shards wait: the time of a trial, and that
    in which the run's model is loaded again.

    Not thread-safe: the station guards it. Not in charge of a worker that has nothing else to do: there no trial waits.
    """

    def __init__(self, parts: float = PARTS, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts, self.clock = parts, clock
        self._due = clock()

    @property
    def due(self) -> bool:
        """Whether a trial comes before a shard."""
        return self.clock() >= self._due

    def spent(self, seconds: float, loading: float = 0.0) -> None:
        """A trial took so long, `loading` of it until its model was there: as long does the run's take to come back."""
        self._due = max(self._due, self.clock()) + loading + self._parts * (seconds + loading)
