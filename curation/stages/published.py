"""Published outputs as an evaluation: a run without a model, whose items are scored at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction

from curation.models import Benchmark, EvaluationItem, Iteration, Project, Role, Run, Stage, User
from curation.models.runs import RunPurpose
from curation.models.shards import StageKind
from curation.stages import benchmarks, evaluation, events, pool, running, scores
from curation.stages.copying import copy_rows, json_text
from curation.stages.evaluating import check_data, run_name
from curation.stages.people import require
from toolcalls.benchmarks.catalogue import Benchmark as ReadBenchmark
from toolcalls.benchmarks.outputs import Outputs, missing_by_category, read_published
from toolcalls.benchmarks.scoring import Judged, Missing, judge_outputs
from toolcalls.settings import Settings, settings_json


@transaction.atomic
def store_outputs(
    project: Project,
    benchmark: Benchmark,
    source: Path,
    *,
    mode: str | None = None,
    missing: Missing = "refuse",
    name: str = "",
    by: User | None = None,
) -> Run:
    """Score a file or a folder of one model's published outputs on a benchmark; the run that holds them has ended.

    Raises InputError for what cannot be read, unknown ids, ids given twice, and missing outputs that are refused.
    """
    require(by, project.team, Role.ENGINEER)
    check_data(project, benchmark.revision)
    versions = tuple(pool.listed(benchmark.pk).order_by("pk").values_list("pk", flat=True))
    items = benchmarks.items(benchmark.pk, versions)
    read = ReadBenchmark(benchmark.revision.dataset.benchmark, tuple(items.values()), (), benchmark.digest)
    outputs = read_published(source, read.items, mode)
    judged = judge_outputs(read, outputs, missing)
    run = _run(project, benchmark, run_name(name, f"{source.name} on {benchmark}"), judged.n, by)
    _store(run, {item.id: version for version, item in items.items()}, judged, _told(source, read, outputs, missing))
    running.start_run(run)
    return run


def _run(project: Project, benchmark: Benchmark, name: str, turns: int, by: User | None) -> Run:
    run = Run.objects.create(
        project=project,
        dataset_id=benchmark.revision.dataset_id,
        revision=benchmark.revision,
        purpose=RunPurpose.EVALUATION,
        name=name,
        settings=settings_json(Settings(refine_turns=turns)),
        created_by=by,
    )
    events.record("run.create", run, actor=by, after={"revision": benchmark.pk, "model": "published outputs", "evaluates": True})
    return run


def _store(run: Run, versions: Mapping[str, int], judged: Judged, told: dict[str, Any]) -> None:
    """Before the run starts: its evaluation finds nothing left to ask."""
    iteration = Iteration.objects.create(run=run, number=0)
    Stage.objects.create(iteration=iteration, kind=StageKind.EVALUATION, position=0)
    rows = (
        (iteration.pk, run.revision_id, versions[traced.id], "", *evaluation.row_of(traced, counted=False))
        for traced in judged.traced
    )
    copy_rows(EvaluationItem, evaluation.COLUMNS, rows)
    scores.summarise(run, iteration, told)


def _told(source: Path, read: ReadBenchmark, outputs: Outputs, missing: Missing) -> dict[str, Any]:
    """What the evaluation says of where its answers come from; no absolute path. Names are told as Postgres can hold them."""
    told = {
        "source": source.name,
        "sha256": _sha256(_files(source)),
        "mode": outputs.mode,
        "answers": len(outputs.given),
        "failed": len(outputs.failed),
        "passed_over": dict(outputs.passed_over),
        "missing": missing_by_category(read.items, outputs),
        "missing_wrong": missing == "wrong",
    }
    return dict(json.loads(json_text(told)))


def _files(source: Path) -> Iterator[tuple[str, Path]]:
    if not source.is_dir():
        yield source.name, source
        return
    for path in sorted(source.rglob("*.json*")):
        if path.is_file():
            yield path.relative_to(source).as_posix(), path


def _sha256(files: Iterator[tuple[str, Path]]) -> str:
    """Over names and contents."""
    listed: Sequence[str] = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in files]
    return hashlib.sha256("".join(listed).encode()).hexdigest()
