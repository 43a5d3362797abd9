"""Sampling: k direct answers per sample of the pool, or those up to the first hit, judged (ToolACE-R §3.2, Eq. 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from curation.models.registry import EngineKind
from curation.stages import pool
from curation.stages.jobs import GREEDY_ATTEMPT, EngineRequest, check_answers
from curation.stages.judging import check_stops, judged, write_generations, write_turns
from curation.stages.partitions import ensure_partition
from curation.stages.pool import PoolSample
from curation.stages.shards import Claim, fence
from toolcalls.prompts import run_messages
from toolcalls.records import DIRECT, Generation, Sampling
from toolcalls.sampling import attempt_seeds

__all__ = ["GREEDY_ATTEMPT", "ensure_partition", "requests", "store"]


def requests(claim: Claim) -> list[EngineRequest]:
    """One request per sample of the shard, in its order; with first_answer greedy then one more each, its id negative."""
    samples = pool.of_shard(claim.versions)
    return [_request(claim, samples[abs(number)], number, given) for number, given in wanted(claim).items()]


def wanted(claim: Claim) -> dict[int, tuple[int, ...]]:
    """The seeds of each request by its number."""
    samples = pool.of_shard(claim.versions)
    asked = {number: seeds(claim, entry, DIRECT) for number, entry in samples.items()}
    if claim.settings.first_answer == "greedy":
        asked |= {-number: _seeds(claim, entry, DIRECT, (GREEDY_ATTEMPT,)) for number, entry in samples.items()}
    return asked


def seeds(claim: Claim, entry: PoolSample, turn: int) -> tuple[int, ...]:
    """The seeds of a sample's k attempts: from the sample version's content, never from its shard or position."""
    return _seeds(claim, entry, turn, range(claim.settings.k))


def _seeds(claim: Claim, entry: PoolSample, turn: int, attempts: Iterable[int]) -> tuple[int, ...]:
    return attempt_seeds(claim.run_seed, claim.iteration_number, entry.sha256, turn, attempts)


def _request(claim: Claim, entry: PoolSample, number: int, given: tuple[int, ...]) -> EngineRequest:
    temperature = claim.settings.temperature if number > 0 else 0.0
    sampling = Sampling(temperature=temperature, max_new_tokens=claim.settings.max_new_tokens)
    return EngineRequest(str(number), run_messages(entry.sample, claim.settings), given, sampling)


def store(claim: Claim, answers: Mapping[int, Sequence[Generation]]) -> None:
    """Judge and write the answers, by the number of their request, and end the shard: all of it or nothing.

    Of imported answers some may be missing: a sample is judged on those it has, and one without any is not sampled.
    Raises WrongResults when they are not what was asked for, LostLease when the shard is no longer this claim's.
    """
    check_answers(
        wanted(claim),
        answers,
        imported=claim.engine_kind == EngineKind.IMPORTED,
        until_hit=claim.settings.sampling_mode == "until_hit",
    )
    samples = pool.of_shard(claim.versions)
    turns = [judged(claim, entry, answers[number]) for number, entry in samples.items() if number in answers]
    check_stops(claim, turns)
    greedy = [
        judged(claim, entry, [replace(answers[-number][0], attempt=GREEDY_ATTEMPT)])
        for number, entry in samples.items()
        if -number in answers
    ]
    with fence(claim, samples=len(turns), attempts=sum(len(turn.generations) for turn in turns)):
        write_turns(claim, DIRECT, turns)
        write_generations(claim, DIRECT, greedy)
