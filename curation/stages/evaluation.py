"""Evaluation: the greedy trace A₀ … Aₙ of every held-out sample and benchmark item, scored answer by answer (§3.3, §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curation.models import EvaluationItem
from curation.stages import benchmarks, pool
from curation.stages.copying import copy_rows, json_text
from curation.stages.jobs import WrongResults
from curation.stages.pool import comparator_of
from curation.stages.shards import Claim, fence
from toolcalls.benchmarks.heldout import heldout_items
from toolcalls.benchmarks.items import Item
from toolcalls.canonical import text_equal
from toolcalls.prompts import direct_messages
from toolcalls.records import Generation, Message
from toolcalls.strategies import Choices, Traced
from toolcalls.tracing import traced_item

COLUMNS = (
    "iteration_id", "revision_id", "version_id", "prompt_hash", "trace", "direct_right", "adaptive_right", "turns", "majority",
    "right", "error_types", "prompt_tokens", "completion_tokens",
)  # fmt: skip


def items(claim: Claim) -> Mapping[int, Item]:
    """What the shard's samples are judged by, by version, in its order: a benchmark's own answers, or A = A′."""
    if claim.benchmark_id is not None:
        return benchmarks.items(claim.benchmark_id, claim.versions)
    samples = pool.of_shard(claim.versions)
    judged = heldout_items((entry.sample for entry in samples.values()), comparator_of(claim.settings))
    return dict(zip(samples, judged, strict=True))


def prompts(claim: Claim) -> list[tuple[int, tuple[Message, ...]]]:
    """The direct prompt of each of the shard's samples by version, in its order: Fig. 5, or a benchmark's own. Greedy."""
    if claim.benchmark_id is not None:
        return benchmarks.prompts(claim.benchmark_id, claim.versions)
    keep = claim.settings.prompts == "keep"
    return [(number, direct_messages(entry.sample, keep=keep)) for number, entry in pool.of_shard(claim.versions).items()]


def store(claim: Claim, given: Mapping[int, Sequence[Generation]]) -> None:
    """Score and write the traces, by sample version, and end the shard: all of it or nothing. `given`: the turns that were
    asked, A₀ first; less than refine_turns + 1 where the answer had settled.

    Raises WrongResults when they are not the shard's samples with all their turns, LostLease when the shard is no longer this
    claim's.
    """
    judged = items(claim)
    if given.keys() != judged.keys():
        raise WrongResults(f"traces of {len(given)} samples for a shard of {len(judged)}")
    rows = [_row(claim, number, item, given[number]) for number, item in judged.items()]
    with fence(claim, samples=len(rows)):
        copy_rows(EvaluationItem, COLUMNS, rows)


def _row(claim: Claim, version: int, item: Item, given: Sequence[Generation]) -> tuple[object, ...]:
    turns = claim.settings.refine_turns
    if not _whole(given, turns):
        raise WrongResults(f"sample {item.id}: a trace of {len(given)} answers")
    traced = traced_item(item, given, turns)
    return (claim.iteration_id, claim.revision_id, version, given[0].prompt_hash, *row_of(traced))


def _whole(given: Sequence[Generation], turns: int) -> bool:
    settled = len(given) > 1 and (given[-1].finish_reason == "too_long" or text_equal(given[-1].text, given[-2].text))
    return len(given) == turns + 1 or (settled and len(given) <= turns)


def row_of(traced: Traced, *, counted: bool = True) -> tuple[object, ...]:
    """What the last of COLUMNS, from the trace on, hold of it. `counted`: whether its tokens are known."""
    choices, n = Choices(traced.answers), len(traced.answers) - 1
    stops = choices.turn("adaptive", n)
    tokens = (list(traced.prompt_tokens), list(traced.completion_tokens)) if counted else (None, None)
    return (
        json_text(list(traced.answers)), traced.right[0], traced.right[stops], stops, choices.turn("self_consistency", n),
        list(traced.right), list(traced.error_types), *tokens,
    )  # fmt: skip
