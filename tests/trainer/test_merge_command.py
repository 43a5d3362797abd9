"""`python -m trainer merge`: on any host the model comes out that training made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")

from safetensors.torch import load_file, save_file

from toolcalls.records import Message, TrainingRow
from toolcalls.settings import Settings, Training
from trainer.checkpoints import weights_sha256
from trainer.cli import main
from trainer.training import train

SETTINGS = Settings(training=Training(learning_rate=0.05, batch_rows=2, device_rows=2, dtype="float32"))


@pytest.fixture(scope="module")
def checkpoint(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [TrainingRow(f"s{n}", "direct", (Message("user", f"w{n + 4} w{n + 5}"),), f"w{n + 6}") for n in range(4)]
    out = tmp_path_factory.mktemp("trained") / "checkpoint"
    train(rows, model_folder, out, SETTINGS)
    return out


def merge(model: Path, adapter: Path, out: Path) -> int:
    return main(["merge", "--model", str(model), "--adapter", str(adapter), "--out", str(out)])


def test_it_is_the_model_of_training(
    checkpoint: Path, model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert merge(model_folder, checkpoint / "adapter", tmp_path / "merged") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["sha256"] == weights_sha256(checkpoint / "merged") == weights_sha256(tmp_path / "merged")
    assert weights_sha256(model_folder) != said["sha256"]
    made = {path.name: path.read_bytes() for path in (tmp_path / "merged").iterdir()}
    assert made == {path.name: path.read_bytes() for path in (checkpoint / "merged").iterdir()}


def test_an_adapter_of_no_numbers_and_none_are_refused(
    checkpoint: Path, model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Path(shutil.copytree(checkpoint / "adapter", tmp_path / "broken"))
    weights = load_file(broken / "adapter_model.safetensors")
    save_file({name: value * float("nan") for name, value in weights.items()}, broken / "adapter_model.safetensors")
    assert merge(model_folder, broken, tmp_path / "merged") == 3
    assert "no numbers" in capsys.readouterr().err
    assert merge(model_folder, tmp_path / "nowhere", tmp_path / "merged") == 3
    assert "error:" in capsys.readouterr().err
