from __future__ import annotations

import itertools

from toolcalls.sampling import attempt_seed, attempt_seeds


def test_seeds_have_63_bits_and_differ_by_what_the_attempt_is() -> None:
    seeds = [attempt_seed(*which) for which in itertools.product((0, 1), (1, 2), ("a", "b"), (0, 1), range(8))]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**60


def test_seeds_never_change_between_versions() -> None:
    assert attempt_seed(0, 1, "sample", 0, 0) == SEED_OF_THE_FIRST_RELEASE
    assert attempt_seed(1, 11, "x", 0, 0) != attempt_seed(11, 1, "x", 0, 0)


def test_seeds_asked_for_together_are_those_asked_for_alone() -> None:
    attempts = (-1, 0, 1, 7, 12)
    assert attempt_seeds(3, 2, 'a "name" é', 1, attempts) == tuple(
        attempt_seed(3, 2, 'a "name" é', 1, attempt) for attempt in attempts
    )


SEED_OF_THE_FIRST_RELEASE = 167447243357557942
