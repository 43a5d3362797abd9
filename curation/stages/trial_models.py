"""Who can be tried: what a project's runs have trained, a registered base, or a server that has a model of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.models import Base, Checkpoint, Engine, Iteration, Project, Run
from curation.models.checkpoints import CheckpointKind
from curation.models.registry import EngineKind
from curation.stages.artifacts import base_dir
from curation.stages.errors import InputError
from toolcalls.settings import Settings

LISTED = 100  # models of a project's runs to choose from, the newest
USUAL = (EngineKind.VLLM, EngineKind.TRANSFORMERS, EngineKind.SCRIPTED)  # where no run says which


@dataclass(frozen=True, slots=True)
class Model:
    """Neither a base nor a checkpoint: the engine's model is its own."""

    base: Base | None
    checkpoint: Checkpoint | None
    engine: Engine
    settings: Settings

    def __str__(self) -> str:
        return name_of(self.base, self.checkpoint, self.engine)


def name_of(base: Base | None, checkpoint: Checkpoint | None, engine: Engine) -> str:
    """A checkpoint's run and iteration must be loaded."""
    if checkpoint is not None:
        return f"iteration {checkpoint.iteration.number} of {checkpoint.run.name}"
    return f"base {base.name}" if base is not None else str(engine)


def trained(project: Project) -> Sequence[Checkpoint]:
    """The merged models of the project's runs whose files are not gone, with run and iteration, the newest first."""
    found = Checkpoint.objects.filter(run__project=project, kind=CheckpointKind.MERGED, removed_at=None)
    return list(found.select_related("run__base", "run__engine", "iteration").order_by("-pk")[:LISTED])


def of_iteration(iteration: Iteration, engine: Engine | None = None) -> Model:
    """The model that an iteration trained, or for iteration 0 the base; by the run's engine where none is given."""
    if iteration.number == 0:
        return of_base(iteration.run.project, iteration.run.base, engine)
    found = Checkpoint.objects.filter(iteration=iteration, kind=CheckpointKind.MERGED)
    checkpoint = found.select_related("run__base", "run__engine", "iteration").first()
    if checkpoint is None:
        raise InputError(f"iteration {iteration.number} of {iteration.run.name} has trained no model; choose another")
    return of_checkpoint(checkpoint, engine)


def of_checkpoint(checkpoint: Checkpoint, engine: Engine | None = None) -> Model:
    """Raises InputError when its files are gone."""
    run = checkpoint.run
    if checkpoint.removed_at is not None:
        raise InputError(
            f"the files of iteration {checkpoint.iteration.number} of {run.name} have gone, as old ones do; choose another model"
        )
    return _on(engine or run.engine, run.choices, run.base, checkpoint)


def of_base(project: Project, base: Base, engine: Engine | None = None) -> Model:
    """With the settings, and where none is given the engine, of the project's newest run on it."""
    run = _newest_run(project, base)
    chosen = engine or (run.engine if run is not None else _usual_engine())
    base_dir(base)
    return _on(chosen, run.choices if run is not None else Settings(), base, None)


def of_server(engine: Engine) -> Model:
    """Raises InputError for an engine that has no model of its own."""
    if engine.kind != EngineKind.OPENAI:
        raise InputError(f"engine {engine} has no model of its own; choose a base or what a run has trained")
    return Model(None, None, engine, Settings())


def _on(engine: Engine, settings: Settings, base: Base, checkpoint: Checkpoint | None) -> Model:
    if engine.only_selects:
        raise InputError(f"engine {engine} cannot load {base} nor what was trained on it; choose another engine")
    split = settings.engine_tensor_parallel if engine.kind == EngineKind.VLLM else 1
    return Model(None if checkpoint else base, checkpoint, engine, replace(settings, engine_tensor_parallel=split))


def _newest_run(project: Project, base: Base) -> Run | None:
    runs = Run.objects.filter(project=project, base=base).exclude(engine__kind__in=(EngineKind.OPENAI, EngineKind.IMPORTED))
    return runs.select_related("engine").order_by("-pk").first()


def _usual_engine() -> Engine:
    engines = {engine.kind: engine for engine in Engine.objects.filter(kind__in=USUAL).order_by("-pk")}
    found = next((engines[kind] for kind in USUAL if kind in engines), None)
    if found is None:
        raise InputError("the operator has registered no engine that loads a model: python manage.py register_engine")
    return found
