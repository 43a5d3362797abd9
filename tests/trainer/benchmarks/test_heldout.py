"""`evaluate --benchmark heldout`: a project's own samples of a file, with the strategies and reports of a benchmark."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainer.cli import main

TOOL = {"name": "weather", "parameters": {"type": "object", "properties": {"days": {"type": "integer"}}}}
RULES = [("The weather of 0 days", "[weather(days=0)]"), ("The weather of 1 days", "[weather(days=1.5)]")]


@pytest.fixture
def split(tmp_path: Path) -> Callable[..., Path]:
    """`split(count=3, **more)`: samples s0, s1, … of a held-out split, the last of which calls nothing."""

    def make(count: int = 3, **more: Any) -> Path:
        lines = []
        for number in range(count):
            truth = None if number == count - 1 else [{"name": "weather", "arguments": {"days": number}}]
            asked = [{"role": "user", "content": f"The weather of {number} days"}]
            sample = {"id": f"s{number}", "tools": [TOOL], "messages": asked, "truth": truth, "truth_text": "None.", **more}
            lines.append(json.dumps({**sample, "split": "heldout", "category": "simple"}))
        path = tmp_path / "split.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return make


@pytest.fixture
def evaluate(tmp_path: Path, script: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`evaluate(*flags)`: the exit code, what is printed, and what is said on stderr."""

    def call(*flags: str) -> tuple[int, str, str]:
        model = ("--engine", "scripted", "--model", str(script(rules=RULES)), "--out", str(tmp_path / "out"))
        code = main(["evaluate", "--benchmark", "heldout", *model, *flags])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_samples_of_a_file_are_reported_as_a_benchmark_is(tmp_path: Path, split: Any, evaluate: Any) -> None:
    code, out, _ = evaluate("--in", str(split()), "--n", "10")
    assert code == 0
    [report] = json.loads(out)["reports"]
    assert (report["benchmark"], report["items"], report["curves"]["n"]) == ("heldout", 2, list(range(1, 11)))
    assert report["curves"]["overall"]["vanilla"] == [0.5] * 10
    assert report["errors"]["direct"] == {"param_mismatch": 1}
    assert (tmp_path / "out" / "report.txt").read_text(encoding="utf-8").startswith("heldout: 2 items")


def test_the_settings_rules_decide_and_make_it_another_evaluation(tmp_path: Path, split: Any, evaluate: Any) -> None:
    given = ["--in", str(split())]
    assert evaluate(*given)[0] == 0
    settings = tmp_path / "settings.json"
    settings.write_text('{"no_call_policy": "any_no_call"}', encoding="utf-8")
    code, _, said = evaluate(*given, "--settings", str(settings))
    assert code == 2 and "benchmarks.heldout" in said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "needs --in"),
        (["--in", "FILE", "--categories", "simple"], "asked whole"),
        (["--in", "FILE", "--prompts", "own"], "by Fig. 5"),
        (["--in", "FILE", "--split", "train"], "no sample of split train"),
        (["--in", "none.jsonl"], "cannot be read"),
    ],
)
def test_what_cannot_be_evaluated_is_told(split: Any, evaluate: Any, flags: list[str], said: str) -> None:
    code, _, message = evaluate(*(str(split()) if flag == "FILE" else flag for flag in flags))
    assert code == 2 and said in message


def test_samples_that_cannot_be_told_apart_or_call_nothing_are_refused(split: Any, evaluate: Any) -> None:
    code, _, message = evaluate("--in", str(split(1)))
    assert code == 2 and "no sample's truth calls anything" in message
    code, _, message = evaluate("--in", str(split(id="same")))
    assert code == 2 and "'same'" in message
