"""The named mixes of the tool world: how much of it is rare, how much is written in a hard way, how many calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """The dials of one mix. Shares are fractions 0–1; weights need not sum to 1 and start at one call, one candidate tool."""

    rare: float  # share of rare things, names, words and phrases, drawn for each anew
    hard: float  # share of values written in another form than the answer wants ("tomorrow", "half an hour")
    ellipsis: float  # share of repeated calls of one tool that say only "another one"
    calls: tuple[float, ...]  # weights of 1, 2, … calls in an answer
    candidates: tuple[float, ...]  # weights of 1, 2, … candidate tools
    optional: float = 0.3  # share of the parameters that may be optional and are
    related: float = 0.3  # share of further candidate tools that act on the first one's object
    parameters: int = 4  # most parameters of a tool


SETTINGS: dict[str, WorldSettings] = {
    "spelling": WorldSettings(0.0, 0.12, 0.05, calls=(0.75, 0.25), candidates=(0.45, 0.35, 0.20)),
    "pretraining": WorldSettings(0.025, 0.12, 0.04, calls=(0.72, 0.24, 0.04), candidates=(0.42, 0.33, 0.20, 0.05)),
    "refining": WorldSettings(0.08, 0.35, 0.15, calls=(0.50, 0.30, 0.15, 0.05), candidates=(0.30, 0.30, 0.25, 0.15)),
    "easy": WorldSettings(0.20, 0.35, 0.20, calls=(0.45, 0.35, 0.20), candidates=(0.35, 0.35, 0.25, 0.05)),
    "hard": WorldSettings(0.65, 0.50, 0.30, calls=(0.35, 0.30, 0.25, 0.10), candidates=(0.20, 0.30, 0.30, 0.20)),
}
