"""The training set of an iteration: {⟨q, T⟩ → A} of the selected samples and {⟨q, T⟩, A₁, r → A} of the selected pairs (§3.2)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from toolcalls.prompts import run_messages
from toolcalls.records import Generation, Judgement, Sample, TrainingRow
from toolcalls.refinement import refine_messages, target_text
from toolcalls.settings import Settings
from toolcalls.wire import to_json


@dataclass(frozen=True, slots=True)
class Pair:
    """A selected refine pair: the sample, its A₁, and what the comparator says of A₁."""

    sample: Sample
    first: Generation
    judgement: Judgement


def direct_row(sample: Sample, settings: Settings) -> TrainingRow:
    """⟨q, T⟩ → A."""
    return TrainingRow(sample.id, "direct", run_messages(sample, settings), target_text(sample))


def refine_row(pair: Pair, settings: Settings) -> TrainingRow:
    """⟨q, T⟩, A₁, r → A, the context as the refine turn was sampled."""
    messages = refine_messages(run_messages(pair.sample, settings), pair.first.text)
    target = target_text(pair.sample, pair.first, pair.judgement, settings.stop_target)
    return TrainingRow(pair.sample.id, "refine", messages, target)


def training_rows(direct: Iterable[Sample], pairs: Iterable[Pair], settings: Settings) -> list[TrainingRow]:
    """Build all rows of an iteration, shuffled with the run's seed, whatever the order they are given in.

    Who is selected, dropped or force-kept was decided by the caller.
    """
    rows = [direct_row(sample, settings) for sample in direct] + [refine_row(pair, settings) for pair in pairs]
    return sorted(rows, key=lambda row: place(settings.seed, row.sample_id, row.kind))


def place(seed: int, sample_id: str, kind: str) -> bytes:
    """A row's place among the others: they stand in the order of these 32 bytes, which the run's seed shuffles."""
    return hashlib.sha256(json.dumps([seed, sample_id, kind]).encode()).digest()


def training_set_hash(rows: Iterable[TrainingRow]) -> str:
    """sha256, hex, of the rows in their order: the identity of a training set, repeated in the checkpoint's meta.json."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(identity(row))
    return digest.hexdigest()


def identity(row: TrainingRow) -> bytes:
    """What a row adds to the hash of its training set."""
    return json.dumps(to_json(row), separators=(",", ":")).encode() + b"\n"
