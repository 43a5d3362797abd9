"""Attempts in waves: what is asked, and that no more comes back than up to the first hit."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from toolcalls.records import Generation
from toolcalls.settings import Settings
from toolcalls.waves import batch_samples, until_hit


class Table:
    """Answers by a table: name → which attempts hit. Keeps the waves that it was asked."""

    def __init__(self, hits: Mapping[str, set[int]]) -> None:
        self.hits = hits
        self.waves: list[dict[str, range]] = []

    def __call__(self, wave: Mapping[str, range]) -> dict[str, Sequence[Generation]]:
        self.waves.append(dict(wave))
        return {name: [self.generation(name, number, place) for place, number in enumerate(r)] for name, r in wave.items()}

    def generation(self, name: str, number: int, place: int) -> Generation:
        return Generation(place, number, "hit" if number in self.hits[name] else "miss", "stop", 1, 1, "")

    def run(self, k: int) -> dict[str, list[int]]:
        """Name → the seeds of the attempts that came back, which are their numbers here."""
        made = until_hit(dict.fromkeys(self.hits, k), self, lambda _, generation: generation.text == "hit")
        assert all([one.attempt for one in each] == [one.seed for one in each] for each in made.values())
        return {name: [one.seed for one in each] for name, each in made.items()}


def test_a_sample_leaves_at_its_first_hit_and_the_rest_is_asked_again() -> None:
    table = Table({"a": {0}, "b": {2, 3}, "c": set(), "d": {4}})
    assert table.run(8) == {"a": [0], "b": [0, 1, 2], "c": list(range(8)), "d": [0, 1, 2, 3, 4]}
    asked = [("abcd", range(1)), ("bcd", range(1, 2)), ("bcd", range(2, 5)), *(("c", range(n, n + 1)) for n in (5, 6, 7))]
    assert table.waves == [dict.fromkeys(names, numbers) for names, numbers in asked]


@pytest.mark.parametrize(("k", "waves"), [(1, [1]), (2, [1, 1]), (3, [1, 2]), (4, [1, 3]), (8, [1, 2, 5]), (16, [1, 2, 4, 9])])
def test_waves_ask_for_more_and_more_attempts(k: int, waves: list[int]) -> None:
    table = Table({"never": set()})
    table.run(k)
    assert [len(wave["never"]) for wave in table.waves] == waves


@pytest.mark.parametrize("k", [1, 2, 8])
def test_what_comes_back_never_depends_on_the_waves(k: int) -> None:
    chance = random.Random(k)
    for share in (0.0, 0.1, 0.5, 0.9):
        hits = {str(name): {number for number in range(k) if chance.random() < share} for name in range(40)}
        expected = {name: list(range(min(of, default=k - 1) + 1)) for name, of in hits.items()}
        assert Table(hits).run(k) == expected


@pytest.mark.parametrize("chance", [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("alike", [True, False])
def test_nine_tenths_of_what_first_hits_save_are_saved_whatever_the_chance_of_a_hit(chance: float, alike: bool) -> None:
    k, dice = 8, random.Random(chance)
    chances = [chance if alike else dice.betavariate(0.3, 0.3 * (1 - chance) / chance) for _ in range(512)]
    hits = {str(name): {number for number in range(k) if dice.random() < each} for name, each in enumerate(chances)}
    table = Table(hits)
    needed = sum(map(len, table.run(k).values()))
    drawn = sum(len(numbers) for wave in table.waves for numbers in wave.values())
    assert k * len(hits) - drawn >= 0.9 * (k * len(hits) - needed)
    assert len(table.waves) <= 6


def test_nothing_is_asked_where_nothing_is_wanted() -> None:
    table = Table({})
    assert (table.run(4), table.waves) == ({}, [])


@pytest.mark.parametrize(
    ("mode", "k", "samples"), [("all", 8, 10), ("until_hit", 8, 80), ("until_hit", 2, 20), ("until_hit", 99, 80)]
)
def test_a_shard_of_waves_is_as_wide_as_a_batch_of_all_attempts(mode: str, k: int, samples: int) -> None:
    assert batch_samples(Settings(k=k, shard_samples=10, sampling_mode=mode)) == samples  # type: ignore[arg-type]
