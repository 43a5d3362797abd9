"""Rows into batches: neighbours in length together, so that little is padding, in an order that the seed decides."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import Sampler

from trainer.encoding import EncodedRow

IGNORED = -100  # the label of a token that no loss falls on


def length_grouped_order(lengths: Sequence[int], group: int, seed: int) -> list[int]:
    """A permutation of the rows in which every `group` rows that follow each other are alike in length; groups are shuffled.

    An incomplete group, of the shortest rows, comes last, so that cutting the order into batches of `group` cuts between groups.
    """
    chance = random.Random(seed)
    rows = list(range(len(lengths)))
    chance.shuffle(rows)
    rows.sort(key=lambda row: -lengths[row])
    groups = [rows[start : start + group] for start in range(0, len(rows), group)]
    rest = groups.pop() if groups and len(groups[-1]) < group else []
    chance.shuffle(groups)
    return [row for members in groups for row in members] + rest


class FixedOrder(Sampler[int]):
    """Gives the rows in the order it was made with."""

    def __init__(self, order: Sequence[int]) -> None:
        self.order = order

    def __iter__(self) -> Iterator[int]:
        return iter(self.order)

    def __len__(self) -> int:
        return len(self.order)


def collate(rows: Sequence[EncodedRow]) -> dict[str, Tensor]:
    """input_ids and labels, each (batch, tokens), padded on the right.

    No attention mask: under causal attention no token sees what follows it, and no loss falls on padding.
    """
    longest = max(len(row.input_ids) for row in rows)
    input_ids = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), longest), IGNORED)
    for i, row in enumerate(rows):
        ids = torch.tensor(row.input_ids)
        input_ids[i, : len(ids)] = ids
        labels[i, row.label_start : len(ids)] = ids[row.label_start :]
    return {"input_ids": input_ids, "labels": labels}
