"""Attempts in waves (settings.sampling_mode until_hit): what has been hit is asked no more, all the rest is asked again.

Eq. 2 and Eq. 3 ask only whether one of k attempts approaches the truth, so the attempts after the first hit decide nothing.
Few waves keep an engine busy, narrow ones draw little in vain: they are as wide as what they save allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from toolcalls.records import Generation
from toolcalls.settings import Settings

Ask = Callable[[Mapping[str, range]], Mapping[str, Sequence[Generation]]]
IsHit = Callable[[str, Generation], bool]

WIDEST = 8  # times shard_samples, in one shard
LOST = 0.08  # of the attempts that first hits save: how many of them a wave may be expected to draw all the same


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
    tally = Tally()
    while open_:
        widest = tally.width(len(open_), max(most.values()))
        wave = {name: next_attempts(len(made[name]), most[name], widest) for name in open_}
        given = ask(wave)
        hit = {name for name, numbers in wave.items() if _take(made[name], name, numbers, given[name], is_hit)}
        tally.count(wave, {name: len(made[name]) for name in hit}, most)
        open_ = [name for name in open_ if name not in hit and len(made[name]) < most[name]]
    return made


@dataclass(slots=True)
class Tally:
    """What the waves of a shard have come to."""

    saved: int = 0  # attempts after first hits
    drawn: int = 0  # those of them that a wave had asked for already
    rate: float = 0.0  # hits per attempt of the last wave, those after a first hit not counted

    def count(self, wave: Mapping[str, range], hits: Mapping[str, int], most: Mapping[str, int]) -> None:
        """Add a wave. `hits`: how many attempts each sample that was hit in it has come to."""
        self.saved += sum(most[name] - made for name, made in hits.items())
        after = sum(wave[name].stop - made for name, made in hits.items())
        self.drawn += after
        self.rate = len(hits) / (sum(map(len, wave.values())) - after)

    def width(self, samples: int, most: int) -> int:
        """How many attempts at each of so many samples, `most` of them, may be asked for together without losing more than
        LOST of what is saved, if they hit as often as in the last wave; those that have missed more often hit less."""
        wide, room = 1, LOST * self.saved - self.drawn
        while wide < most and samples * drawn_in_vain(wide + 1, self.rate) <= room:
            wide += 1
        return wide


def drawn_in_vain(attempts: int, rate: float) -> float:
    """How many of a sample's attempts are expected to come after its first hit, each hitting with this probability."""
    return attempts - (1 - (1 - rate) ** attempts) / rate if rate else 0.0


def next_attempts(made: int, most: int, widest: int) -> range:
    """Those of a sample's next wave: one more than it has had already, and the rest where less than that would be left; but
    `widest` at most.

    Of 8 attempts 1, then 2, then 5, where hits are frequent at first and rare later. Few samples are left by the later waves,
    and attempts at one sample share its prompt.
    """
    wave = made + 1
    return range(made, made + min(most - made if most - made < 2 * wave else wave, widest))


def _take(made: list[Generation], name: str, numbers: range, given: Sequence[Generation], is_hit: IsHit) -> bool:
    """Add the attempts of a wave, up to the first hit; whether there was one."""
    for number, generation in zip(numbers, given, strict=True):
        made.append(replace(generation, attempt=number))
        if is_hit(name, generation):
            return True
    return False
