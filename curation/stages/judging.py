"""A turn's answers as rows: every attempt judged, and the sample's verdict (Eq. 2 direct, Eq. 3 refine)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from curation.models import Decision, Shard
from curation.models import Generation as GenerationRow
from curation.models import Verdict as VerdictRow
from curation.models.verdicts import UNKNOWN, Change, Outcome
from curation.stages import pool
from curation.stages.approaches import approach_of
from curation.stages.copying import copy_rows, json_text, storable
from curation.stages.jobs import WrongResults
from curation.stages.pool import PoolSample, comparator_of
from curation.stages.shards import Claim
from toolcalls.records import Generation, Judgement, Sample, Turn, Verdict
from toolcalls.selection import judge, judge_all, verdict
from toolcalls.waves import IsHit, wanted
from toolcalls.wire import to_json

GENERATION_COLUMNS = (
    "iteration_id", "version_id", "turn", "attempt", "text", "calls", "answer_key", "max_param_diff", "reason",
    "finish_reason", "prompt_tokens", "completion_tokens", "seed", "prompt_hash", "checkpoint_id", "comparator",
)  # fmt: skip
VERDICT_COLUMNS = (
    "iteration_id", "version_id", "turn", "attempts", "exact_hits", "approximate_hits", "first_hit", "reason", "reasons",
    "other_answer", "other_count", "excluded", "category", "language", "calls", "comparator", "checkpoint_id",
    "sample_id", "outcome", "tools", "censored", "approach", "decision", "change",
)  # fmt: skip
NAMES_BYTES, PER_NAME = 1280, 8  # of the names of tools in an entry of an index, which holds 2,700 bytes in all; besides each


@dataclass(frozen=True, slots=True)
class JudgedTurn:
    """The k attempts of one sample and what they come to."""

    entry: PoolSample
    generations: Sequence[Generation]
    judgements: Sequence[Judgement]
    verdict: Verdict


def judged(claim: Claim, entry: PoolSample, generations: Sequence[Generation]) -> JudgedTurn:
    """Judge a turn. A truth in words is judged as under any_no_call, so that counts can be shown with and without such
    samples; what the run's policy excludes is marked so in the verdict and is never selected."""
    comparator = comparator_of(claim.settings)
    judgements = judge_all(generations, entry.sample, comparator, "any_no_call")
    found = verdict(generations, judgements, comparator, claim.settings.tolerance, k=wanted(claim.settings))
    return JudgedTurn(entry, generations, judgements, found)


def is_hit_of(claim: Claim) -> IsHit:
    """Whether an attempt at a request of the shard ends the sample's turn in mode until_hit, by the request's id."""
    samples, settings = pool.of_shard(claim.versions), claim.settings
    comparator = comparator_of(settings)

    def is_hit(name: str, generation: Generation) -> bool:
        found = judge(generation, samples[abs(int(name))].sample, comparator, "any_no_call")
        return found.max_param_diff is not None and found.max_param_diff <= settings.tolerance

    return is_hit


def check_stops(claim: Claim, turns: Sequence[JudgedTurn]) -> None:
    """Raises WrongResults unless, in mode until_hit, every turn ends with its first hit or has all k attempts."""
    if claim.settings.sampling_mode == "until_hit":
        for item in turns:
            found, last = item.verdict, len(item.generations) - 1
            if found.first_hit != last and (found.censored or found.first_hit is not None):
                words = f"{found.attempts} attempts, the first hit is {found.first_hit}"
                raise WrongResults(f"sample version {item.entry.version} was not asked until its first hit: {words}")


def is_excluded(claim: Claim, entry: PoolSample) -> bool:
    """Whether no_call_policy keeps the sample out of the selection."""
    return entry.sample.truth is None and claim.settings.no_call_policy == "exclude"


def outcome(found: Verdict, *, excluded: bool) -> str:
    """The verdict in one word (models.verdicts.Outcome); UNKNOWN where it is judged again, has no hit any more, and might have
    had one in the attempts that were not made."""
    if excluded:
        return Outcome.EXCLUDED
    if found.approximate_hits:
        return Outcome.EXACT if found.exact_hits else Outcome.APPROXIMATE
    return UNKNOWN if found.censored else found.reason


def change(first: Judgement) -> str:
    """How far A₁ is from A: the same, approximately the same, or another answer (models.verdicts.Change)."""
    if first.max_param_diff is None or first.max_param_diff > 1:
        return Change.LARGE
    return Change.SMALL if first.max_param_diff else Change.STOP


def write_turns(claim: Claim, turn: Turn, turns: Sequence[JudgedTurn], changes: Mapping[int, str] | None = None) -> None:
    """Write the attempts and the verdicts, within the fence. `changes` gives each version's of the refine turn."""
    write_generations(claim, turn, turns)
    _count_tokens(claim, turns)
    decided = _decisions(claim, turn, turns)
    rows = (
        (*_verdict_row(claim, turn, item), decided.get(item.entry.sample_id, ""), (changes or {}).get(item.entry.version, ""))
        for item in turns
    )
    copy_rows(VerdictRow, VERDICT_COLUMNS, rows)


def _count_tokens(claim: Claim, turns: Sequence[JudgedTurn]) -> None:
    prompts = sum(item.generations[0].prompt_tokens for item in turns if item.generations)
    completions = sum(one.completion_tokens for item in turns for one in item.generations)
    Shard.objects.filter(pk=claim.shard_id).update(prompt_tokens=prompts, completion_tokens=completions)


def _decisions(claim: Claim, turn: Turn, turns: Sequence[JudgedTurn]) -> dict[int, str]:
    """Sample → the decision that stands on it, from an earlier iteration or from while its shard was worked on."""
    standing = Decision.objects.standing().filter(
        run_id=claim.run_id, turn=turn, sample_id__in=[item.entry.sample_id for item in turns]
    )
    if turn:
        standing = standing.filter(iteration_id=claim.iteration_id)
    return dict(standing.values_list("sample_id", "kind"))


def write_generations(claim: Claim, turn: Turn, turns: Sequence[JudgedTurn]) -> None:
    """Write the attempts alone: the extra greedy A₁ counts in no verdict."""
    copy_rows(GenerationRow, GENERATION_COLUMNS, chain.from_iterable(_generation_rows(claim, turn, item) for item in turns))


def _generation_rows(claim: Claim, turn: Turn, item: JudgedTurn) -> Iterator[tuple[object, ...]]:
    """A row per attempt. Those that say the same have one judgement, whose calls are written out once."""
    calls: dict[int, str | None] = {}
    comparator = comparator_of(claim.settings).version
    for generation, judgement in zip(item.generations, item.judgements, strict=True):
        if id(judgement) not in calls:
            calls[id(judgement)] = _calls_text(judgement)
        yield (
            claim.iteration_id,
            item.entry.version,
            turn,
            generation.attempt,
            storable(generation.text),
            calls[id(judgement)],
            judgement.answer_key,
            judgement.max_param_diff,
            judgement.reason,
            generation.finish_reason,
            generation.prompt_tokens,
            generation.completion_tokens,
            generation.seed,
            generation.prompt_hash,
            claim.checkpoint_id,
            comparator,
        )


def _calls_text(judgement: Judgement) -> str | None:
    return None if judgement.calls is None else json_text([to_json(call) for call in judgement.calls])


def _verdict_row(claim: Claim, turn: Turn, item: JudgedTurn) -> tuple[object, ...]:
    """All columns but the last two."""
    entry, found = item.entry, item.verdict
    return (
        claim.iteration_id,
        entry.version,
        turn,
        found.attempts,
        found.exact_hits,
        found.approximate_hits,
        found.first_hit,
        found.reason,
        json_text(dict(found.reasons)),
        None if found.other_answer is None else storable(found.other_answer),
        found.other_count,
        is_excluded(claim, entry),
        entry.category,
        entry.language,
        entry.calls,
        found.comparator,
        claim.checkpoint_id,
        entry.sample_id,
        outcome(found, excluded=is_excluded(claim, entry)),
        tool_names(entry.sample),
        found.censored,
        approach_of((one.attempt for one in item.generations), item.judgements, claim.settings.tolerance),
    )


def tool_names(sample: Sample) -> list[str]:
    """The tools that a truth calls, each once, in its order: as many as the index of verdicts has room for."""
    names = dict.fromkeys(storable(call.name) for call in sample.truth or ())
    ends = accumulate(len(name.encode()) + PER_NAME for name in names)
    return [name for name, end in zip(names, ends, strict=True) if end <= NAMES_BYTES]
