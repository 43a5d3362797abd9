"""The mask strip: a training row as the model saw it, trained tokens apart from what is only read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from curation.models import Iteration
from curation.stages.masks import Piece, mask_of

CONTEXT = 1200  # characters of what is only read that are shown before the trained tokens
KINDS = ("direct", "refine")  # by turn


@dataclass(frozen=True, slots=True)
class MaskStrip:
    """`spans`: runs of tokens that are only read as one text, trained tokens one by one."""

    spans: tuple[Piece, ...]
    tokens: int
    trained: int
    cut: bool  # whether the beginning is left out


def mask_strip(iteration: Iteration, version: int, turn: int) -> MaskStrip | None:
    """None before the row is trained on, and for a row that is not."""
    pieces = mask_of(iteration, version, KINDS[turn])
    if not pieces:
        return None
    spans: list[Piece] = []
    for trained, run in groupby(pieces, key=lambda piece: piece.trained):
        group = list(run)
        spans += group if trained else [Piece("".join(piece.text for piece in group), False)]
    cut = not spans[0].trained and len(spans[0].text) > CONTEXT
    if cut:
        spans[0] = Piece(spans[0].text[-CONTEXT:], False)
    return MaskStrip(tuple(spans), len(pieces), sum(piece.trained for piece in pieces), cut)
