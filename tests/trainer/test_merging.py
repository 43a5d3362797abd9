"""The merge: right to the bit, rounded once, and refused when its logits are not those of base + adapter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from trainer.checkpoints import save_adapter
from trainer.merging import EXACT_TOLERANCE, MergeError, check_stored, checked_difference, logits_of, merge
from trainer.models import load_model

PROMPTS = [tuple(range(4, 40)), (60, 61, 62, 5), (7, 100, 1, 8, 9)]
TOLERANCE = 0.05


@pytest.fixture(scope="module")
def base(make_model: Any, word_tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base stored in bfloat16."""
    folder = tmp_path_factory.mktemp("base16")
    make_model("Llama", initializer_range=0.1).to(torch.bfloat16).save_pretrained(folder)
    word_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes something in every layer."""
    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(load_model(base, "float32"), config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02)
    folder = tmp_path_factory.mktemp("adapter") / "adapter"
    save_adapter(model, folder, "base")
    return folder


@pytest.fixture(scope="module")
def merged(base: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    out = tmp_path_factory.mktemp("merged") / "merged"
    return out, merge(base, adapter, out, PROMPTS, tolerance=TOLERANCE)


def test_each_weight_is_the_float32_merge_rounded_once(base: Path, adapter: Path, merged: Any) -> None:
    name = "model.layers.1.mlp.down_proj"
    update = load_file(adapter / "adapter_model.safetensors")
    down, up = (update[f"base_model.model.{name}.lora_{letter}.weight"] for letter in "AB")
    weight = load_file(base / "model.safetensors")[f"{name}.weight"]
    stored = load_file(merged[0] / "model.safetensors")[f"{name}.weight"]
    assert stored.dtype == torch.bfloat16
    assert torch.equal(stored, (weight.float() + 2 * (up @ down)).to(torch.bfloat16))


def test_embeddings_and_head_stay_as_they_are(base: Path, merged: Any) -> None:
    before, after = load_file(base / "model.safetensors"), load_file(merged[0] / "model.safetensors")
    assert before.keys() == after.keys()
    untouched = [name for name in before if "proj" not in name]
    assert any("embed_tokens" in name for name in untouched)
    assert all(torch.equal(before[name], after[name]) for name in untouched)


def test_rounding_is_seen_and_is_far_from_what_a_wrong_merge_does(base: Path, adapter: Path, merged: Any) -> None:
    _, check = merged
    assert check.exact < EXACT_TOLERANCE / 10
    assert EXACT_TOLERANCE < check.rounded < TOLERANCE


def test_a_base_in_float32_loses_nothing(base: Path, adapter: Path, tmp_path: Path, word_tokenizer: Any) -> None:
    load_model(base, "float32").save_pretrained(tmp_path / "base32")
    word_tokenizer.save_pretrained(tmp_path / "base32")
    check = merge(tmp_path / "base32", adapter, tmp_path / "out", PROMPTS, tolerance=EXACT_TOLERANCE)
    assert check.rounded == check.exact


@pytest.mark.parametrize("scale", [0.0, 0.9, 2.0, -1.0], ids=["left out", "scaled by 0.9", "merged twice", "subtracted"])
def test_a_wrong_merge_fails_where_rounding_does_not(base: Path, adapter: Path, scale: float) -> None:
    right = load_model(base, "float32")
    wrong = load_model(base, "float32")
    update = load_file(adapter / "adapter_model.safetensors")
    for model, factor in ((right, 1.0), (wrong, scale)):
        for name, module in model.named_modules():
            down = update.get(f"base_model.model.{name}.lora_A.weight")
            if down is not None:
                module.weight.data += factor * 2 * (update[f"base_model.model.{name}.lora_B.weight"] @ down)
    expected = logits_of(right, PROMPTS)
    assert checked_difference(expected, logits_of(right, PROMPTS), EXACT_TOLERANCE, "a right merge") == 0
    with pytest.raises(MergeError, match="differ"):
        checked_difference(expected, logits_of(wrong, PROMPTS), EXACT_TOLERANCE, "a wrong merge")


def test_a_stored_model_that_lost_one_layers_update_is_refused(base: Path, merged: Any, tmp_path: Path) -> None:
    expected = logits_of(load_model(merged[0], "float32"), PROMPTS)
    check_stored(merged[0], PROMPTS, expected)
    shutil.copytree(merged[0], tmp_path / "copy")
    weights = load_file(tmp_path / "copy" / "model.safetensors")
    name = "model.layers.0.self_attn.v_proj.weight"
    save_file(
        weights | {name: load_file(base / "model.safetensors")[name]}, tmp_path / "copy" / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(MergeError, match="stored"):
        check_stored(tmp_path / "copy", PROMPTS, expected)


def test_rounding_over_the_tolerance_fails(base: Path, adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(MergeError, match="rounded merge"):
        merge(base, adapter, tmp_path / "out", PROMPTS, tolerance=EXACT_TOLERANCE)


def test_an_adapter_with_values_that_are_no_numbers_fails(base: Path, adapter: Path, tmp_path: Path) -> None:
    shutil.copytree(adapter, tmp_path / "adapter")
    weights = load_file(adapter / "adapter_model.safetensors")
    name = sorted(name for name in weights if "lora_B" in name)[0]
    save_file(
        weights | {name: weights[name] * float("nan")}, tmp_path / "adapter" / "adapter_model.safetensors", {"format": "pt"}
    )
    with pytest.raises(MergeError, match="no numbers"):
        merge(base, tmp_path / "adapter", tmp_path / "out", PROMPTS, tolerance=TOLERANCE)


def test_nan_logits_are_never_within_tolerance() -> None:
    with pytest.raises(MergeError):
        checked_difference([torch.tensor([[0.0, 1.0]])], [torch.tensor([[0.0, float("nan")]])], 1.0, "x")


def test_adapter_config_names_no_path_and_sorts_its_modules(adapter: Path) -> None:
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "base"
    assert config["target_modules"] == sorted(config["target_modules"])
    assert sorted(path.name for path in adapter.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
