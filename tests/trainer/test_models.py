"""Which folders are taken as a base, and what is said of those that are not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from toolcalls.errors import InputError
from trainer.models import base_dtype, load_model, load_tokenizer


@pytest.fixture
def changed(model_folder: Path, tmp_path: Path) -> Callable[..., Path]:
    """`changed(without=[names], config={…})`: a copy of a good base, spoilt."""

    def make(*, without: tuple[str, ...] = (), config: dict[str, object] | None = None) -> Path:
        folder = tmp_path / "base"
        shutil.copytree(model_folder, folder)
        for name in without:
            (folder / name).unlink()
        if config is not None:
            before = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps(before | config))
        return folder

    return make


def test_a_good_base_loads_in_the_dtype_asked_for(model_folder: Path) -> None:
    assert load_model(model_folder, "bfloat16").dtype == torch.bfloat16
    assert not load_model(model_folder, "float32").training
    assert base_dtype(model_folder) == "float32"
    assert load_tokenizer(model_folder).is_fast


@pytest.mark.parametrize(
    ("without", "message"),
    [(("config.json",), "no config.json"), (("model.safetensors",), "no .safetensors file")],
)
def test_a_folder_that_is_no_model_is_refused(changed: Callable[..., Path], without: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_model(changed(without=without), "float32")


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        load_model(tmp_path / "absent", "float32")


def test_a_base_with_code_of_its_own_is_refused(changed: Callable[..., Path]) -> None:
    folder = changed(config={"auto_map": {"AutoModelForCausalLM": "modeling.Own"}})
    with pytest.raises(InputError, match="code of its own"):
        load_model(folder, "float32")


def test_an_unknown_architecture_is_refused(changed: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="cannot be loaded"):
        load_model(changed(config={"model_type": "nonesuch"}), "float32")


def test_missing_and_damaged_weights_are_refused(changed: Callable[..., Path]) -> None:
    folder = changed()
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"1 weights are missing \(model.layers.1.mlp.up_proj.weight"):
        load_model(folder, "float32")
    (folder / "model.safetensors").write_bytes(b"not safetensors at all")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_model(folder, "float32")


def test_a_config_that_is_no_json_is_refused(changed: Callable[..., Path]) -> None:
    folder = changed()
    (folder / "config.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        load_model(folder, "float32")


def test_a_tokenizer_without_chat_template_is_refused(changed: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="no chat template"):
        load_tokenizer(changed(without=("chat_template.jinja",)))


def test_a_base_without_tokenizer_is_refused(changed: Callable[..., Path]) -> None:
    folder = changed(without=("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"))
    with pytest.raises(InputError, match="tokenizer"):
        load_tokenizer(folder)
