"""A model spread over two processes learns what a whole one learns, and goes on from its points."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file

from toolcalls.errors import InputError
from toolcalls.records import Message, TrainingRow
from toolcalls.settings import Settings, SettingsError, Training, settings_from, settings_json
from toolcalls.wire import to_json
from trainer.encoding import EncodedRow
from trainer.fitting import Fitted, Progress, fit
from trainer.methods import load_base
from trainer.sharding import shard
from trainer.training import train

WHOLE = Training(learning_rate=0.01, batch_rows=4, device_rows=1, dtype="float32", lora_rank=4, checkpoint_steps=3)
SHARDED = replace(WHOLE, sharding="fsdp")
ROWS = [
    EncodedRow(str(n), "direct", tuple((7 * n + 3 * place) % 116 + 4 for place in range(10 + n)), 6 + n, ()) for n in range(18)
]


class Case(NamedTuple):
    training: Training
    points: str
    forgotten: int = 0  # the point that is removed before


ADAPTERS = {
    "adapter": Case(SHARDED, "of the adapter"),
    "resumed": Case(SHARDED, "of the adapter", forgotten=5),
    "half precision": Case(replace(SHARDED, dtype="bfloat16", gradient_checkpointing="on"), "of half precision"),
}
FULL = replace(SHARDED, method="full")
MODELS = {"model": Case(FULL, "of the model"), "resumed": Case(FULL, "of the model", forgotten=5)}


@pytest.fixture(scope="module")
def adapters(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return fits(ADAPTERS, model_folder, tmp_path_factory.mktemp("adapters"))


def fits(cases: dict[str, Case], base: Path, folder: Path) -> dict[str, Any]:
    """What came of each case in two processes: losses, the step that it began after, weights, the share that each held."""
    (folder / "rows.json").write_text(json.dumps([astuple(row) for row in ROWS]))
    (folder / "cases.json").write_text(json.dumps({name: (asdict(case.training), *case[1:]) for name, case in cases.items()}))
    in_two_processes([Path(__file__).with_name("sharded_fits.py"), base, "rows.json", "cases.json", "."], folder)
    return {
        name: json.loads((folder / f"{name}.json").read_text()) | {"weights": load_file(folder / f"{name}.safetensors")}
        for name in cases
    }


def in_two_processes(program: list[Any], folder: Path) -> None:
    with (folder / "log").open("w") as log:
        ended = [process.wait(timeout=300) for process in two_processes(program, folder, stderr=log, stdout=log)]
    assert ended == [0, 0], (folder / "log").read_text()[-4000:]


def two_processes(program: list[Any], folder: Path, **streams: Any) -> list[subprocess.Popen[str]]:
    """As a launcher starts them, which itself takes seconds."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1", "WORLD_SIZE": "2"}
    here |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [
        subprocess.Popen(
            [sys.executable, *program], cwd=folder, env={**here, "RANK": rank, "LOCAL_RANK": rank}, text=True, **streams
        )
        for rank in ("0", "1")
    ]


def whole(base: Path, training: Training) -> tuple[Fitted, list[float]]:
    """What one process learns, and the norm of the gradient at each step."""
    steps: list[Progress] = []
    fitted = fit(load_base(base, training), ROWS, replace(training, sharding="none"), seed=3, report=steps.append)
    return fitted, [step.grad_norm for step in steps]


@pytest.mark.process
@pytest.mark.parametrize("name", ["adapter", "half precision"])
def test_two_processes_that_share_the_weights_learn_what_one_learns(
    adapters: dict[str, Any], model_folder: Path, name: str
) -> None:
    same(adapters[name], whole(model_folder, ADAPTERS[name].training))


@pytest.mark.process
def test_no_process_holds_a_whole_weight(adapters: dict[str, Any]) -> None:
    assert [told["held"] for told in adapters.values()] == [0.5] * len(ADAPTERS)


@pytest.mark.process
def test_a_sharded_training_that_goes_on_from_a_point_ends_with_the_same_adapter(adapters: dict[str, Any]) -> None:
    same_to_the_bit(adapters["resumed"], adapters["adapter"])


@pytest.mark.long
@pytest.mark.process
def test_every_weight_of_a_shared_model_is_trained_and_resumed(model_folder: Path, tmp_path: Path) -> None:
    models = fits(MODELS, model_folder, tmp_path)
    same(models["model"], whole(model_folder, FULL))
    same_to_the_bit(models["resumed"], models["model"])


def same(found: Any, alone: tuple[Fitted, list[float]]) -> None:
    """Norms, too: neither clipping nor Adam minds a gradient that is a multiple of the right one."""
    expected, norms = alone
    assert found["norms"] == pytest.approx(norms, rel=1e-3)
    assert found["losses"] == pytest.approx(expected.losses, rel=1e-5)
    assert found["weights"].keys() == expected.weights.keys()
    for name, tensor in expected.weights.items():
        torch.testing.assert_close(found["weights"][name], tensor, rtol=1e-3, atol=2e-5)


def same_to_the_bit(resumed: Any, undisturbed: Any) -> None:
    assert (undisturbed["began_after"], resumed["began_after"]) == (0, 3)
    assert resumed["losses"] == undisturbed["losses"]
    assert not [name for name, tensor in resumed["weights"].items() if not torch.equal(tensor, undisturbed["weights"][name])]


@pytest.mark.long
@pytest.mark.process
def test_a_killed_sharded_training_publishes_what_an_undisturbed_one_publishes(model_folder: Path, tmp_path: Path) -> None:
    rows = [TrainingRow(f"s{n}", "direct", (Message("user", f"w{n + 4} w9"),), f"w{n + 50} w7") for n in range(24)]
    settings = Settings(seed=3, training=SHARDED)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(to_json(row)) + "\n" for row in rows))
    (tmp_path / "settings.json").write_text(json.dumps(settings_json(settings)))
    command = ["-m", "trainer", "train", "--in", "rows.jsonl", "--model", model_folder, "--settings", "settings.json"]
    killed = two_processes([*command, "--points", "points", "--out", "killed"], tmp_path, stdout=subprocess.PIPE)
    assert killed[0].stdout is not None
    while json.loads(killed[0].stdout.readline()).get("step", 0) < 4:
        pass
    for process in killed:
        process.kill()
        process.communicate()
    in_two_processes([*command, "--points", "points", "--out", "again"], tmp_path)
    in_two_processes([*command, "--out", "undisturbed"], tmp_path)
    again, undisturbed = (json.loads((tmp_path / out / "meta.json").read_text()) for out in ("again", "undisturbed"))
    assert again["began_after"] >= 3
    for said in ("losses", "adapter_sha256", "merged_sha256"):
        assert again[said] == undisturbed[said]
    alone = train(rows, model_folder, tmp_path / "alone", replace(settings, training=WHOLE))
    assert alone is not None
    assert again["losses"] == pytest.approx(json.loads((tmp_path / "alone" / "meta.json").read_text())["losses"], rel=1e-5)


def test_a_single_process_keeps_its_model_whole(model_folder: Path) -> None:
    training = replace(SHARDED, checkpoint_steps=0)
    fitted = fit(load_base(model_folder, training), ROWS[:4], training, seed=3)
    alone = fit(load_base(model_folder, training), ROWS[:4], replace(training, sharding="none"), seed=3)
    assert all(torch.equal(fitted.weights[name], tensor) for name, tensor in alone.weights.items())


def test_a_model_without_known_layers_is_refused() -> None:
    with pytest.raises(InputError, match="what its layers are"):
        shard(torch.nn.Linear(2, 2), torch.float32)


def test_sharding_and_four_bits_contradict_each_other() -> None:
    with pytest.raises(SettingsError, match=r"does not go with training\.method qlora"):
        settings_from({"training": {"method": "qlora", "sharding": "fsdp"}})
