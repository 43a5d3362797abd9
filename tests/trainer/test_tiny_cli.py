"""`python -m trainer.tiny`: samples as JSON lines, and refusals in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolcalls.wire import sample_from_json
from trainer.tiny.cli import main
from trainer.tiny.making import CHECKPOINT
from trainer.tiny.world import world_samples


def test_world_writes_samples_that_read_back_as_drawn(tmp_path: Path) -> None:
    out = tmp_path / "pool.jsonl"

    assert main(["world", "--setting", "easy", "--count", "20", "--seed", "3", "--split", "heldout", "--out", str(out)]) == 0

    read = [sample_from_json(json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()]
    assert read == world_samples("easy", count=20, seed=3, split="heldout")
    assert [path.name for path in tmp_path.iterdir()] == ["pool.jsonl"]


def test_world_into_a_missing_folder_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["world", "--count", "1", "--out", str(tmp_path / "nowhere" / "pool.jsonl")]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--setting", "impossible"], ["--count", "0"], ["--split", "test"]])
def test_world_refuses_values_that_do_not_exist(wrong: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["world", "--count", "1", "--out", str(tmp_path / "pool.jsonl"), *wrong])


def test_pretrain_refuses_a_folder_that_holds_something(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    assert main(["pretrain", "--out", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("arguments", [["--stage", "refine"], ["--stage", "all", "--base", "x"]])
def test_pretrain_refuses_a_base_where_there_is_none_to_go_on_from(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pretrain", "--out", str(tmp_path / "base"), *arguments]) == 2
    assert "--base" in capsys.readouterr().err
    assert not (tmp_path / "base").exists()


def test_pretrain_from_a_folder_that_is_no_model_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", "--stage", "refine", "--base", str(tmp_path / "none"), "--out", str(tmp_path / "base")]) == 2
    assert "none" in capsys.readouterr().err


def test_refining_a_base_of_another_seed_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["pretrain", "--stage", "refine", "--base", str(CHECKPOINT), "--seed", "5", "--out", str(tmp_path / "base")]

    assert main(command) == 2
    assert "make it anew" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
