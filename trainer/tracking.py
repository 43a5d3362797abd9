"""A training's steps for those who follow it elsewhere: TensorBoard's files, MLflow, Weights & Biases; each a package of its own.

What is sent: each step's numbers, the settings of the training, the hash of its rows. No sample, no text, no path.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib.util
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from toolcalls.assembly import training_set_hash
from toolcalls.records import TrainingRow
from toolcalls.settings import Settings, settings_json
from trainer.jsonl import OutputError

if TYPE_CHECKING:
    from trainer.supervised import Progress

log = logging.getLogger(__name__)

PROJECT = "whetstone"  # of W&B and experiment of MLflow, unless WANDB_PROJECT or MLFLOW_EXPERIMENT_NAME says otherwise
_PACKAGES = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb"}
TRACKERS = tuple(_PACKAGES)
_PROXIES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
)
ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "tensorboard": (),
    "mlflow": (
        "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN",
        "MLFLOW_EXPERIMENT_NAME", "MLFLOW_ALLOW_FILE_STORE", *_PROXIES,
    ),
    "wandb": ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_ENTITY", "WANDB_PROJECT", "WANDB_MODE", *_PROXIES),
}  # fmt: skip
"""The variables that each may read: where it is, and who asks."""

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Tracked:
    """A training as it is called elsewhere. `key` is its own: one that goes on after a kill is shown as one."""

    name: str
    key: str
    folder: Path  # for what is written on this machine
    about: Mapping[str, Any]  # JSON values
    after: int = 0  # steps that were shown before


def tracked(arguments: argparse.Namespace, rows: Sequence[TrainingRow], settings: Settings, after: int) -> Tracked:
    """The training of `python -m trainer train`, to be shown."""
    out, values = Path(arguments.out), settings_json(settings)
    about = {
        "training": values["training"],
        "seed": settings.seed,
        "rows": len(rows),
        "training_set_sha256": training_set_hash(rows),
        "base": Path(arguments.model).name,
    }
    key = hashlib.sha256(json.dumps([arguments.track_name, about], sort_keys=True).encode()).hexdigest()[:16]
    return Tracked(arguments.track_name or out.name, key, arguments.track_in or out.parent / "tracking", about, after)


class Tracker(Protocol):
    """Not in charge of when it is asked: `tracking` stops asking one that failed."""

    def step(self, number: int, values: Values) -> None: ...

    def end(self) -> None: ...


class _TensorBoard:
    def __init__(self, tracked: Tracked) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = str(tracked.folder / f"{tracked.name}-{tracked.key}")
        self._writer: Any = SummaryWriter(folder, purge_step=tracked.after + 1 if tracked.after else None)
        if not tracked.after:
            lines = "\n".join(f"    {name}: {value}" for name, value in _flat(tracked.about).items())
            self._writer.add_text("about", lines)

    def step(self, number: int, values: Values) -> None:
        for name, value in values.items():
            self._writer.add_scalar(f"train/{name}", value, number)

    def end(self) -> None:
        self._writer.close()


class _Mlflow:
    def __init__(self, tracked: Tracked) -> None:
        import mlflow

        self._client: Any = mlflow.MlflowClient()
        experiment = mlflow.set_experiment(_named("MLFLOW_EXPERIMENT_NAME")).experiment_id
        found = self._client.search_runs([experiment], f"tags.`whetstone.key` = '{tracked.key}'", max_results=1)
        if found:
            self._run = found[0].info.run_id
            self._client.update_run(self._run, status="RUNNING")
            return
        made = self._client.create_run(experiment, run_name=tracked.name, tags={"whetstone.key": tracked.key})
        self._run = made.info.run_id
        for name, value in _flat(tracked.about).items():
            self._client.log_param(self._run, name, value)

    def step(self, number: int, values: Values) -> None:
        for name, value in values.items():
            self._client.log_metric(self._run, name, value, step=number)

    def end(self) -> None:
        self._client.set_terminated(self._run)


class _Wandb:
    def __init__(self, tracked: Tracked) -> None:
        import wandb

        quiet = wandb.Settings(
            console="off", disable_git=True, disable_code=True, silent=True, x_disable_meta=True, x_disable_stats=True
        )
        tracked.folder.mkdir(parents=True, exist_ok=True)
        self._run: Any = wandb.init(
            project=_named("WANDB_PROJECT"),
            name=tracked.name,
            id=tracked.key,
            resume="allow",
            dir=str(tracked.folder),
            config=dict(tracked.about),
            settings=quiet,
        )

    def step(self, number: int, values: Values) -> None:
        self._run.log({f"train/{name}": value for name, value in values.items()}, step=number)

    def end(self) -> None:
        self._run.finish()


_KINDS: Mapping[str, Callable[[Tracked], Tracker]] = {"tensorboard": _TensorBoard, "mlflow": _Mlflow, "wandb": _Wandb}


@contextmanager
def tracking(kinds: Sequence[str], tracked: Tracked) -> Iterator[Callable[[Progress], None]]:
    """What is to be told every step. A tracker that fails later is told no more, and the training goes on.

    Raises OutputError when a tracker's package is not installed, or it cannot begin.
    """
    open_now = {kind: _opened(kind, tracked) for kind in kinds}

    def tell(progress: Progress) -> None:
        values = {name: value for name, value in dataclasses.asdict(progress).items() if name not in ("step", "steps")}
        for kind, tracker in list(open_now.items()):
            try:
                tracker.step(progress.step, values)
            except Exception as error:  # whatever a service and its client may do, the training is worth more
                log.warning("%s is told no more: %s", kind, error)
                del open_now[kind]

    try:
        yield tell
    finally:
        for kind, tracker in open_now.items():
            try:
                tracker.end()
            except Exception as error:
                log.warning("%s may lack the last steps: %s", kind, error)


def _opened(kind: str, tracked: Tracked) -> Tracker:
    if importlib.util.find_spec(_PACKAGES[kind]) is None:
        raise OutputError(f"tracking by {kind}: the package {_PACKAGES[kind]} is not installed; pip install it, or track without")
    try:
        return _KINDS[kind](tracked)
    except Exception as error:
        raise OutputError(f"tracking by {kind}: it cannot begin ({error}). Set it right, or track without.") from error


def _flat(about: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in about.items():
        flat.update(_flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value})
    return flat


def _named(variable: str) -> str:
    return os.environ.get(variable) or PROJECT
