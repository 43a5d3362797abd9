"""Which of an ended run's models stay: the policy alone, as a rule on plain values; `sweeping` applies it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Trained:
    """What an iteration trained, and what speaks for it."""

    iteration: int  # its number, from 1
    parent: int | None  # the iteration whose merged model it was trained on; None: the base
    adapter: bool  # False: every weight was trained, so its model stands on nothing
    final: bool = False
    kept: bool = False  # by a person
    direct_right: int | None = None  # held-out samples; None: not evaluated
    adaptive_right: int | None = None


class Staying(NamedTuple):
    """Numbers of iterations."""

    whole: frozenset[int]  # all that was published of them
    adapters: frozenset[int]  # their adapter, because a model that stays was made of it


def staying(models: Collection[Trained]) -> Staying:
    """The final model, the best on held-out samples (by direct and by adaptive answers, the earliest of equals) and those that a
    person chose stay whole; of each that these were made of, the adapter."""
    whole = {model.iteration for model in models if model.final or model.kept}
    whole |= _best({model.iteration: model.direct_right for model in models})
    whole |= _best({model.iteration: model.adaptive_right for model in models})
    by_number = {model.iteration: model for model in models}
    adapters: set[int] = set()
    for number in whole:
        adapters.update(_made_of(by_number, number))
    return Staying(frozenset(whole), frozenset(adapters - whole))


def _best(scores: dict[int, int | None]) -> set[int]:
    known = {number: score for number, score in scores.items() if score is not None}
    return {min(known, key=lambda number: (-known[number], number))} if known else set()


def _made_of(models: dict[int, Trained], number: int) -> Iterable[int]:
    model = models[number]
    while model.adapter and model.parent is not None:
        model = models[model.parent]
        yield model.iteration
