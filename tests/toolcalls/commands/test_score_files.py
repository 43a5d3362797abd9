"""`python -m toolcalls score --outputs`: a model's result files as a whole."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

from toolcalls.benchmarks.catalogue import Benchmark, open_benchmark
from toolcalls.benchmarks.files import FileRead
from toolcalls.benchmarks.outputs import Outputs
from toolcalls.benchmarks.scoring import score_files
from toolcalls.cli import main
from toolcalls.commands.scoring import notes
from toolcalls.rendering import render


def _score(data: Path, outputs: Path, *more: str) -> int:
    return main(["score", "--benchmark", "bfcl", "--data", str(data), "--outputs", str(outputs), *more])


@pytest.fixture
def results(data_dir: Path, tmp_path: Path) -> Path:
    """All answers to one category, the first of them wrong."""
    items = open_benchmark("bfcl", data_dir, categories=["live_parallel"]).items
    rows = [{"id": item.id, "output": render(item.sample.truth or ())} for item in items]
    rows[0]["output"] = "No."
    path = tmp_path / "results.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_result_file_is_scored_as_json(results: Path, data_dir: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert _score(data_dir, results, "--categories", "live_parallel") == 0
    told = json.loads(capsysbinary.readouterr().out)
    found = told["categories"]["live_parallel"]["direct"]
    assert (found["right"], found["total"]) == (15, 16)
    assert told["errors"] == {"direct": {"ast_decoder:decoder_failed": 1}}
    assert (told["missing"], told["changed_files"], told["outputs"]["mode"]) == ({}, [], "prompt")


def test_scoring_leaves_the_search_for_garbage_as_it_was(results: Path, data_dir: Path) -> None:
    score_files("bfcl", data_dir, results, categories=["live_parallel"])
    assert gc.isenabled()
    gc.disable()
    try:
        score_files("bfcl", data_dir, results, categories=["live_parallel"])
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_missing_outputs_are_refused_unless_the_caller_says_so(
    results: Path, data_dir: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    chosen = ("--categories", "live_parallel", "live_parallel_multiple")
    assert _score(data_dir, results, *chosen) == 2
    assert "live_parallel_multiple 24 of 24" in json.loads(capsysbinary.readouterr().err)["error"]
    assert _score(data_dir, results, *chosen, "--missing", "wrong") == 0
    told = json.loads(capsysbinary.readouterr().out)
    assert (told["missing"], told["missing_wrong"]) == ({"live_parallel_multiple": 24}, True)
    assert told["averages"]["live"]["direct"] is None  # two of its categories were not scored


def test_what_a_table_cannot_say_is_noted() -> None:
    benchmark = Benchmark("bfcl", (), (FileRead("BFCL_v4_simple_python.json", "0", known=False),), "0")
    outputs = Outputs({}, "fc", ("r.json, line 2: Error during inference",), {"multi_turn_base": 0})
    told = "\n".join(notes(benchmark, outputs))
    assert "CHANGED BENCHMARK" in told and "BFCL_v4_simple_python.json" in told
    assert "mode fc" in told and "judged as they stand: 1, the first" in told and "passed over: multi_turn_base" in told
    assert list(notes(Benchmark("bfcl", (), (), "0"), Outputs({}, "prompt"))) == []
