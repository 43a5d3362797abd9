"""Exporting: a training set, a pool or refine pairs as lines, streamed, each with a record of exactly what was sent."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from django.db import transaction
from django.utils import timezone

from curation.models import Export, Iteration, Role, Run, TrainingSet, User
from curation.models.exports import ExportKind, ExportState
from curation.stages import assembly, events, export_blocks
from curation.stages.errors import InputError, WrongState
from curation.stages.export_blocks import TURNS, Blocks
from curation.stages.export_manifest import manifest_of
from curation.stages.filtering import VerdictFilter, filter_from, filter_query
from curation.stages.people import require

BEAT = 10.0  # seconds between two times that a stream says it is there

FORMATS: Mapping[str, tuple[str, ...]] = {
    ExportKind.TRAINING_SET: ("whetstone", "trl"),
    ExportKind.POOL: ("whetstone",),
    ExportKind.PAIRS: ("whetstone",),
}


def find_iteration(run: Run, number: int) -> Iteration:
    """Raises InputError when the run has no such iteration."""
    iteration = Iteration.objects.filter(run=run, number=number).select_related("run__project__team").first()
    if iteration is None:
        last = Iteration.objects.filter(run=run).order_by("-number").values_list("number", flat=True).first()
        there = "it has not begun" if last is None else f"its last is {last}"
        raise InputError(f"run {run.pk} has no iteration {number}; {there}")
    return iteration


@transaction.atomic
def begin(
    iteration: Iteration,
    kind: str = ExportKind.TRAINING_SET,
    format: str = "whetstone",  # noqa: A002
    f: VerdictFilter | None = None,
    by: User | None = None,
) -> Export:
    """Note what is to be exported, ready to be streamed once. Without a filter a pool or pairs are exported whole.

    Raises InputError for an unknown kind or format, a filter that does not fit, an iteration that has no such thing, and a
    training set whose file is lost and whose rows can no longer be rebuilt as they were frozen.
    """
    require(by, iteration.run.project.team, Role.VIEWER)
    _check(kind, format, f)
    if kind == ExportKind.TRAINING_SET:
        assembly.usable_file(training_set_of(iteration))
    elif not iteration.number:
        raise InputError(f"iteration 0 of run {iteration.run_id} only evaluates the base: it has no {kind}; choose another one")
    filters = {} if f is None else parse_qs(filter_query(f), keep_blank_values=True)
    export: Export = Export.objects.create(iteration=iteration, kind=kind, format=format, filters=filters, by=by)
    after = {"iteration": iteration.number, "kind": str(kind), "format": format, "filters": filters}
    events.record("export.begin", export, run_id=iteration.run_id, actor=by, after=after)
    return export


def _check(kind: str, format: str, f: VerdictFilter | None) -> None:  # noqa: A002
    if kind not in FORMATS:
        raise InputError(f"nothing of kind {kind!r} can be exported; choose one of {', '.join(FORMATS)}")
    if format not in FORMATS[kind]:
        raise InputError(f"format {format!r} is unknown; choose one of {', '.join(FORMATS[kind])}")
    if f is not None and kind not in TURNS:
        raise InputError("a training set is exported whole: leave the filter out")
    if f is not None and f.turn != TURNS[kind]:
        raise InputError(f"this filter is of turn {f.turn}, {kind} are of turn {TURNS[kind]}")


def training_set_of(iteration: Iteration) -> TrainingSet:
    """Raises InputError when the iteration has none."""
    found = TrainingSet.objects.filter(iteration=iteration).select_related("iteration__run").first()
    if found is None:
        why = "iteration 0 only evaluates the base" if not iteration.number else f"it is {iteration.state}"
        raise InputError(
            f"iteration {iteration.number} of run {iteration.run_id} has no training set ({why}); choose another one"
        )
    return found


def stream(export: Export) -> Stream:
    """The bytes of an export that has begun, a block at a time; read it to its end, or close it."""
    if export.state != ExportState.STREAMING:
        raise WrongState(f"export {export.pk} is {export.state}; begin another one")
    if export.kind == ExportKind.TRAINING_SET:
        return Stream(export, export_blocks.training_set(training_set_of(export.iteration), export.format))
    f = filter_from(export.filters, TURNS[export.kind])
    return Stream(export, export_blocks.verdicts(export.iteration, f))


class Stream(Iterator[bytes]):
    """Blocks of whole lines. Its end makes the export complete, with the manifest of what was given out; a fault, or closing
    it earlier, aborts the export. Between two blocks it holds neither a transaction nor a lock. Raises WrongState when it was
    given up meanwhile, because its reader had taken no block for so long (curation.stages.export_sweep)."""

    def __init__(self, export: Export, blocks: Blocks) -> None:
        self.rows = 0
        self._export, self._blocks = export, blocks
        self._digest, self._bytes = hashlib.sha256(), 0
        self._beat_at = time.monotonic()

    def __next__(self) -> bytes:
        try:
            self._beat()
            block = next(self._blocks)
        except StopIteration:
            self._end(ExportState.COMPLETE)
            raise
        except BaseException as error:
            self._end(ExportState.ABORTED, why=str(error) or type(error).__name__)
            raise
        self._digest.update(block)
        self._bytes += len(block)
        self.rows += block.count(b"\n")
        return block

    def close(self) -> None:
        """End it where it is; harmless after its end."""
        self._blocks.close()
        self._end(ExportState.ABORTED, why="its reader went away")

    def _beat(self) -> None:
        """Say now and then that it is there. Raises WrongState when it was given up meanwhile."""
        if time.monotonic() - self._beat_at < BEAT or self._export.state != ExportState.STREAMING:
            return
        self._beat_at = time.monotonic()
        if not self._moved(heard_at=timezone.now()):
            raise self._given_up()

    def _end(self, state: str, why: str = "") -> None:
        export = self._export
        if export.state != ExportState.STREAMING:
            return
        export.state, export.ended_at = state, timezone.now()
        export.rows, export.bytes, export.sha256 = self.rows, self._bytes, self._digest.hexdigest()
        export.manifest = manifest_of(export)
        after = {"rows": self.rows, "bytes": self._bytes, "sha256": export.sha256}
        with transaction.atomic():
            if self._moved(state=state, ended_at=export.ended_at, manifest=export.manifest, **after):
                verb = "export.complete" if state == ExportState.COMPLETE else "export.abort"
                events.record(verb, export, run_id=export.iteration.run_id, actor=export.by, after=after, why=why)
            elif state == ExportState.COMPLETE:
                raise self._given_up()

    def _moved(self, **values: Any) -> bool:
        return bool(Export.objects.streaming().filter(pk=self._export.pk).update(**values))

    def _given_up(self) -> WrongState:
        self._export.state = ExportState.ABORTED
        return WrongState(f"export {self._export.pk} was given up: its reader took no block for too long; begin another one")
