"""How often a person may ask, with all tokens and sessions together: a bucket each, of this process alone.

The web server is one process; several behind a balancer allow as many times as much.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from ninja.throttling import BaseThrottle

from django.conf import settings
from django.http import HttpRequest

from curation.environment import Rate

MOST_BUCKETS = 10_000  # full ones are forgotten beyond that


@dataclass(slots=True)
class Bucket:
    """Holds `level` requests at the time `at`, and one more every 1 / rate seconds, up to a rate's requests."""

    level: float
    at: float

    def fill(self, rate: Rate, now: float) -> None:
        self.level = min(rate.requests, self.level + (now - self.at) * rate.requests / rate.seconds)
        self.at = now


class PerSender(BaseThrottle):
    """Ninja's own throttles skip whoever is signed in, or share one thread's count with another's."""

    def __init__(self) -> None:
        self._buckets: dict[int, Bucket] = {}
        self._lock = threading.Lock()
        self._refused = threading.local()  # seconds to wait, of this thread's request: one throttle serves them all

    def allow_request(self, request: HttpRequest) -> bool:
        rate, now = settings.API_RATE, time.monotonic()
        with self._lock:
            bucket = self._bucket(request.auth.pk, rate, now)
            if bucket.level >= 1:
                bucket.level -= 1
                return True
            self._refused.seconds = (1 - bucket.level) * rate.seconds / rate.requests
            return False

    def wait(self) -> float:
        return float(self._refused.seconds)

    def forget(self) -> None:
        with self._lock:
            self._buckets.clear()

    def _bucket(self, key: int, rate: Rate, now: float) -> Bucket:
        if len(self._buckets) >= MOST_BUCKETS:
            self._buckets = {name: one for name, one in self._buckets.items() if (now - one.at) < rate.seconds}
        bucket = self._buckets.setdefault(key, Bucket(rate.requests, now))
        bucket.fill(rate, now)
        return bucket
