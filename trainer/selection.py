"""The selection and assembly stages on pool lines: verdicts, then training rows (ToolACE-R §3.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from toolcalls.assembly import Pair, training_rows
from toolcalls.comparing import comparator_of
from toolcalls.errors import InputError
from toolcalls.records import Generation, Sample, TrainingRow, Verdict
from toolcalls.refinement import is_identical
from toolcalls.selection import judge, judge_all, verdict
from toolcalls.settings import Settings
from toolcalls.waves import wanted
from trainer.pool import PoolLine


def select(line: PoolLine, settings: Settings) -> PoolLine:
    """The line with a verdict for each turn that was sampled; none for a refine turn without generations."""
    return dataclasses.replace(
        line,
        direct_verdict=_verdict(line.direct, line.sample, settings),
        refine_verdict=_verdict(line.refine, line.sample, settings) if line.refine else None,
    )


def is_hit(generation: Generation, sample: Sample, settings: Settings) -> bool:
    """Whether an attempt selects its sample."""
    found = judge(generation, sample, comparator_of(settings), settings.no_call_policy).max_param_diff
    return found is not None and found <= settings.tolerance


def assemble(lines: Sequence[PoolLine], settings: Settings) -> list[TrainingRow]:
    """The training set of what was selected. Raises InputError when a line has no verdict yet."""
    for line in lines:
        if line.direct_verdict is None or (line.refine and line.refine_verdict is None):
            raise InputError(f"Sample {line.sample.id} has a turn without a verdict; run `select` before `assemble`.")
    direct = [line.sample for line in lines if _selected(line.direct_verdict)]
    return training_rows(direct, [_pair(line, settings) for line in lines if _selected(line.refine_verdict)], settings)


def counts(lines: Sequence[PoolLine], settings: Settings) -> dict[str, Any]:
    """N_t and its parts, and how many of the selected pairs have A₁ = A."""
    direct = sum(_selected(line.direct_verdict) for line in lines)
    pairs = [_pair(line, settings) for line in lines if _selected(line.refine_verdict)]
    identical = sum(is_identical(pair.judgement) for pair in pairs)
    return {
        "pool": len(lines),
        "selected_direct": direct,
        "selected_refine": len(pairs),
        "selected": direct + len(pairs),
        "identical": identical,
        "identical_share": identical / len(pairs) if pairs else None,
    }


def _selected(found: Verdict | None) -> bool:
    return found is not None and found.selected


def _verdict(generations: Sequence[Generation], sample: Sample, settings: Settings) -> Verdict:
    comparator = comparator_of(settings)
    judgements = judge_all(generations, sample, comparator, settings.no_call_policy)
    return verdict(generations, judgements, comparator, settings.tolerance, k=wanted(settings))


def _pair(line: PoolLine, settings: Settings) -> Pair:
    if line.first_answer is None:
        raise InputError(f"Sample {line.sample.id} has refine generations but no first_answer; run `refine` again.")
    judgement = judge(line.first_answer, line.sample, comparator_of(settings), settings.no_call_policy)
    return Pair(line.sample, line.first_answer, judgement)
