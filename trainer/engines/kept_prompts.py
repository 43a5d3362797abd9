"""Prompts whose keys and values are kept from one batch for the next, which asks for more attempts at them.

Attempts at a prompt are made in waves (toolcalls.waves): the prompt is run in the first of them alone. The keys and values are
those that the batch ran with, padding and all; nothing is copied to keep them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.engines.shared_prefix import Cohort


@dataclass(frozen=True, slots=True)
class _Source:
    """A cohort's keys and values, a tensor (prompts, kv heads, prompt tokens, head size) per layer."""

    keys: Sequence[Tensor]
    values: Sequence[Tensor]


@dataclass(frozen=True, slots=True)
class _Place:
    source: int
    row: int
    last: Tensor  # the hidden state of the prompt's last token


class KeptPrompts:
    """At most `room` tokens, padding included; what no longer fits is not kept and runs again."""

    def __init__(self, room: int = 0) -> None:
        self.forget(room)

    def forget(self, room: int) -> None:
        """Drop all, and keep so many tokens from now on."""
        self._left = room
        self._sources: list[_Source] = []
        self._places: dict[tuple[int, ...], _Place] = {}

    def find(self, prompts: Sequence[Sequence[int]]) -> dict[int, _Place]:
        """Number of a prompt → where it is kept."""
        places = ((number, self._places.get(tuple(prompt))) for number, prompt in enumerate(prompts))
        return {number: place for number, place in places if place is not None}

    def keep(self, cohort: Cohort, prompts: Mapping[int, Sequence[int]], last: Sequence[Tensor]) -> None:
        """Keep these prompts of a cohort that has just run, by their numbers in it; all of it is held, or nothing."""
        held = len(cohort.lengths) * cohort.longest
        if not prompts or held > self._left:
            return
        self._left -= held
        self._sources.append(_Source(_whole(cohort.prompt_keys), _whole(cohort.prompt_values)))
        source = len(self._sources) - 1
        self._places |= {tuple(prompt): _Place(source, number, last[number]) for number, prompt in prompts.items()}

    def fill(self, cohort: Cohort, found: Mapping[int, _Place]) -> None:
        """Copy the keys and values of the prompts found into a cohort."""
        by_source: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, place in found.items():
            by_source[place.source].append((number, place.row))
        for source, pairs in by_source.items():
            kept = self._sources[source]
            rows = torch.tensor([row for _, row in pairs], device=cohort.lengths.device)
            numbers = [number for number, _ in pairs]
            for layer, (keys, values) in enumerate(zip(kept.keys, kept.values, strict=True)):
                short = (states[:, :, : cohort.longest].index_select(0, rows) for states in (keys, values))
                cohort.store_prompts(layer, numbers, *short)


def _whole(store: Sequence[Tensor | None]) -> list[Tensor]:
    assert all(kept is not None for kept in store)
    return [kept for kept in store if kept is not None]
