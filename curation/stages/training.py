"""Training: the job an iteration's trainer gets, its progress, and the publishing of what it made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from curation.models import Checkpoint, Iteration, TrainingSet, TrainingStep
from curation.models.checkpoints import CheckpointKind
from curation.stages import artifacts, assembly, loop, masks, points, sweeping
from curation.stages.copying import json_text
from curation.stages.jobs import WrongResults
from curation.stages.model_folder import weights_sha256
from curation.stages.shards import Claim, fence, held
from curation.storage.store import Check, go_on
from toolcalls.settings import Training

STEP_FIELDS = ("steps", "loss", "learning_rate", "grad_norm", "tokens", "tokens_per_second", "memory_bytes")


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What a trainer needs. `out_dir` does not exist yet. The names of it and of `points` carry the token: none are shared."""

    rows: Path  # the frozen rows as JSON lines
    model: Path  # what is trained
    adapter: Path | None  # to go on with, on that model
    settings: Training
    seed: int
    out_dir: Path
    points: Path  # where this attempt keeps what a killed training goes on from
    earlier_points: tuple[Path, ...]  # of the attempts before, on this host
    stored_point: str  # address in the store of the last one of any host; empty: none


def job(claim: Claim) -> TrainingJob:
    """The training of the claim's iteration.

    Raises LostLease, and InputError when the file of the rows is lost and they cannot be rebuilt as they were frozen.
    """
    training_set = _training_set(claim)
    rows = assembly.whole_file(training_set)
    with held(claim):
        out = out_dir(claim)
    earlier = tuple(points_of(out.with_name(f"attempt-{token}")) for token in range(1, claim.attempt))
    model, adapter = _trained_on(claim)
    here = tuple(path for path in earlier if path.is_dir())
    return TrainingJob(
        rows, model, adapter, claim.settings.training, claim.run_seed, out, points_of(out), here, points.last(claim)
    )


def _trained_on(claim: Claim) -> tuple[Path, Path | None]:
    """The model of the iteration before; where its adapter is continued, the run's base and that adapter, from iteration 2 on."""
    if claim.settings.training.adapter == "new" or claim.checkpoint_id is None:
        return claim.model, None
    adapter = Checkpoint.objects.select_related("run__base").get(
        run_id=claim.run_id, iteration__number=claim.iteration_number - 1, kind=CheckpointKind.ADAPTER
    )
    return artifacts.base_dir(adapter.run.base), artifacts.checkpoint_dir(adapter)


def points_of(out: Path) -> Path:
    """Where the attempt that writes `out` keeps its points; removed with all that was not published."""
    return out.with_name(f"{out.name}.points")


def out_dir(claim: Claim) -> Path:
    """Where this attempt of the training writes."""
    run = Iteration.objects.select_related("run").get(pk=claim.iteration_id).run
    return artifacts.run_dir(run, claim.iteration_number, claim.attempt)


def _training_set(claim: Claim) -> TrainingSet:
    return TrainingSet.objects.select_related("iteration__run").get(iteration_id=claim.iteration_id)


def begin_after(claim: Claim, step: int) -> None:
    """Forget the steps after `step` that an earlier attempt reported: they are made again. Raises LostLease."""
    with held(claim):
        TrainingStep.objects.filter(iteration_id=claim.iteration_id, step__gt=step).delete()


def progress(claim: Claim, line: Mapping[str, Any]) -> None:
    """Record one optimiser step as the trainer reported it. Raises LostLease: a late attempt does not overwrite another's."""
    step = TrainingStep(
        iteration_id=claim.iteration_id, step=line["step"], **{name: line.get(name) for name in STEP_FIELDS}
    )  # fmt: skip
    with held(claim):
        TrainingStep.objects.bulk_create(
            [step], update_conflicts=True, unique_fields=["iteration", "step"], update_fields=[*STEP_FIELDS, "at"]
        )


def publish(claim: Claim, folder: Path, report: Mapping[str, Any], check: Check = go_on) -> None:
    """Put what attempt `claim.attempt` wrote into the store, make it the iteration's checkpoints, and end the shard. Then the
    merged model goes into this host's cache, and the folders of this and all other attempts go.

    Raises WrongResults when the files are not those of the report or of the frozen training set, StoreError, LostLease when
    the shard is no longer this claim's: its folder then stays unpublished. `check` stops the storing by raising.
    """
    training_set = _training_set(claim)
    if folder.resolve() != out_dir(claim).resolve():
        raise WrongResults(f"{folder} is not the folder of attempt {claim.attempt}")
    meta = _checked_meta(folder, report, training_set)
    stored, tokens = _stored(folder, _kinds(report), check), _stored_tokens(folder, check)
    with transaction.atomic():
        loop.locked(claim.run_id)  # before the shard, as everywhere: the new rows refer to the run
        with fence(claim, rows=report["rows"], too_long=report["too_long"]):
            sweeping.hold_store()
            artifacts.check_stored([*stored.values(), tokens])
            made = [_write_checkpoint(claim, kind, uri, meta) for kind, uri in stored.items()]
            TrainingSet.objects.filter(pk=training_set.pk).update(too_long=report["too_long"], tokens_uri=tokens)
            point = points.replace(claim.iteration_id, "")
        transaction.on_commit(partial(_clear, folder, made), robust=True)
        transaction.on_commit(partial(points.forget, point), robust=True)


def _stored(folder: Path, kinds: Sequence[str], check: Check) -> dict[str, str]:
    """The address of each kind; none of a merged model that every host is to merge for itself."""
    merges = CheckpointKind.ADAPTER in kinds and not settings.ARTIFACTS_MERGED
    return {
        kind: "" if merges and kind == CheckpointKind.MERGED else artifacts.publish(folder / kind, _names(folder / kind), check)
        for kind in kinds
    }


def _stored_tokens(folder: Path, check: Check) -> str:
    names = [name for name in (masks.ROWS, masks.INDEX) if (folder / name).is_file()]
    return artifacts.publish(folder, names, check) if names else ""


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def _kinds(report: Mapping[str, Any]) -> list[str]:
    """What was trained: no adapter where every weight was."""
    return [kind for kind in CheckpointKind.values if report[f"{kind}_sha256"] is not None]


def _checked_meta(folder: Path, report: Mapping[str, Any], training_set: TrainingSet) -> dict[str, Any]:
    """The folder's meta.json with the report, once the files are found to be what both say."""
    for kind in _kinds(report):
        wanted, found = report[f"{kind}_sha256"], weights_sha256(folder / kind)
        if found != wanted:
            raise WrongResults(f"{folder / kind} has the sha256 {found}, the trainer reported {wanted}; it is trained again")
    if report["rows"] + report["too_long"] != training_set.direct + training_set.refine:
        raise WrongResults(
            f"the trainer saw {report['rows'] + report['too_long']} rows of {training_set.direct + training_set.refine}"
        )
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    if meta.get("training_set_sha256") != training_set.sha256:
        raise WrongResults(f"{folder} was trained on another set than the one that was frozen")
    plain: dict[str, Any] = json.loads(json_text({**meta, "report": dict(report)}))  # a loss may be NaN, which jsonb refuses
    return plain


def _write_checkpoint(claim: Claim, kind: str, uri: str, meta: dict[str, Any]) -> Checkpoint:
    made: Checkpoint = Checkpoint.objects.create(
        run_id=claim.run_id,
        iteration_id=claim.iteration_id,
        parent_id=claim.checkpoint_id if claim.settings.training.adapter == "new" else None,
        kind=kind,
        uri=uri,
        sha256=meta[f"{kind}_sha256"],
        meta=meta,
    )
    return made


def _clear(folder: Path, made: Sequence[Checkpoint]) -> None:
    """Keep what was made at hand, and remove the folders of all attempts of this training."""
    try:
        for checkpoint in made:
            artifacts.keep(checkpoint, folder / checkpoint.kind)
    finally:
        for attempt in folder.parent.glob("attempt-*"):
            shutil.rmtree(attempt, ignore_errors=True)
