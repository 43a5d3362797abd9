"""Attempts in waves (settings.sampling_mode until_hit): what has been hit is asked no more, all the rest is asked again.

Eq. 2 and Eq. 3 ask only whether one of k attempts approaches the truth, so the attempts after the first hit decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from toolcalls.records import Generation
from toolcalls.settings import Settings

Ask = Callable[[Mapping[str, range]], Mapping[str, Sequence[Generation]]]
IsHit = Callable[[str, Generation], bool]

WIDEST = 8  # times shard_samples, in one shard


def batch_samples(settings: Settings) -> int:
    """How many samples are sampled or refined together: shard_samples, or so many that a first wave has as many attempts as
    those have in mode all, as far as WIDEST allows."""
    return settings.shard_samples * (min(settings.k, WIDEST) if settings.sampling_mode == "until_hit" else 1)


def wanted(settings: Settings) -> int | None:
    """k, where fewer attempts mean that one of them hit (`selection.verdict` takes it); None where they mean nothing."""
    return settings.k if settings.sampling_mode == "until_hit" else None


def until_hit(most: Mapping[str, int], ask: Ask, is_hit: IsHit) -> dict[str, list[Generation]]:
    """The attempts at each name up to its first hit, or all `most[name]` of them, in the order of `most`.

    `ask` answers a wave: the numbers of the attempts wanted by name; it may number those it gives from 0. Which attempts
    come back never depends on the waves: those that a wave drew after a first hit are left out.
    """
    made: dict[str, list[Generation]] = {name: [] for name in most}
    open_ = list(most)
    while open_:
        wave = {name: next_attempts(len(made[name]), most[name]) for name in open_}
        given = ask(wave)
        open_ = [name for name, numbers in wave.items() if not _take(made[name], name, numbers, given[name], is_hit)]
        open_ = [name for name in open_ if len(made[name]) < most[name]]
    return made


def next_attempts(made: int, most: int) -> range:
    """Those of a sample's next wave: one more than it has had already, and the rest where less than that would be left.

    Of 8 attempts 1, then 2, then 5. Few samples are left by the later waves, and attempts at one sample share its prompt; most
    of those that missed three times miss to the end.
    """
    wave = made + 1
    return range(made, most if most - made < 2 * wave else made + wave)


def _take(made: list[Generation], name: str, numbers: range, given: Sequence[Generation], is_hit: IsHit) -> bool:
    """Add the attempts of a wave, up to the first hit; whether there was one."""
    for number, generation in zip(numbers, given, strict=True):
        made.append(replace(generation, attempt=number))
        if is_hit(name, generation):
            return True
    return False
