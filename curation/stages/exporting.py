"""Exporting: an iteration's training set as lines that trainers read, streamed; into a file all of it or nothing."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from curation.models import Iteration, Role, Run, TrainingSet, User
from curation.stages import assembly, events
from curation.stages.errors import InputError
from curation.stages.people import require
from toolcalls.exporting import trl_line, whetstone_line
from toolcalls.records import TrainingRow

LINES: Mapping[str, Callable[[TrainingRow], str]] = {"whetstone": whetstone_line, "trl": trl_line}
PROGRESS_ROWS = 500  # rows between two reports of progress
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an exported file holds and where it comes from; written beside it as NAME.manifest.json."""

    file: str
    format: str
    sha256: str  # of the file
    bytes: int
    rows: int
    direct: int
    refine: int
    training_set_sha256: str
    run: int
    iteration: int
    dataset: str
    revision: int
    revision_sha256: str
    base: str
    base_sha256: str
    settings: dict[str, Any]


def find_iteration(run: Run, number: int) -> Iteration:
    """Raises InputError when the run has no such iteration."""
    iteration = Iteration.objects.filter(run=run, number=number).select_related("run__project__team").first()
    if iteration is None:
        last = Iteration.objects.filter(run=run).order_by("-number").values_list("number", flat=True).first()
        there = "it has not begun" if last is None else f"its last is {last}"
        raise InputError(f"run {run.pk} has no iteration {number}; {there}")
    return iteration


def export_lines(iteration: Iteration, format: str = "whetstone", by: User | None = None) -> Iterator[str]:  # noqa: A002
    """One line per training row, in the order of training, without the newline; a chunk of rows is held at a time.

    Raises InputError, before the first line, for an unknown format, for an iteration without a training set, and when its rows
    can no longer be rebuilt as they were frozen.
    """
    require(by, iteration.run.project.team, Role.VIEWER)
    line, frozen = _line_of(format), _training_set(iteration)
    assembly.verify(frozen)
    return (line(row) for row in assembly.rows(frozen))


def export_file(
    iteration: Iteration,
    path: Path,
    format: str = "whetstone",  # noqa: A002
    *,
    by: User | None = None,
    on_progress: Progress | None = None,
) -> Manifest:
    """Write the lines to `path` and their manifest beside it; what stood there is replaced once both are complete.

    Raises InputError, with nothing left behind, when they cannot be written.
    """
    lines = export_lines(iteration, format, by)
    frozen = _training_set(iteration)
    beside = path.with_name(path.name + ".manifest.json")
    drafts: list[Path] = []
    try:
        with _draft(path, drafts) as file:
            sha256, size, rows = _write(lines, file, on_progress)
        manifest = _manifest(frozen, path.name, format, sha256, size, rows)
        with _draft(beside, drafts) as file:
            file.write(json.dumps(asdict(manifest), indent=2, ensure_ascii=False).encode() + b"\n")
            _flush(file)
        for draft, final in zip(drafts, (path, beside), strict=True):
            draft.replace(final)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        for draft in drafts:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
    after = {"format": format, "rows": rows, "sha256": sha256}
    events.record("iteration.export", iteration, actor=by, after=after)
    return manifest


def _line_of(kind: str) -> Callable[[TrainingRow], str]:
    if kind not in LINES:
        raise InputError(f"format {kind!r} is unknown; choose one of {', '.join(LINES)}")
    return LINES[kind]


def _training_set(iteration: Iteration) -> TrainingSet:
    found = TrainingSet.objects.filter(iteration=iteration).select_related("iteration__run").first()
    if found is None:
        why = "iteration 0 only evaluates the base" if not iteration.number else f"it is {iteration.state}"
        raise InputError(
            f"iteration {iteration.number} of run {iteration.run_id} has no training set ({why}); choose another one"
        )
    return found


def _draft(final: Path, drafts: list[Path]) -> IO[bytes]:
    """A new file in the folder of `final`, noted in `drafts`."""
    draft = final.with_name(f".{final.name}.{secrets.token_hex(4)}.partial")
    drafts.append(draft)
    return draft.open("xb")


def _write(lines: Iterator[str], file: IO[bytes], on_progress: Progress | None) -> tuple[str, int, int]:
    """(sha256, bytes, rows) of what was written."""
    digest, size, rows = hashlib.sha256(), 0, 0
    for rows, line in enumerate(lines, 1):
        data = line.encode() + b"\n"
        file.write(data)
        digest.update(data)
        size += len(data)
        if on_progress and rows % PROGRESS_ROWS == 0:
            on_progress(rows)
    _flush(file)
    return digest.hexdigest(), size, rows


def _flush(file: IO[bytes]) -> None:
    """A full disk may say so only here."""
    file.flush()
    os.fsync(file.fileno())


def _manifest(frozen: TrainingSet, file: str, kind: str, sha256: str, size: int, rows: int) -> Manifest:
    run = frozen.iteration.run
    return Manifest(
        file=file,
        format=kind,
        sha256=sha256,
        bytes=size,
        rows=rows,
        direct=frozen.direct,
        refine=frozen.refine,
        training_set_sha256=frozen.sha256,
        run=run.pk,
        iteration=frozen.iteration.number,
        dataset=run.dataset.slug,
        revision=run.revision.number,
        revision_sha256=run.revision.sha256,
        base=run.base.name,
        base_sha256=run.base.sha256,
        settings=run.settings,
    )


def _unwritable(path: Path, error: OSError) -> InputError:
    if error.errno == errno.ENOSPC:
        advice = "free some space, or choose a folder on another disk"
    elif error.errno == errno.ENOENT:
        advice = "make its folder first"
    else:
        advice = "choose a folder that you may write to"
    return InputError(f"{path} cannot be written: {error.strerror or error}; {advice}. Nothing was left there")
