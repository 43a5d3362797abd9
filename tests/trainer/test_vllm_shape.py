"""Which model folders may take each other's place in a vLLM process. Needs no vLLM."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from trainer.engines.protocol import CannotSwap
from trainer.engines.vllm_shape import Shape, check_same, shape_of

TENSORS = {"a": ("BF16", (2, 3)), "b": ("BF16", (4,))}


def test_shape_is_read_from_headers_and_config(model_folder: Path) -> None:
    shape = read(model_folder)
    assert shape.tensors["model.norm.weight"] == ("F32", (128,))
    assert shape.config["num_hidden_layers"] == 2


def test_names_versions_and_special_tokens_are_no_shape(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(model_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"transformers_version": "9.9", "eos_token_id": [1, 2]}))
    check_same(read(model_folder), read(folder))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Shape({"layers": 3}, TENSORS), "config layers is 3, in the model that is loaded 2"),
        (Shape({"layers": 2}, {"a": TENSORS["a"]}), "tensor b is None"),
        (Shape({"layers": 2}, TENSORS | {"c": ("BF16", (1,))}), "tensor c is"),
        (Shape({"layers": 2}, TENSORS | {"b": ("F32", (4,))}), "tensor b is"),
        (Shape({"layers": 2}, TENSORS | {"b": ("BF16", (5,))}), "tensor b is"),
    ],
)
def test_the_first_difference_is_told(other: Shape, message: str) -> None:
    with pytest.raises(CannotSwap, match=message):
        check_same(Shape({"layers": 2}, TENSORS), other)


@pytest.mark.parametrize("config", [{"tie_word_embeddings": True}, {"text_config": {"tie_word_embeddings": True}}])
def test_a_tied_head_is_not_swapped(config: dict[str, Any]) -> None:
    with pytest.raises(CannotSwap, match="tied to its embeddings"):
        check_same(Shape(config, TENSORS), Shape(config, TENSORS))


def test_weights_that_are_cut_off_are_told(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(model_folder, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(CannotSwap, match="cannot be read"):
        read(folder)


def read(folder: Path) -> Shape:
    transformers = pytest.importorskip("transformers")
    return shape_of(str(folder), transformers.AutoConfig.from_pretrained(str(folder)))
