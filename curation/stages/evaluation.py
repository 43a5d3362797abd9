"""Evaluation: the greedy trace A₀ … Aₙ of every held-out sample, scored direct and adaptive (ToolACE-R §3.3, §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curation.models import EvaluationItem
from curation.stages import pool
from curation.stages.copying import copy_rows, json_text
from curation.stages.jobs import Trace, WrongResults
from curation.stages.pool import PoolSample, comparator_of
from curation.stages.shards import Claim, fence
from toolcalls.evaluation import score_trace
from toolcalls.records import Sample

COLUMNS = ("iteration_id", "version_id", "trace", "direct_right", "adaptive_right", "turns", "prompt_hash")


def items(claim: Claim) -> list[tuple[int, Sample]]:
    """The shard's held-out samples by version, in its order. The prompt is Fig. 5 (`direct_messages(sample)`), greedy."""
    return [(number, entry.sample) for number, entry in pool.of_shard(claim.versions).items()]


def store(claim: Claim, traces: Mapping[int, Trace | tuple[Sequence[str], str]]) -> None:
    """Score and write the traces, by sample version, and end the shard: all of it or nothing.

    Raises WrongResults when they are not the shard's samples with refine_turns + 1 answers each, LostLease when the shard
    is no longer this claim's.
    """
    samples = pool.of_shard(claim.versions)
    if traces.keys() != samples.keys():
        raise WrongResults(f"traces of {len(traces)} samples for a shard of {len(samples)}")
    rows = [_row(claim, entry, Trace(*traces[number])) for number, entry in samples.items()]
    with fence(claim, samples=len(rows)):
        copy_rows(EvaluationItem, COLUMNS, rows)


def _row(claim: Claim, entry: PoolSample, trace: Trace) -> tuple[object, ...]:
    if len(trace.texts) != claim.settings.refine_turns + 1:
        raise WrongResults(f"sample {entry.sample.id}: a trace of {len(trace.texts)} answers")
    score = score_trace(trace.texts, entry.sample, comparator_of(claim.settings), trace.finished)
    texts = json_text(list(trace.texts))
    return (claim.iteration_id, entry.version, texts, score.direct, score.adaptive, score.turns, trace.prompt_hash)
