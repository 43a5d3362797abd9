"""Training an iteration: batches, steps, determinism, the checkpoint folder, and what happens when it cannot be written."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from toolcalls.assembly import training_set_hash
from toolcalls.errors import InputError
from toolcalls.records import Message, TrainingRow
from toolcalls.settings import Settings, Training, settings_json
from toolcalls.wire import to_json
from trainer.attention import plain_causal_attention, use_plain_attention
from trainer.batches import IGNORED, collate, length_grouped_order
from trainer.checkpoints import INDEX_ENTRY, LEFT_OUT, CheckpointError, publishing
from trainer.encoding import EncodedRow, encode_row
from trainer.fitting import Progress, device_rows, fit
from trainer.models import load_model, load_tokenizer
from trainer.supervised import loss_sum
from trainer.training import train

SETTINGS = Settings(seed=3, training=Training(learning_rate=0.01, batch_rows=4, device_rows=4, dtype="float32", lora_rank=4))


def words(first: int, count: int) -> str:
    return " ".join(f"w{4 + (first + number) % 116}" for number in range(count))


def row(number: int, *, length: int = 0) -> TrainingRow:
    """A direct row, or every third time a refine row; longer with its number."""
    question = Message("user", words(number, length or 3 + number))
    if number % 3:
        return TrainingRow(f"s{number}", "direct", (question,), words(number + 50, 3))
    refined = (question, Message("assistant", words(number + 20, 2)), Message("user", "w9"))
    return TrainingRow(f"s{number}", "refine", refined, words(number + 50, 3))


ROWS = [row(number) for number in range(18)]


@pytest.fixture(scope="module")
def checkpoint(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, list[Progress]]:
    out, progress = tmp_path_factory.mktemp("out") / "checkpoint", []
    trained = train([*ROWS, row(1, length=200)], model_folder, out, with_limit(100), progress.append)
    return out, trained, progress


def with_limit(tokens: int) -> Settings:
    return replace(SETTINGS, training=replace(SETTINGS.training, max_length=tokens))


def test_order_is_a_permutation_grouped_by_length_and_fixed_by_the_seed() -> None:
    lengths = [(7 * number) % 31 for number in range(30)]
    order = length_grouped_order(lengths, 8, seed=1)
    assert sorted(order) == list(range(30))
    assert order == length_grouped_order(lengths, 8, seed=1)
    assert order != length_grouped_order(lengths, 8, seed=2)
    groups = [sorted(lengths[row] for row in order[start : start + 8]) for start in range(0, 24, 8)]
    assert sorted(map(tuple, groups), reverse=True) == [
        tuple(sorted(sorted(lengths, reverse=True)[start : start + 8])) for start in range(0, 24, 8)
    ]
    assert sorted(lengths[row] for row in order[24:]) == sorted(lengths)[:6]


def test_batches_are_padded_right_and_labelled_on_target_and_end_only() -> None:
    batch = collate([EncodedRow("a", "direct", (5, 6, 7, 1), 2, ()), EncodedRow("b", "direct", (8, 1), 1, ())])
    assert batch["input_ids"].tolist() == [[5, 6, 7, 1], [8, 1, 0, 0]]
    assert batch["labels"].tolist() == [[IGNORED, IGNORED, 7, 1], [IGNORED, 1, IGNORED, IGNORED]]


def test_loss_is_the_models_own_over_the_labels_whatever_the_padding(make_model: Any) -> None:
    model = make_model("Llama")
    rows = [EncodedRow("a", "direct", tuple(range(4, 40)), 30, ()), EncodedRow("b", "direct", (60, 61, 62, 1), 2, ())]
    batch = collate(rows)
    expected = 0.0
    for each in rows:
        logits = model(input_ids=torch.tensor([each.input_ids])).logits[0, each.label_start - 1 : -1]
        labels = torch.tensor(each.input_ids[each.label_start :])
        expected += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
    assert loss_sum(model, model, batch["input_ids"], batch["labels"]).item() == pytest.approx(expected, rel=1e-5)


def test_plain_attention_equals_the_fused_one_with_grouped_queries(make_model: Any) -> None:
    model, ids = make_model("Llama"), torch.randint(4, 120, (2, 30))
    fused = model(input_ids=ids).logits
    use_plain_attention(model)
    assert model.config._attn_implementation != "sdpa"
    torch.testing.assert_close(model(input_ids=ids).logits, fused, rtol=1e-4, atol=1e-4)


def test_plain_attention_leaves_masks_and_long_rows_to_the_fused_one() -> None:
    module = torch.nn.Module().train()
    query = torch.randn(1, 2, 6, 8)
    mask = torch.ones(6, 6, dtype=torch.bool).tril().logical_and(torch.ones(6, 6, dtype=torch.bool).triu(-1))
    masked, _ = plain_causal_attention(module, query, query, query, mask[None, None])
    expected = torch.nn.functional.scaled_dot_product_attention(query, query, query, attn_mask=mask).transpose(1, 2)
    torch.testing.assert_close(masked, expected)


@pytest.mark.parametrize(
    ("batch_rows", "most", "processes", "expected"), [(64, 8, 1, 8), (64, 8, 4, 8), (12, 8, 1, 6), (6, 8, 2, 3), (7, 4, 1, 1)]
)
def test_device_rows_divide_the_global_batch(batch_rows: int, most: int, processes: int, expected: int) -> None:
    assert device_rows(Training(batch_rows=batch_rows, device_rows=most), processes) == expected


def test_a_global_batch_the_processes_cannot_share_is_refused() -> None:
    with pytest.raises(InputError, match="multiple"):
        device_rows(Training(batch_rows=6), 4)


def test_accumulated_steps_learn_what_whole_batches_learn(model_folder: Path) -> None:
    tokenizer = load_tokenizer(model_folder)
    rows = [encode_row(tokenizer, row(1, length=5)) for _ in range(8)]
    fitted = [
        fit(load_model(model_folder, "float32"), rows, replace(SETTINGS.training, device_rows=count), seed=0) for count in (4, 2)
    ]
    assert fitted[0].losses == pytest.approx(fitted[1].losses, rel=1e-4)
    assert len(fitted[0].losses) == 2


def test_only_linear_layers_of_the_blocks_are_adapted(checkpoint: Any) -> None:
    weights = load_file(checkpoint[0] / "adapter" / "adapter_model.safetensors")
    adapted = {name.split(".")[-3] for name in weights}
    assert adapted == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    assert all("layers" in name for name in weights)


def test_progress_counts_steps_and_real_tokens(checkpoint: Any) -> None:
    out, _, progress = checkpoint
    meta = json.loads((out / "meta.json").read_text())
    assert [each.step for each in progress] == [1, 2, 3, 4, 5]
    assert {each.steps for each in progress} == {5}
    assert progress[-1].tokens == sum(len(line["input_ids"]) for line in row_artifacts(out))
    assert meta["losses"] == [each.loss for each in progress]
    assert progress[-1].loss < progress[0].loss


def test_rows_over_the_limit_are_left_out_and_counted(checkpoint: Any) -> None:
    out, trained, _ = checkpoint
    meta = json.loads((out / "meta.json").read_text())
    assert (trained.rows, trained.too_long) == (18, 1) == (meta["rows"], meta["too_long"])
    assert meta["too_long_samples"] == ["s1"]


def test_meta_names_what_the_checkpoint_was_made_of(checkpoint: Any) -> None:
    out, trained, _ = checkpoint
    meta = json.loads((out / "meta.json").read_text())
    assert meta["training_set_sha256"] == training_set_hash([*ROWS, row(1, length=200)])
    assert (meta["adapter_sha256"], meta["merged_sha256"]) == (trained.adapter_sha256, trained.merged_sha256)
    assert meta["settings"] == settings_json(with_limit(100))
    assert not any(text.startswith("/") for text in texts_in(meta)), "no path of this machine"


def test_the_index_says_where_each_rows_line_begins_and_which_were_left_out(checkpoint: Any) -> None:
    folder, content = checkpoint[0], (checkpoint[0] / "rows.jsonl").read_bytes()
    places = [place for (place,) in INDEX_ENTRY.iter_unpack((folder / "rows.index").read_bytes())]
    assert (len(places), places[-1]) == (len(ROWS) + 1, LEFT_OUT)
    found = [json.loads(content[place:].split(b"\n", 1)[0]) for place in places[:-1]]
    assert [(line["sample_id"], line["kind"]) for line in found] == [(each.sample_id, each.kind) for each in ROWS]


def row_artifacts(checkpoint: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (checkpoint / "rows.jsonl").read_text().splitlines()]


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, str):
        yield value


def test_row_artifacts_hold_tokens_label_span_and_pieces(checkpoint: Any, model_folder: Path) -> None:
    lines = row_artifacts(checkpoint[0])
    encoded = encode_row(load_tokenizer(model_folder), ROWS[3])
    assert lines[3] == {
        "sample_id": "s3",
        "kind": "refine",
        "input_ids": list(encoded.input_ids),
        "label_span": [encoded.label_start, len(encoded.input_ids)],
        "pieces": list(encoded.pieces),
    }


def test_merged_folder_is_a_base_again(checkpoint: Any) -> None:
    out, _, _ = checkpoint
    assert load_tokenizer(out / "merged").chat_template
    assert load_model(out / "merged", "bfloat16").dtype == torch.bfloat16
    assert not [path for path in out.rglob("*") if path.suffix in (".bin", ".pt", ".md")]


def test_same_rows_seed_and_threads_give_the_same_adapter_in_fresh_processes(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(to_json(each)) + "\n" for each in ROWS))
    (tmp_path / "settings.json").write_text(json.dumps(settings_json(SETTINGS)))
    processes = [train_process(model_folder, tmp_path, f"out{number}") for number in range(2)]
    digests = {json.loads(process.communicate()[0].splitlines()[-1])["adapter_sha256"] for process in processes}
    assert len(digests) == 1
    other = train(ROWS, model_folder, tmp_path / "other", replace(SETTINGS, seed=4))
    assert other is not None
    assert other.adapter_sha256 not in digests


@pytest.mark.process
def test_two_processes_learn_what_one_learns(model_folder: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, training=replace(SETTINGS.training, device_rows=2))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(to_json(each)) + "\n" for each in ROWS))
    (tmp_path / "settings.json").write_text(json.dumps(settings_json(settings)))
    words = ["train", "--in", "rows.jsonl", "--out", "out", "--model", str(model_folder), "--settings", "settings.json"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "-m", "trainer"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    subprocess.run([*launch, *words, "--points", "points"], cwd=tmp_path, env=environment, check=True, stdout=subprocess.DEVNULL)
    one = fit(load_model(model_folder, "float32"), encoded(model_folder), settings.training, seed=settings.seed)
    meta = json.loads((tmp_path / "out" / "meta.json").read_text())
    assert len(ROWS) % 4, "the last step's rows are fewer than two processes take"
    assert meta["losses"] == pytest.approx(one.losses, rel=1e-5)
    assert {path.name for path in (tmp_path / "points" / "checkpoint-5").glob("rng_*")} == {"rng_state_0.pth", "rng_state_1.pth"}


def encoded(model_folder: Path) -> list[EncodedRow]:
    tokenizer = load_tokenizer(model_folder)
    return [encode_row(tokenizer, each) for each in ROWS]


def train_process(base: Path, folder: Path, out: str) -> subprocess.Popen[str]:
    arguments = ["train", "--in", "rows.jsonl", "--out", out, "--model", str(base), "--settings", "settings.json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, "-m", "trainer", *arguments], cwd=folder, env=environment, stdout=-1, text=True)


def test_bfloat16_trains_a_float32_adapter(model_folder: Path) -> None:
    tokenizer = load_tokenizer(model_folder)
    training = replace(SETTINGS.training, dtype="bfloat16")
    fitted = fit(load_model(model_folder, "bfloat16"), [encode_row(tokenizer, each) for each in ROWS], training, seed=0)
    assert {weight.dtype for weight in fitted.model.parameters() if weight.requires_grad} == {torch.float32}
    assert fitted.losses[-1] < fitted.losses[0]


def test_learning_rate_zero_changes_nothing(model_folder: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, training=replace(SETTINGS.training, learning_rate=0.0))
    train(ROWS[:4], model_folder, tmp_path / "out", settings)
    before, after = load_file(model_folder / "model.safetensors"), load_file(tmp_path / "out" / "merged" / "model.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_no_rows_or_only_long_ones_are_refused(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing was selected"):
        train([], model_folder, tmp_path / "out", SETTINGS)
    with pytest.raises(InputError, match="max_length"):
        train(ROWS, model_folder, tmp_path / "out", with_limit(3))
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="is there already"), publishing(tmp_path / "out"):
        pass


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "old").touch()
    with publishing(tmp_path / "out") as folder:
        (folder / "new").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="cannot be written"), publishing(tmp_path / "file" / "out"):
        pass


def test_nothing_is_left_when_the_disk_is_full(model_folder: Path, tmp_path: Path) -> None:
    with files_of_at_most(40_000), pytest.raises(CheckpointError, match="nothing was kept"):
        train(ROWS[:4], model_folder, tmp_path / "out", SETTINGS)
    assert not list(tmp_path.iterdir())


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let every write beyond `size` bytes of a file fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
