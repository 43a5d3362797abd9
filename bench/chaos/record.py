"""What a run left in the record, to compare it with another's: rows, and hashes of what was trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from curation.models import Checkpoint, EvaluationItem, Event, Generation, RefinePair, Run, TrainingRow, TrainingSet, Verdict
from curation.models.shards import Shard, StageKind
from toolcalls.records import DIRECT, REFINE

Rows = Mapping[tuple[Any, ...], tuple[Any, ...]]

GENERATION = (
    "seed",
    "text",
    "calls",
    "max_param_diff",
    "reason",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "prompt_hash",
)
VERDICT = (
    "attempts",
    "exact_hits",
    "approximate_hits",
    "first_hit",
    "reason",
    "reasons",
    "other_answer",
    "other_count",
    "outcome",
)
KEY = ("iteration__number", "version_id", "turn")


@dataclass(frozen=True, slots=True)
class Compared:
    """One kind of rows of two runs."""

    kind: str
    rows: int  # of the calm run
    lost: int
    added: int  # rows that the calm run has not
    equal: int


def _rows(found: Any, key: tuple[str, ...], values: tuple[str, ...]) -> Rows:
    return {row[: len(key)]: row[len(key) :] for row in found.values_list(*key, *values)}


KINDS: Mapping[str, Callable[[Run], Rows]] = {
    "generations": lambda run: _rows(Generation.objects.filter(iteration__run=run), (*KEY, "attempt"), GENERATION),
    "verdicts": lambda run: _rows(Verdict.objects.filter(iteration__run=run), KEY, VERDICT),
    "training rows": lambda run: _rows(
        TrainingRow.objects.filter(training_set__iteration__run=run),
        ("training_set__iteration__number", "position"),
        ("version_id", "kind"),
    ),
    "training sets": lambda run: _rows(
        TrainingSet.objects.filter(iteration__run=run), ("iteration__number",), ("file_sha256", "direct", "refine", "too_long")
    ),
    "checkpoints": lambda run: _rows(Checkpoint.objects.filter(run=run), ("iteration__number", "kind"), ("sha256",)),
    "evaluations": lambda run: _rows(
        EvaluationItem.objects.filter(iteration__run=run), ("iteration__number", "version_id"), ("trace",)
    ),
}


def compare(calm: Run, other: Run) -> list[Compared]:
    """Every kind of rows of the two runs."""
    return [_compared(kind, rows(calm), rows(other)) for kind, rows in KINDS.items()]


def _compared(kind: str, calm: Rows, other: Rows) -> Compared:
    equal = sum(other.get(key) == value for key, value in calm.items())
    return Compared(kind, len(calm), len(calm.keys() - other.keys()), len(other.keys() - calm.keys()), equal)


def amiss(run: Run) -> Iterator[str]:
    """Rows of a finished run that are lost, or that nobody asked for, by its own shards and settings: another run need not have
    drawn the same answers. No row can be there twice: these are its keys."""
    turns = {(*one, DIRECT) for one in _cut(run, StageKind.SAMPLING)} | {(*one, REFINE) for one in _usable(run)}
    wanted: dict[str, set[tuple[int, ...]]] = {
        "generations": {(*turn, attempt) for turn in turns for attempt in range(run.choices.k)},
        "verdicts": turns,
        "evaluations": set(_cut(run, StageKind.EVALUATION)),
    }
    for kind, keys in wanted.items():
        found = KINDS[kind](run).keys()
        if lost := len(keys - found):
            yield f"{lost} of {len(keys)} {kind} are lost"
        if others := len(found - keys):
            yield f"{others} {kind} are there that nobody asked for"


def _cut(run: Run, kind: StageKind) -> Iterator[tuple[int, int]]:
    """Iteration and version of what a stage was to do."""
    shards = Shard.objects.filter(stage__iteration__run=run, stage__kind=kind)
    for number, versions in shards.values_list("stage__iteration__number", "versions"):
        yield from ((number, version) for version in versions)


def _usable(run: Run) -> set[tuple[int, int]]:
    """Of the pairs whose first answer can be refined."""
    return set(RefinePair.objects.filter(iteration__run=run, usable=True).values_list("iteration__number", "version_id"))


def done_twice(run: Run) -> int:
    """Shards whose results were stored more than once, or that ended without."""
    shards = Shard.objects.filter(stage__iteration__run=run)
    done = list(Event.objects.filter(run_id=run.pk, verb="shard.done").values_list("subject_id", flat=True))
    return len(done) - len(set(done)) + shards.exclude(pk__in=done).count()
