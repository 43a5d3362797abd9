"""When a failed try is made again: the pauses between tries, and their end. Pure: time and chance are given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Patience:
    """Pauses of 1, 2, 4, … seconds, each made shorter by up to half, so that requests that failed together part."""

    retries: int  # tries after the first
    seconds: float  # after the first try in which another may begin
    first: float = 1.0  # seconds
    longest: float = 60.0  # seconds

    def pause(self, failures: int, since: float, chance: float, wanted: float | None = None) -> float | None:
        """Seconds before the next try; None: give up.

        `failures` so far, the first try began `since` seconds ago; `chance` is from 0 to 1. A server that says how long it
        wants to be left alone (`wanted`) is left alone for that, and a little longer.
        """
        if failures > self.retries:
            return None
        seconds = min(self.longest, self.first * 2.0 ** min(failures - 1, 30)) * (1 - chance / 2)
        if wanted is not None:
            seconds = max(seconds, wanted + self.first * chance)
        return seconds if since + seconds <= self.seconds else None


def wanted_pause(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 §10.2.3: a number or a date); None where it says nothing readable."""
    said = (header or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", said):
        return float(said)
    try:
        then = parsedate_to_datetime(said)
    except (ValueError, TypeError, OverflowError):
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - now).total_seconds())
