"""Steps shown elsewhere: with the real packages, on this machine alone."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from toolcalls.records import Message, TrainingRow
from toolcalls.wire import to_json
from trainer import cli
from trainer.jsonl import OutputError
from trainer.supervised import Progress
from trainer.tracking import ENVIRONMENT, TRACKERS, Tracked, tracking

ABOUT = {"training": {"learning_rate": 1e-4, "method": "lora"}, "seed": 3}
STEPS = [Progress(step, 3, 1 / step, 1e-4, 0.5, 100 * step, 50.0, 2**30) for step in (1, 2, 3)]


def tracked(folder: Path, after: int = 0) -> Tracked:
    return Tracked("run-1-iteration-1", "0123456789abcdef", folder, ABOUT, after)


def show(kind: str, folder: Path, steps: list[Progress], after: int = 0) -> None:
    with tracking([kind], tracked(folder, after)) as tell:
        for step in steps:
            tell(step)


def test_tensorboard_has_every_step_once_when_a_training_went_on(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    show("tensorboard", tmp_path, STEPS[:2])
    show("tensorboard", tmp_path, STEPS[1:], after=1)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    [folder] = tmp_path.iterdir()
    read = EventAccumulator(str(folder))
    read.Reload()
    assert [(each.step, each.value) for each in read.Scalars("train/loss")] == [
        (1, 1.0),
        (2, 0.5),
        (3, pytest.approx(1 / 3)),
    ]
    assert {"train/learning_rate", "train/grad_norm", "train/tokens_per_second", "train/memory_bytes"} <= set(
        read.Tags()["scalars"]
    )


def test_mlflow_has_one_run_with_settings_and_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "trainings")
    mlflow.set_tracking_uri(f"file:{tmp_path / 'store'}")
    show("mlflow", tmp_path, STEPS[:1])
    show("mlflow", tmp_path, STEPS[1:], after=1)
    client = mlflow.MlflowClient()
    [run] = client.search_runs([client.get_experiment_by_name("trainings").experiment_id])
    assert (run.info.run_name, run.info.status) == ("run-1-iteration-1", "FINISHED")
    assert run.data.params == {"training.learning_rate": "0.0001", "training.method": "lora", "seed": "3"}
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(each.step, each.value) for each in history] == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]


@pytest.mark.long
def test_wandb_writes_offline_what_can_be_sent_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    show("wandb", tmp_path, STEPS)
    [file] = tmp_path.glob("wandb/offline-run-*/*.wandb")
    content = file.read_bytes()
    assert file.name == "run-0123456789abcdef.wandb"
    assert b"train/loss" in content and b"run-1-iteration-1" in content
    assert str(tmp_path).encode() not in content


def test_a_tracker_that_is_not_installed_is_told_of_at_the_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OutputError, match="package wandb is not installed"):
        show("wandb", tmp_path, STEPS)


def test_a_tracker_that_cannot_begin_is_told_of(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot begin"):
        show("tensorboard", tmp_path / "file", STEPS)


def test_a_tracker_that_fails_later_does_not_end_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        def __init__(self, tracked: Tracked) -> None:
            self.asked = 0

        def step(self, number: int, values: Any) -> None:
            raise ConnectionError("the server is away")

        def end(self) -> None:
            raise AssertionError("it is told no more")

    monkeypatch.setattr("trainer.tracking._KINDS", {"tensorboard": Failing})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    with caplog.at_level(logging.WARNING):
        show("tensorboard", tmp_path, STEPS)
    assert [record.message for record in caplog.records] == ["tensorboard is told no more: the server is away"]


def test_every_tracker_says_which_variables_it_may_read() -> None:
    assert set(ENVIRONMENT) == set(TRACKERS)


def test_the_command_tracks_what_it_trains(tmp_path: Path, model_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard")
    rows = [TrainingRow(f"s{n}", "direct", (Message("user", f"w{n + 4} w5"),), "w7 w8") for n in range(4)]
    (tmp_path / "rows").write_text("".join(json.dumps(to_json(row)) + "\n" for row in rows))
    (tmp_path / "settings").write_text('{"training": {"batch_rows": 2, "dtype": "float32"}}')
    words = ["train", "--in", str(tmp_path / "rows"), "--out", str(tmp_path / "out"), "--model", str(model_folder)]
    assert cli.main([*words, "--settings", str(tmp_path / "settings"), "--track", "tensorboard"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [folder] = (tmp_path / "tracking").iterdir()
    assert folder.name.startswith("out-") and list(folder.glob("events.out.tfevents.*"))
    assert [line.get("step") for line in said] == [1, 2, None]
    assert math.isfinite(said[0]["loss"])
