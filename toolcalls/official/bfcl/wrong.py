"""What the checker finds wrong, in the benchmark's own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wrong:
    """error_type: the benchmark's name of the error, e.g. "value_error:string". reasons: its sentences."""

    error_type: str
    reasons: tuple[str, ...]
