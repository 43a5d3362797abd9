"""Rows of token ids for full training: which tokens the model reads, and which of them it is taught."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from transformers import PreTrainedTokenizerBase

from toolcalls.prompts import REFINE_PROMPT, SYSTEM_PROMPTS, system_text
from toolcalls.records import Sample
from toolcalls.rendering import render
from trainer.tiny.mistakes import mistaken
from trainer.tiny.tokenizer import END
from trainer.tiny.world import conversations

FIGURE_5_SHARE = 0.4  # of the conversations; evaluation uses it alone. The other variants share the rest evenly
REFINE_SHARE = 0.25  # of the turns: the answer is given first, right or wrong, and refined
RIGHT_SHARE = 0.5  # of the refine turns start from the truth
LONGEST = 512  # tokens; a longer conversation is cut, here where there is no end of them


@dataclass(frozen=True, slots=True)
class Lesson:
    """Token ids and, for each, whether its prediction is taught as an answer (else it is context)."""

    ids: tuple[int, ...]
    taught: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Right-padded rows, (rows, tokens) each. `real` is False on padding."""

    ids: torch.Tensor
    taught: torch.Tensor
    real: torch.Tensor


def lesson(tokenizer: PreTrainedTokenizerBase, spans: Sequence[tuple[str, bool]]) -> Lesson:
    """Encode spans of text, each beginning with a special token or following one, and say which are taught."""
    encoded = [(tokenizer.encode(text, add_special_tokens=False), taught) for text, taught in spans]
    ids = tuple(chain.from_iterable(ids for ids, _ in encoded))
    taught = tuple(chain.from_iterable([taught] * len(ids) for ids, taught in encoded))
    return Lesson(ids[:LONGEST], taught[:LONGEST])


def draw_variant(dice: random.Random) -> int:
    """A system prompt, Fig. 5 more often than each of its variants."""
    return 0 if dice.random() < FIGURE_5_SHARE else dice.randrange(1, len(SYSTEM_PROMPTS))


def conversation_lessons(tokenizer: PreTrainedTokenizerBase, *, seed: int, turns: int) -> Iterator[Lesson]:
    """Endless lessons of the pre-training mix: one system text, then some queries and their answers."""
    dice = random.Random(f"lessons/{seed}")
    for samples in conversations("pretraining", seed=seed, turns=turns):
        spans = [(f"<|system|>{system_text(samples[0], draw_variant(dice))}", False)]
        for sample in samples:
            spans += _turn(dice, sample)
        yield lesson(tokenizer, spans)


def batches(lessons: Sequence[Lesson], *, tokens: int, dice: random.Random) -> list[Batch]:
    """All lessons in batches of about `tokens` padded tokens, rows of like length together, in random order."""
    cut: list[list[Lesson]] = [[]]
    for row in sorted(lessons, key=lambda row: len(row.ids)):
        if cut[-1] and (len(cut[-1]) + 1) * len(row.ids) > tokens:
            cut.append([])
        cut[-1].append(row)
    dice.shuffle(cut)
    return [_padded(rows) for rows in cut if rows]


def _turn(dice: random.Random, sample: Sample) -> list[tuple[str, bool]]:
    truth = render(sample.truth or ())
    spans = [(f"<|user|>{sample.messages[-1].content}<|assistant|>", False)]
    if dice.random() < REFINE_SHARE:
        first = truth if dice.random() < RIGHT_SHARE else render(mistaken(dice, sample))
        spans.append((f"{first}{END}<|user|>{REFINE_PROMPT}<|assistant|>", False))
    return [*spans, (f"{truth}{END}", True)]


def _padded(rows: Sequence[Lesson]) -> Batch:
    longest = -(-max(len(row.ids) for row in rows) // 8) * 8
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    taught, real = torch.zeros_like(ids, dtype=torch.bool), torch.zeros_like(ids, dtype=torch.bool)
    for number, row in enumerate(rows):
        ids[number, : len(row.ids)] = torch.tensor(row.ids)
        taught[number, : len(row.ids)] = torch.tensor(row.taught)
        real[number, : len(row.ids)] = True
    return Batch(ids, taught, real)
