"""Assembly: an iteration's training set, frozen, and its rows rebuilt from what it points at (ToolACE-R §3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from curation.models import Decision, Iteration, RefinePair, SampleVersion, TrainingSet, Verdict
from curation.models import TrainingRow as TrainingRowRecord
from curation.models.decisions import DecisionKind
from curation.models.training import TrainingKind
from curation.stages import pool
from curation.stages.errors import InputError
from curation.stages.pool import PoolSample, comparator_of
from toolcalls.assembly import Pair, direct_row, refine_row, training_rows, training_set_hash
from toolcalls.records import Generation, TrainingRow
from toolcalls.selection import judge
from toolcalls.settings import Settings

T = TypeVar("T")
CHUNK = 500  # rows that are read at a time


class Entrants(NamedTuple):
    """Sample versions that enter training, and those of them that only a person's keep lets in."""

    chosen: set[int]
    forced: set[int]


def freeze(iteration: Iteration) -> TrainingSet:
    """Write the frozen list of rows: (selected and not dropped) or kept by a person; what is under discussion stays out.

    Called once, by the loop, in its transaction. Raises InputError when no row is left.
    """
    direct, refine = direct_entrants(iteration), refine_entrants(iteration)
    if not direct.chosen and not refine.chosen:
        raise InputError(
            f"iteration {iteration.number} has nothing to train on: all {iteration.selected} selected rows were dropped or are "
            "under discussion; undo some of these decisions, then retry the run"
        )
    rows = _rows(iteration, sorted(direct.chosen), sorted(refine.chosen), iteration.run.choices)
    frozen: TrainingSet = TrainingSet.objects.create(
        iteration=iteration, sha256=training_set_hash(rows), direct=len(direct.chosen), refine=len(refine.chosen)
    )
    _write_rows(frozen, rows, {"direct": direct, "refine": refine})
    return frozen


def _write_rows(frozen: TrainingSet, rows: Sequence[TrainingRow], entrants: Mapping[str, Entrants]) -> None:
    named = SampleVersion.objects.filter(pk__in=entrants["direct"].chosen | entrants["refine"].chosen)
    versions: dict[str, int] = dict(named.values_list("sample__key", "pk"))
    records = (
        TrainingRowRecord(
            training_set=frozen,
            position=position,
            version_id=versions[row.sample_id],
            kind=TrainingKind(row.kind),
            forced=versions[row.sample_id] in entrants[row.kind].forced,
        )
        for position, row in enumerate(rows)
    )
    TrainingRowRecord.objects.bulk_create(records, batch_size=CHUNK)


def direct_entrants(iteration: Iteration) -> Entrants:
    """⟨q, T⟩ → A of the samples selected direct or kept, less those that people dropped or discuss."""
    selected = set(Verdict.objects.filter(iteration=iteration).direct().selected().values_list("version_id", flat=True))
    kept = _versions(iteration, _decided(iteration, 0, DecisionKind.KEEP))
    barred = _barred(iteration)
    return Entrants((selected | kept) - barred, kept - selected - barred)


def refine_entrants(iteration: Iteration) -> Entrants:
    """⟨q, T⟩, A₁, r → A of the pairs selected or kept, less those that people dropped or discuss, as pairs or as samples."""
    usable = set(RefinePair.objects.filter(iteration=iteration, usable=True).values_list("version_id", flat=True))
    selected = set(Verdict.objects.filter(iteration=iteration).refine().selected().values_list("version_id", flat=True))
    kept = _versions(iteration, _decided(iteration, 1, DecisionKind.KEEP))
    out = _versions(iteration, _decided(iteration, 1, DecisionKind.DROP, DecisionKind.DISCUSS)) | _barred(iteration)
    return Entrants((selected | kept) & usable - out, (kept - selected) & usable - out)


def _barred(iteration: Iteration) -> set[int]:
    return _versions(iteration, _decided(iteration, 0, DecisionKind.DROP, DecisionKind.DISCUSS))


def _decided(iteration: Iteration, turn: int, *kinds: str) -> list[int]:
    """Ids of the samples with such a standing decision: on the sample for the run, on the pair for the iteration."""
    standing = Decision.objects.standing().filter(run=iteration.run, turn=turn, kind__in=kinds)
    if turn:
        standing = standing.filter(iteration=iteration)
    return list(standing.values_list("sample_id", flat=True))


def _versions(iteration: Iteration, samples: list[int]) -> set[int]:
    """The versions of these samples in the run's revision, training split."""
    entries = iteration.run.revision.entries.filter(version__sample_id__in=samples, version__sample__split="train")
    return set(entries.values_list("version_id", flat=True))


def _rows(iteration: Iteration, direct: list[int], refine: list[int], settings: Settings) -> list[TrainingRow]:
    samples = (entry.sample for chunk in _chunks(direct) for entry in pool.load(chunk).values())
    pairs = (pair for chunk in _chunks(refine) for pair in _pairs(iteration, chunk, settings).values())
    return training_rows(samples, pairs, settings)


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(values)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def _pairs(iteration: Iteration, versions: Iterable[int], settings: Settings) -> dict[int, Pair]:
    entries = pool.load(versions)
    found = RefinePair.objects.filter(iteration=iteration, version_id__in=entries).values_list("version_id", "first_answer")
    first = dict(found)
    return {number: _pair(entry, first[number], settings) for number, entry in entries.items()}


def _pair(entry: PoolSample, first_answer: str, settings: Settings) -> Pair:
    """A₁ as a generation again: a usable one was ended by an end token; its counts do not matter for a row."""
    first = Generation(0, 0, first_answer, "stop", 0, 0, "")
    return Pair(entry.sample, first, judge(first, entry.sample, comparator_of(settings), settings.no_call_policy))


def rows(training_set: TrainingSet) -> Iterator[TrainingRow]:
    """The rows in their frozen order, rebuilt a chunk at a time. Whether they still are what was frozen: `verify`."""
    iteration, settings = training_set.iteration, training_set.iteration.run.choices
    listed = training_set.rows.order_by("position").values_list("version_id", "kind")
    for chunk in _chunks(listed.iterator(CHUNK)):
        samples = pool.load({number for number, _ in chunk})
        pairs = _pairs(iteration, [number for number, kind in chunk if kind == TrainingKind.REFINE], settings)
        for number, kind in chunk:
            is_pair = kind == TrainingKind.REFINE
            yield refine_row(pairs[number], settings) if is_pair else direct_row(samples[number].sample, settings)


def verify(training_set: TrainingSet) -> None:
    """Raises InputError when the rows can no longer be rebuilt as they were frozen."""
    if training_set_hash(rows(training_set)) != training_set.sha256:
        raise InputError(
            f"the training set of iteration {training_set.iteration.number} is not what was frozen any more, because another "
            "version of this program renders its prompts differently; train and export with the version that began the run"
        )
