"""The whole loop by hand through `python -m trainer`, with the shipped base and with the scripted engine, and its refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.prompts import direct_messages
from toolcalls.records import Message, Sample
from toolcalls.rendering import render
from toolcalls.wire import to_json
from trainer.cli import main
from trainer.engines.scripted import encode_bytes

ROOT = Path(__file__).parents[2]
BASE = ROOT / "trainer" / "tiny" / "checkpoint"
PROPERTIES = {"city": {"type": "string"}, "days": {"type": "integer"}}
TOOLS = ({"name": "weather", "parameters": {"type": "dict", "properties": PROPERTIES}},)
HEAVY = ("torch", "transformers", "peft", "django", "celery", "curation", "worker")


def sample(number: int, truth: tuple[Call, ...] | None = None) -> Sample:
    calls = truth or (Call("weather", {"city": f"City{number}", "days": number}),)
    return Sample(id=f"s{number}", tools=TOOLS, messages=(Message("user", f"Weather in City{number}?"),), truth=calls)


def write_lines(path: Path, values: list[Any]) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, Any]]]:
    """`run(command, in, out, *flags)` in tmp_path: what it says on stdout. The command must succeed."""

    def call(command: str, source: str, target: str, *flags: str) -> list[dict[str, Any]]:
        code = main([command, "--in", str(tmp_path / source), "--out", str(tmp_path / target), *flags])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        return [json.loads(line) for line in captured.out.splitlines()]

    return call


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`refused(code, command, in, *flags)`: the message on stderr; nothing may have been written."""

    def call(code: int, command: str, source: str, *flags: str) -> str:
        before = sorted(tmp_path.iterdir())
        assert main([command, "--in", str(tmp_path / source), "--out", str(tmp_path / "never"), *flags]) == code
        assert sorted(tmp_path.iterdir()) == before
        return capsys.readouterr().err

    return call


def script(folder: Path, answers: dict[str, list[str]], **more: Any) -> tuple[str, ...]:
    """Flags of a scripted engine."""
    path = folder / "script.json"
    path.write_text(json.dumps({"answers": answers, "default": ["[weather()]"], **more}))
    return "--engine", "scripted", "--model", str(path)


def texts(*numbers: int) -> list[str]:
    return [render((Call("weather", {"city": f"City{number}", "days": number}),)) for number in numbers]


def test_loop_with_scripted_answers_selects_and_assembles_what_the_paper_says(tmp_path: Path, run: Any) -> None:
    write_lines(tmp_path / "pool", [to_json(sample(number)) for number in range(3)])
    flags = script(tmp_path, {"s0": [*texts(7), *texts(0)], "s1": ['[weather(city="City1", days=9)]'], "s2": ["no"]})
    assert run("sample", "pool", "sampled", *flags, "--k", "4") == [{"samples": 3, "attempts": 12}]
    assert run("refine", "sampled", "refined", *flags, "--k", "2") == [{"samples": 3, "refined": 3, "attempts": 6}]
    [counts] = run("select", "refined", "selected")
    assert (counts["selected_direct"], counts["selected_refine"], counts["selected"], counts["identical"]) == (2, 2, 4, 0)
    assert run("assemble", "selected", "rows") == [{"rows": 4, "direct": 2, "refine": 2}]
    rows = {(row["sample_id"], row["kind"]): row for row in read_lines(tmp_path / "rows")}
    assert {row["target"] for row in rows.values()} == set(texts(0, 1))
    assert [message["content"] for message in rows["s0", "refine"]["messages"]][2] == texts(7)[0]
    assert rows["s0", "direct"]["messages"] == rows["s0", "refine"]["messages"][:2]
    lines = read_lines(tmp_path / "selected")
    assert [line["direct_verdict"]["reason"] for line in lines] == ["", "", "not_a_call"]
    assert [line["first_answer"]["text"] for line in lines] == [texts(7)[0], '[weather(city="City1", days=9)]', "no"]


def test_seeds_depend_on_iteration_turn_and_attempt(tmp_path: Path, run: Any) -> None:
    write_lines(tmp_path / "pool", [to_json(sample(0))])
    flags = (*script(tmp_path, {}), "--k", "2")
    run("sample", "pool", "one", *flags)
    run("sample", "pool", "two", *flags, "--iteration", "2")
    run("refine", "one", "refined", *flags)
    seeds = [answer["seed"] for name in ("one", "two") for answer in read_lines(tmp_path / name)[0]["direct"]]
    assert len({*seeds, *(answer["seed"] for answer in read_lines(tmp_path / "refined")[0]["refine"])}) == 6


def test_no_usable_first_answer_gives_no_pair(tmp_path: Path, run: Any) -> None:
    write_lines(tmp_path / "pool", [to_json(sample(0))])
    flags = (*script(tmp_path, {"s0": ["", *texts(0)]}), "--k", "2")
    run("sample", "pool", "sampled", *flags)
    assert run("refine", "sampled", "refined", *flags)[0]["refined"] == 0
    assert run("select", "refined", "selected")[0]["selected"] == 1
    [line] = read_lines(tmp_path / "selected")
    assert (line["first_answer"], line["refine"], "refine_verdict" in line) == (None, [], False)


def test_refine_scope_selected_asks_only_for_what_was_selected(tmp_path: Path, run: Any, refused: Any) -> None:
    write_lines(tmp_path / "pool", [to_json(sample(0)), to_json(sample(1))])
    (tmp_path / "settings").write_text('{"refine_scope": "selected", "first_answer": "greedy"}')
    flags = (*script(tmp_path, {"s0": texts(0)}), "--k", "2", "--settings", str(tmp_path / "settings"))
    run("sample", "pool", "sampled", *flags)
    assert "run `select` first" in refused(2, "refine", "sampled", *flags)
    run("select", "sampled", "selected")
    assert run("refine", "selected", "refined", *flags)[0]["refined"] == 1


def test_with_selection_off_every_sample_and_first_answer_gives_a_row(tmp_path: Path, run: Any, refused: Any) -> None:
    write_lines(
        tmp_path / "pool",
        [*(to_json(sample(number)) for number in range(3)), {**to_json(sample(3)), "truth": None, "truth_text": "No."}],
    )
    (tmp_path / "settings").write_text('{"selection": "off", "k": 1}')
    flags = (*script(tmp_path, {"s0": texts(0), "s1": ["[other()]"], "s2": [""]}), "--settings", str(tmp_path / "settings"))
    assert run("sample", "pool", "sampled", *flags)[0]["attempts"] == 4
    assert "run `select`" in refused(2, "assemble", "sampled", "--settings", str(tmp_path / "settings"))
    run("select", "sampled", "unrefined", "--settings", str(tmp_path / "settings"))
    assert "run `refine`" in refused(2, "assemble", "unrefined", "--settings", str(tmp_path / "settings"))
    refined = run("refine", "sampled", "refined", *flags)[0]
    assert (refined["attempts"], refined["refined"]) == (0, 3)
    counted = run("select", "refined", "selected", "--settings", str(tmp_path / "settings"))[0]
    assert (counted["selected_direct"], counted["selected_refine"], counted["identical"]) == (3, 2, 1)
    assert run("assemble", "selected", "rows", "--settings", str(tmp_path / "settings"))[0] == {
        "rows": 5,
        "direct": 3,
        "refine": 2,
    }


def test_without_refine_data_no_first_answer_is_refined(tmp_path: Path, run: Any) -> None:
    write_lines(tmp_path / "pool", [to_json(sample(number)) for number in range(2)])
    (tmp_path / "settings").write_text('{"refine_scope": "none"}')
    flags = (*script(tmp_path, {"s0": texts(0)}), "--k", "2", "--settings", str(tmp_path / "settings"))
    run("sample", "pool", "sampled", *flags)
    assert run("refine", "sampled", "refined", *flags)[0]["attempts"] == 0
    run("select", "refined", "selected", "--settings", str(tmp_path / "settings"))
    assert run("assemble", "selected", "rows", "--settings", str(tmp_path / "settings"))[0] == {
        "rows": 1,
        "direct": 1,
        "refine": 0,
    }


def test_evaluate_scores_direct_and_adaptive_from_one_trace(tmp_path: Path, run: Any) -> None:
    samples = [*(to_json(sample(number)) for number in range(2)), {**to_json(sample(2)), "truth": None, "truth_text": "No."}]
    write_lines(tmp_path / "held", samples)
    [summary] = run("evaluate", "held", "traces", *script(tmp_path, {"s0": texts(0)}), "--n", "3")
    assert (summary["samples"], summary["no_call_left_out"]) == (2, 1)
    assert summary["direct"] == summary["adaptive"]
    assert (summary["direct"]["right"], summary["direct"]["accuracy"], summary["mean_turns"]) == (1, 0.5, 1.0)
    assert 0 < summary["direct"]["low"] < 0.5 < summary["direct"]["high"] < 1
    [first, _] = read_lines(tmp_path / "traces")
    assert (first["trace"], first["finished"], first["direct"], first["turns"]) == (texts(0) * 4, [True] * 4, True, 1)


def test_an_evaluated_answer_stands_where_its_refine_prompt_does_not_fit(tmp_path: Path, run: Any) -> None:
    write_lines(tmp_path / "held", [to_json(sample(0))])
    room = len(encode_bytes(direct_messages(sample(0)))) + 64
    flags = ("--max-length", str(room), "--max-new-tokens", "64")
    [summary] = run("evaluate", "held", "traces", *script(tmp_path, {"s0": texts(0)}), *flags)
    assert (summary["direct"]["right"], summary["adaptive"]["right"], summary["mean_turns"]) == (1, 1, 1.0)
    [line] = read_lines(tmp_path / "traces")
    assert (line["trace"], line["finished"]) == (texts(0) * 6, [True] * 6)


def test_walk_with_the_shipped_base_trains_and_uses_what_it_trained(tmp_path: Path, run: Any) -> None:
    if not BASE.is_dir():
        pytest.skip("the tiny base is not built")
    from trainer.tiny.world import world_samples

    write_lines(tmp_path / "pool", [to_json(each) for each in world_samples("pretraining", count=6, seed=5)])
    (tmp_path / "settings").write_text('{"prompts": "fixed", "training": {"learning_rate": 0.001, "batch_rows": 4}}')
    settings = ("--settings", str(tmp_path / "settings"))
    flags = (*settings, "--model", str(BASE), "--dtype", "float32", "--k", "2", "--max-new-tokens", "80")
    run("sample", "pool", "sampled", *flags)
    run("refine", "sampled", "refined", *flags)
    [counts] = run("select", "refined", "selected", *settings)
    [assembled] = run("assemble", "selected", "rows", *settings)
    assert assembled["rows"] == counts["selected"] > 0
    *steps, done = run("train", "rows", "checkpoint", "--model", str(BASE), "--dtype", "float32", *settings)
    assert [step["step"] for step in steps] == list(range(1, -(-assembled["rows"] // 4) + 1))
    assert (done["done"], done["rows"], done["too_long"]) == (True, assembled["rows"], 0)
    sampled = {line["sample"]["id"]: line["direct"][0] for line in read_lines(tmp_path / "sampled")}
    from trainer.encoding import prompt_hash

    for row in read_lines(tmp_path / "checkpoint" / "rows.jsonl"):
        if row["kind"] == "direct":
            assert prompt_hash(row["input_ids"][: row["label_span"][0]]) == sampled[row["sample_id"]]["prompt_hash"]
    merged = ("--model", str(tmp_path / "checkpoint" / "merged"), "--max-new-tokens", "80", "--n", "1", *settings)
    assert run("evaluate", "pool", "traces", *merged)[0]["samples"] == 6


def test_refusals_say_what_where_and_what_to_do(tmp_path: Path, refused: Any) -> None:
    write_lines(tmp_path / "pool", [to_json(sample(0))])
    (tmp_path / "broken").write_text(json.dumps(to_json(sample(0))) + '\n{"id": \n')
    write_lines(tmp_path / "unknown", [to_json(sample(0, (Call("fly", {}),)))])
    (tmp_path / "empty").touch()
    (tmp_path / "settings").write_text('{"kk": 3}')
    flags = script(tmp_path, {})
    assert "line 2" in refused(2, "sample", "broken", *flags)
    assert "fly" in refused(2, "sample", "unknown", *flags)
    assert "holds no sample" in refused(2, "sample", "empty", *flags)
    assert "cannot be read" in refused(2, "sample", "absent", *flags)
    assert "did you mean" in refused(2, "sample", "pool", *flags, "--settings", str(tmp_path / "settings"))
    assert "k: 0 is out of range" in refused(2, "sample", "pool", *flags, "--k", "0")
    assert "is no folder" in refused(2, "sample", "pool", "--model", str(tmp_path / "absent"))
    assert "line 1" in refused(2, "select", "pool")
    assert "no training row" in refused(2, "train", "empty", "--model", str(tmp_path))
    assert "is no script" in refused(3, "sample", "pool", "--engine", "scripted", "--model", str(tmp_path / "absent"))


def test_nothing_is_written_when_the_engine_fails_in_the_middle(tmp_path: Path, refused: Any) -> None:
    write_lines(tmp_path / "pool", [to_json(sample(number)) for number in range(3)])
    flags = script(tmp_path, {}, fail_at=3)
    (tmp_path / "settings").write_text('{"shard_samples": 1}')
    assert "fails at request 3" in refused(3, "sample", "pool", *flags, "--settings", str(tmp_path / "settings"))


def test_an_output_that_cannot_be_written_is_exit_code_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = write_lines(tmp_path / "pool", [to_json(sample(0))])
    code = main(["sample", "--in", str(pool), "--out", str(tmp_path / "pool" / "x"), *script(tmp_path, {})])
    assert code == 3
    assert "cannot be written" in capsys.readouterr().err


def test_help_and_light_modules_load_no_torch_and_no_django() -> None:
    code = (
        "import sys, contextlib, trainer.engines.protocol, trainer.cli\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(None): trainer.cli.main(['--help'])\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert result.stdout.strip() == "[]"


def test_until_hit_selects_what_all_attempts_select(tmp_path: Path, run: Any) -> None:
    write_lines(tmp_path / "pool", [to_json(sample(number)) for number in range(3)])
    (tmp_path / "until").write_text('{"sampling_mode": "until_hit", "k": 4}')
    flags = (*script(tmp_path, {"s0": [*texts(7), *texts(0)], "s1": texts(1)}), "--k", "4")
    until = ("--settings", str(tmp_path / "until"))
    assert run("sample", "pool", "all", *flags)[0]["attempts"] == 12
    assert run("sample", "pool", "some", *flags, *until) == [{"samples": 3, "attempts": 2 + 1 + 4}]
    assert run("refine", "some", "refined", *flags, *until) == [{"samples": 3, "refined": 3, "attempts": 2 + 1 + 4}]
    counts = run("select", "refined", "selected", *until)[0]
    run("refine", "all", "all_refined", *flags)
    assert run("select", "all_refined", "all_selected") == [counts]
    assert [counts[name] for name in ("selected_direct", "selected_refine")] == [2, 2]
    lines = zip(read_lines(tmp_path / "selected"), read_lines(tmp_path / "all_selected"), strict=True)
    for some, all_ in lines:
        assert some["direct"] == all_["direct"][: len(some["direct"])]
        assert some["refine"] == all_["refine"][: len(some["refine"])]
        assert some["direct_verdict"]["censored"] == (len(some["direct"]) < 4)
        assert not all_["direct_verdict"]["censored"]
