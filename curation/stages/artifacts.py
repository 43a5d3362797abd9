"""Where models lie: rows hold relative paths, this file alone turns them into folders and back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from curation.models import Base, Checkpoint, Iteration, Run
from curation.models.checkpoints import CheckpointKind
from curation.stages.errors import InputError


def base_dir(base: Base) -> Path:
    """The folder of a registered base. Raises InputError when it is gone or leads out of MODEL_ROOTS."""
    for root in settings.MODEL_ROOTS:
        folder = Path(root, base.path)
        if (folder / "config.json").is_file():
            return within([root], folder, f"base {base.name}")
    roots = ", ".join(str(root) for root in settings.MODEL_ROOTS)
    raise InputError(f"base {base.name}: no model at {base.path} under MODEL_ROOTS ({roots}); put it back or register it anew")


def checkpoint_dir(checkpoint: Checkpoint) -> Path:
    """The folder of a checkpoint under ARTIFACTS_ROOT."""
    return path_of(checkpoint.uri)


def run_dir(run: Run, iteration_number: int, token: int) -> Path:
    """Where attempt `token` of an iteration's training writes; no two attempts share it. Not made here."""
    return path_of(f"runs/{run.pk}/iteration-{iteration_number}/attempt-{token}")


def merged_checkpoint(run: Run, iteration_number: int) -> Checkpoint | None:
    """The merged checkpoint of iteration t of a run, None for t = 0 (the base).

    Raises Checkpoint.DoesNotExist when that iteration has not been trained.
    """
    if iteration_number == 0:
        return None
    return Checkpoint.objects.get(run=run, iteration__number=iteration_number, kind=CheckpointKind.MERGED)


def model_dir(run: Run, checkpoint: Checkpoint | None) -> Path:
    """The folder to load: the checkpoint's, or the run's base when it is None."""
    return base_dir(run.base) if checkpoint is None else checkpoint_dir(checkpoint)


def sampling_checkpoint(iteration: Iteration) -> Checkpoint | None:
    """The checkpoint that samples, refines and is trained further in iteration t ≥ 1: t − 1's; None for the base."""
    return merged_checkpoint(iteration.run, iteration.number - 1)


def evaluated_checkpoint(iteration: Iteration) -> Checkpoint | None:
    """The checkpoint that iteration t evaluates: its own; None (the base) for t = 0."""
    return merged_checkpoint(iteration.run, iteration.number)


def uri_of(path: Path) -> str:
    """A path under ARTIFACTS_ROOT as a row keeps it. Raises InputError for any other path."""
    root = Path(settings.ARTIFACTS_ROOT).resolve()
    return within([root], path, "artifact").relative_to(root).as_posix()


def path_of(uri: str) -> Path:
    """The inverse of uri_of. Raises InputError when the uri leads out of ARTIFACTS_ROOT."""
    return within([settings.ARTIFACTS_ROOT], Path(settings.ARTIFACTS_ROOT, uri), "artifact")


def within(roots: Iterable[Path], path: Path, what: str) -> Path:
    """The real path, links followed, when it is one of `roots` or lies in one; `what` names it in the InputError."""
    real = path.resolve()
    places = [Path(root).resolve() for root in roots]
    if any(real == place or place in real.parents for place in places):
        return real
    raise InputError(f"{what}: {path} lies outside of {', '.join(map(str, places))}; move it there")
