"""Assembly: an iteration's training set, frozen as a list of rows and as their file (ToolACE-R §3.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from django.db import connection, transaction

from curation.models import Iteration, RefinePair, SampleVersion, TrainingSet
from curation.models import TrainingRow as TrainingRowRecord
from curation.models.training import TrainingKind
from curation.stages import drafts, loop, pool, standing, training_file
from curation.stages.copying import copy_rows
from curation.stages.entering import Entrants, direct_entrants, refine_entrants
from curation.stages.errors import InputError
from curation.stages.pool import PoolSample
from curation.stages.shards import Claim, fence
from curation.stages.training_file import Draft
from toolcalls.assembly import Pair, direct_row, place, refine_row
from toolcalls.records import Generation, Judgement, TrainingRow

__all__ = ["Entering", "direct_entrants", "freeze", "refine_entrants", "rows", "store", "usable_file", "whole_file"]

log = logging.getLogger(__name__)

T = TypeVar("T")
CHUNK = 500  # rows whose contents are held at a time
KEYS_CHUNK = 5000  # samples whose keys are read at a time
ROW_COLUMNS = ("training_set_id", "position", "version_id", "kind", "forced")
KINDS = (str(TrainingKind.DIRECT), str(TrainingKind.REFINE))


class Entering(NamedTuple):
    """Who enters a training set, as people's decisions have it now."""

    direct: Entrants
    refine: Entrants


class Entry(NamedTuple):
    """A row of a training set as it is listed: it is written from what it names."""

    version: int
    kind: str  # TrainingKind


def entering(iteration: Iteration) -> Entering:
    return Entering(direct_entrants(iteration), refine_entrants(iteration))


def freeze(iteration: Iteration, claim: Claim | None = None, check: Callable[[], None] = lambda: None) -> TrainingSet:
    """Freeze (selected and not dropped) or kept by a person, less what is under discussion or has another truth by now.

    The rows are written without any lock, so that people go on deciding; when they decided something that matters here,
    they are written again. Who decides while it looks for that waits for the commit, and comes too late for this one. With a
    claim its shard ends in the same transaction. `check` is called every CHUNK rows and stops the work by raising. Raises
    InputError when no row is left or the file cannot be written, StoreError, LostLease.
    """
    drafts.remove_drafts(training_file.place_of(iteration))
    while True:
        found = entering(iteration)
        _refuse_none(iteration, found)
        listed = _in_order(iteration, found)
        draft = training_file.write(training_file.place_of(iteration), _checked(_rows(iteration, listed), check))
        try:
            draft.keep()
            with _transaction(iteration, claim, len(listed)):
                frozen = _store(iteration, found, listed, draft)
                _look_again(iteration, found)
                draft.publish()
                return frozen
        except _Decided:
            log.info("iteration %d: somebody decided meanwhile; assembled again", iteration.pk)
        finally:
            draft.discard()


def store(claim: Claim, check: Callable[[], None] = lambda: None) -> TrainingSet:
    """Freeze the training set of the claim's iteration and end the shard. Raises LostLease, and InputError as `freeze` does."""
    iteration = Iteration.objects.select_related("run__revision").get(pk=claim.iteration_id)
    return freeze(iteration, claim, check)


class _Decided(Exception):
    """What was written is not what people want by now; undoes the transaction."""


@contextmanager
def _transaction(iteration: Iteration, claim: Claim | None, rows: int) -> Iterator[None]:
    """The run's lock first, as everywhere."""
    with transaction.atomic():
        loop.locked(iteration.run_id)
        if claim is None:
            yield
        else:
            with fence(claim, rows=rows):
                yield


def _refuse_none(iteration: Iteration, found: Entering) -> None:
    if not found.direct.chosen and not found.refine.chosen:
        raise InputError(
            f"iteration {iteration.number} has nothing to train on: all {iteration.selected} selected rows were dropped, "
            "corrected or are under discussion; undo some of these decisions, then retry the run"
        )


def _in_order(iteration: Iteration, found: Entering) -> Sequence[bytes]:
    """The rows in the order that the run's seed gives them, each as some 41 bytes: its place, its version, its kind."""
    seed, listed = iteration.run.choices.seed, []
    for chunk in _chunks(sorted(found.direct.chosen | found.refine.chosen), KEYS_CHUNK):
        for version, key in SampleVersion.objects.filter(pk__in=chunk).values_list("pk", "sample__key"):
            for number, entrants in enumerate(found):
                if version in entrants.chosen:
                    listed.append(place(seed, key, KINDS[number]) + version.to_bytes(8, "big") + bytes([number]))
    listed.sort()
    return listed


def _entry(listed: bytes) -> Entry:
    return Entry(int.from_bytes(listed[-9:-1], "big"), KINDS[listed[-1]])


def _store(iteration: Iteration, found: Entering, listed: Sequence[bytes], draft: Draft) -> TrainingSet:
    frozen: TrainingSet = TrainingSet.objects.create(
        iteration=iteration,
        sha256=draft.identity,
        direct=len(found.direct.chosen),
        refine=len(found.refine.chosen),
        uri=draft.uri,
        file_sha256=draft.sha256,
        bytes=draft.bytes,
    )
    copy_rows(TrainingRowRecord, ROW_COLUMNS, _records(frozen, found, listed))
    return frozen


def _look_again(iteration: Iteration, found: Entering) -> None:
    """From here to the commit nobody decides, so there is nothing left to do by then. Raises _Decided."""
    connection.check_constraints()
    standing.hold(iteration.run_id, alone=True)
    if entering(iteration) != found:
        raise _Decided


def _records(frozen: TrainingSet, found: Entering, listed: Sequence[bytes]) -> Iterator[tuple[object, ...]]:
    for position, each in enumerate(listed):
        entry = _entry(each)
        yield (frozen.pk, position, entry.version, entry.kind, entry.version in found[KINDS.index(entry.kind)].forced)


def _rows(iteration: Iteration, listed: Sequence[bytes]) -> Iterator[TrainingRow]:
    return _written(iteration, map(_entry, listed))


def _checked(made: Iterator[TrainingRow], check: Callable[[], None]) -> Iterator[TrainingRow]:
    for chunk in _chunks(made, CHUNK):
        check()
        yield from chunk


def rows(training_set: TrainingSet) -> Iterator[TrainingRow]:
    """The rows in their frozen order, written anew from what they name, a chunk at a time."""
    listed = training_set.rows.order_by("position").values_list("version_id", "kind")
    entries = (Entry(version, kind) for version, kind in listed.iterator(KEYS_CHUNK))
    return _written(training_set.iteration, entries)


def _written(iteration: Iteration, entries: Iterable[Entry]) -> Iterator[TrainingRow]:
    settings = iteration.run.choices
    for chunk in _chunks(entries, CHUNK):
        samples = pool.load({entry.version for entry in chunk})
        pairs = _pairs(iteration, samples, [version for version, kind in chunk if kind == TrainingKind.REFINE])
        for version, kind in chunk:
            is_pair = kind == TrainingKind.REFINE
            yield refine_row(pairs[version], settings) if is_pair else direct_row(samples[version].sample, settings)


def _chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(values)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _pairs(iteration: Iteration, samples: dict[int, PoolSample], versions: Sequence[int]) -> dict[int, Pair]:
    found = RefinePair.objects.filter(iteration=iteration, version_id__in=versions)
    first = {version: values for version, *values in found.values_list("version_id", "first_answer", "identical_exact")}
    return {version: _pair(samples[version], *first[version]) for version in versions}


def _pair(entry: PoolSample, first_answer: str, identical: bool) -> Pair:
    """A₁ as a generation again: a usable one was ended by an end token. Of its judgement a row needs only whether A₁ = A."""
    first = Generation(0, 0, first_answer, "stop", 0, 0, "")
    return Pair(entry.sample, first, Judgement(None, 0 if identical else None, "", "", text_equal=False))


def usable_file(training_set: TrainingSet) -> Path:
    """The file of the rows, fetched or written anew where it is gone or cut short; for who hashes what is read.

    Raises InputError.
    """
    if training_file.is_there(training_set) or training_file.fetch(training_set):
        return training_file.path(training_set)
    return training_file.rebuild(training_set, rows(training_set))


def whole_file(training_set: TrainingSet) -> Path:
    """The file of the rows, read through and found to be what was frozen, else fetched or written anew. Raises InputError."""
    if training_file.is_whole(training_set) or training_file.fetch(training_set):
        return training_file.path(training_set)
    return training_file.rebuild(training_set, rows(training_set))
