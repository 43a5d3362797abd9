"""Imported generations: answers from elsewhere come in, file by file, as the output of the engine that a stage waits for.

A file is kept whole or not at all. Not in charge of judging: once a stage has all that it waits for, the workers take its shards
as any other's, and find their answers here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, NamedTuple

from django.db import connection, transaction

from curation.models import ImportedAnswer, Role, Run, Shard, Stage, User
from curation.models.shards import StageState
from curation.stages import events
from curation.stages.batch_requests import kept, keys_of, requests_of, turn_of, waiting_stage
from curation.stages.errors import InputError, WrongState
from curation.stages.imported_lines import Taken, Taking
from curation.stages.jobs import GREEDY_ATTEMPT
from curation.stages.people import require
from curation.stages.shards import Claim
from curation.stages.waking import wake
from toolcalls.outputs import FORMATS
from toolcalls.records import Generation

SHOWN_MISSING = 10  # samples that lack attempts


class Missing(NamedTuple):
    """A sample that lacks attempts."""

    key: str
    attempts: int  # that are here
    asked: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a run waits for, in attempts. `missing` are the first samples that lack some."""

    turn: str
    arrived: int
    awaited: int
    missing: tuple[Missing, ...]


@dataclass(slots=True)
class Imported(Taken):
    """What an import did; `waiting` is None once the stage goes on."""

    arrived: int = 0
    awaited: int = 0
    waiting: Waiting | None = None


def expecting(run: Run, by: User | None) -> Stage:
    """The stage that waits for what somebody wants to import. Raises NotPermitted, and WrongState when none does."""
    require(by, run.project.team, Role.ENGINEER)
    return waiting_stage(run)


def import_generations(
    run: Run,
    files: Sequence[tuple[str, IO[bytes]]],
    *,
    format: str = "auto",  # noqa: A002
    attempt: int = 0,
    skip_errors: bool = False,
    allow_missing: bool = False,
    start_over: bool = False,
    by: User | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Imported:
    """Take answers to the stage that the run waits in, from named files: all of their lines or none.

    In a file that does not name attempts (BFCL's) every answer is attempt `attempt`, in the next file the one after. Once all
    attempts are here the stage goes on; with `allow_missing` it goes on now, each sample judged on the attempts it has.
    `start_over` forgets what was imported for the stage before. `on_progress` gets the lines read so far.
    Raises InputError, with nothing taken, for lines that cannot be used unless `skip_errors`, WrongState when the run waits for
    nothing, or another import of it is under way.
    """
    if format not in ("auto", *FORMATS):
        raise InputError(f"unknown format {format!r}; known are auto, {', '.join(FORMATS)}")
    with transaction.atomic():
        stage = expecting(run, by)
        _alone(stage)
        if start_over:
            ImportedAnswer.objects.filter(stage=stage).delete()
        report = Imported()
        for place, (name, file) in enumerate(files):
            Taking(stage, report, f"{name}, " if len(files) > 1 else "", attempt + place, on_progress).take(file, format)
        _refuse(report, files, skip_errors=skip_errors)
        _settle(stage, report, allow_missing=allow_missing)
        _record(stage, report, [name for name, _ in files], by)
    return report


def _record(stage: Stage, report: Imported, files: Sequence[str], by: User | None) -> None:
    after = {
        "iteration": stage.iteration.number,
        "turn": turn_of(stage),
        "files": list(files),
        "taken": report.taken,
        "left_out": report.left_out,
        "arrived": report.arrived,
        "awaited": report.awaited,
        "goes_on": report.waiting is None,
    }
    events.record("generations.import", stage, run_id=stage.iteration.run_id, actor=by, after=after)


def _alone(stage: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('import_generations'), %s)", [stage.pk])
        if not cursor.fetchone()[0]:
            raise WrongState(f"generations of run {stage.iteration.run_id} are being imported; try again when that is done")


def _refuse(report: Imported, files: Sequence[object], *, skip_errors: bool) -> None:
    if report.left_out and not skip_errors:
        more = f"\nand {report.left_out - len(report.errors):,} more" if report.left_out > len(report.errors) else ""
        lines = "\n".join(report.errors)
        many = f"{report.left_out:,} lines" if report.left_out > 1 else "a line"
        raise InputError(f"nothing was imported, {many} cannot be used (--skip-errors leaves them out):\n{lines}{more}")
    if files and not report.taken and not report.left_out:
        raise InputError("nothing was imported: there is no answer in it")


def _settle(stage: Stage, report: Imported, *, allow_missing: bool) -> None:
    """Count what is here, and let the stage go on when that is enough."""
    report.arrived, report.awaited = ImportedAnswer.objects.filter(stage=stage).count(), stage.awaited
    goes_on = report.arrived >= stage.awaited or (allow_missing and report.arrived > 0)
    if allow_missing and not goes_on:
        raise InputError("no answer was imported yet: there is nothing to judge")
    mine = Stage.objects.filter(pk=stage.pk, state=StageState.RUNNING, awaited=stage.awaited)
    if not mine.update(arrived=report.arrived, awaited=None if goes_on else stage.awaited):
        raise WrongState(f"run {stage.iteration.run_id} waits no more; nothing was imported")
    if goes_on:
        shards = list(Shard.objects.filter(stage=stage).values_list("pk", flat=True))
        transaction.on_commit(partial(wake, shards), robust=True)
    else:
        stage.arrived = report.arrived
        report.waiting = waiting(stage)


def waiting(stage: Stage) -> Waiting:
    """How many attempts are here, and the first samples that lack some."""
    lacking: list[Missing] = []
    for versions in list(stage.shards.order_by("number").values_list("versions", flat=True)):
        lacking += _lacking(stage, versions)
        if len(lacking) >= SHOWN_MISSING:
            break
    return Waiting(turn_of(stage), stage.arrived, stage.awaited, tuple(lacking[:SHOWN_MISSING]))


def _lacking(stage: Stage, versions: Sequence[int]) -> list[Missing]:
    asked, here = Counter[int](), Counter(kept(stage, versions).values_list("version_id", flat=True))
    for request in requests_of(stage, versions):
        asked[abs(int(request.id))] += len(request.seeds)
    short = {version: wanted for version, wanted in asked.items() if here[version] < wanted}
    keys = keys_of(list(short)) if short else {}
    return [Missing(keys[version], here[version], wanted) for version, wanted in short.items()]


def answers(claim: Claim) -> dict[int, list[Generation]]:
    """What was imported for a shard, as an engine would give it: by the number of the request, in order of the attempts."""
    stage = Shard.objects.values_list("stage_id", flat=True).get(pk=claim.shard_id)
    found: dict[int, list[Generation]] = defaultdict(list)
    rows = ImportedAnswer.objects.filter(stage=stage, version_id__in=claim.versions).order_by("version_id", "attempt")
    for row in rows:
        greedy = row.attempt == GREEDY_ATTEMPT
        generation = Generation(
            attempt=0 if greedy else row.attempt,
            seed=row.seed,
            text=row.text,
            finish_reason=row.finish_reason,
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
            prompt_hash="",
        )
        found[-row.version_id if greedy else row.version_id].append(generation)
    return dict(found)
