"""What is trained: a new adapter, a continued one, one on four bits, every weight."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file

from toolcalls.errors import InputError
from toolcalls.records import Message, TrainingRow
from toolcalls.settings import Settings, SettingsError, Training, settings_from
from trainer.merging import logits_of
from trainer.models import load_model
from trainer.training import train

TRAINING = Training(learning_rate=0.01, batch_rows=2, device_rows=2, dtype="float32", lora_rank=4, checkpoint_steps=2)


def words(first: int, count: int) -> str:
    return " ".join(f"w{4 + (first + number) % 116}" for number in range(count))


ROWS = [
    TrainingRow(f"s{number}", "direct", (Message("user", words(number, 3 + number)),), words(number + 50, 3))
    for number in range(8)
]
PROMPTS = [tuple(range(4, 24))]


def settings(**changes: Any) -> Settings:
    return Settings(seed=3, training=replace(TRAINING, **changes))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_full_fine_tuning_publishes_a_model_in_which_every_weight_moved(model_folder: Path, tmp_path: Path) -> None:
    points = tmp_path / "points"
    trained = train(ROWS, model_folder, tmp_path / "out", settings(method="full"), points=points)
    assert trained is not None and trained.adapter_sha256 is None
    assert not (tmp_path / "out" / "adapter").exists()
    before, after = weights(model_folder), weights(tmp_path / "out" / "merged")
    assert before.keys() == after.keys()
    assert not [name for name in before if torch.equal(before[name], after[name])]
    assert "whetstone" not in (tmp_path / "out" / "merged" / "config.json").read_text()
    again = train(ROWS, model_folder, tmp_path / "again", settings(method="full"), points=points)
    assert again is not None and again.merged_sha256 == trained.merged_sha256


def test_full_fine_tuning_in_bfloat16_keeps_float32_weights_while_it_trains(model_folder: Path, tmp_path: Path) -> None:
    trained = train(ROWS, model_folder, tmp_path / "out", settings(method="full", dtype="bfloat16"))
    assert trained is not None
    losses = json.loads((tmp_path / "out" / "meta.json").read_text())["losses"]
    assert losses[-1] < losses[0]
    assert {weight.dtype for weight in weights(tmp_path / "out" / "merged").values()} == {torch.float32}


def test_a_continued_adapter_is_one_adapter_on_the_base(model_folder: Path, tmp_path: Path) -> None:
    first = train(ROWS, model_folder, tmp_path / "first", settings(adapter="continued"))
    idle = settings(adapter="continued", learning_rate=0.0)
    adapter = tmp_path / "first" / "adapter"
    same = train(ROWS, model_folder, tmp_path / "same", idle, adapter=adapter)
    assert first is not None and same is not None
    assert (same.adapter_sha256, same.merged_sha256) == (first.adapter_sha256, first.merged_sha256)
    second = train(ROWS, model_folder, tmp_path / "second", settings(adapter="continued"), adapter=adapter)
    assert second is not None and second.adapter_sha256 != first.adapter_sha256
    losses = [json.loads((tmp_path / out / "meta.json").read_text())["losses"] for out in ("first", "second")]
    assert losses[1][0] < losses[0][0]
    assert json.loads((tmp_path / "second" / "meta.json").read_text())["continued_adapter_sha256"] == first.adapter_sha256


def test_an_adapter_of_another_base_is_not_continued(
    model_folder: Path, tmp_path: Path, make_model: Any, word_tokenizer: Any
) -> None:
    other = tmp_path / "other"
    make_model("Llama", hidden_size=64).save_pretrained(other)
    word_tokenizer.save_pretrained(other)
    train(ROWS[:2], other, tmp_path / "first", settings())
    with pytest.raises(InputError, match="cannot be continued"):
        train(ROWS[:2], model_folder, tmp_path / "out", settings(adapter="continued"), adapter=tmp_path / "first" / "adapter")


def test_an_adapter_is_given_only_where_it_is_to_be_continued(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training\.adapter"):
        train(ROWS[:2], model_folder, tmp_path / "out", settings(), adapter=tmp_path)


def test_checkpointed_gradients_are_the_same(model_folder: Path, tmp_path: Path) -> None:
    digests = {
        train(ROWS, model_folder, tmp_path / how, settings(gradient_checkpointing=how)).adapter_sha256  # type: ignore[union-attr]
        for how in ("on", "off")
    }
    assert len(digests) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_qlora_says_what_it_needs(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a CUDA GPU"):
        train(ROWS, model_folder, tmp_path / "out", settings(method="qlora"))
    assert not list(tmp_path.iterdir())


def test_every_weight_and_a_continued_adapter_contradict_each_other() -> None:
    with pytest.raises(SettingsError, match="makes none"):
        settings_from({"training": {"method": "full", "adapter": "continued"}})


def test_what_was_stored_is_what_was_trained(model_folder: Path, tmp_path: Path) -> None:
    train(ROWS, model_folder, tmp_path / "out", settings(method="full", learning_rate=0.0))
    logits = [logits_of(load_model(folder, "float32"), PROMPTS)[0] for folder in (model_folder, tmp_path / "out" / "merged")]
    assert torch.equal(*logits)
