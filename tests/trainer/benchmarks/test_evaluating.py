"""`evaluate --benchmark` with a scripted engine, from files to report."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trainer.benchmarks.command import spread
from trainer.benchmarks.flags import name_server
from trainer.benchmarks.folder import differences
from trainer.benchmarks.plan import model_of
from trainer.cli import main

ROOT = Path(__file__).parents[3]
REFINE = "Please refine your answer."


def asked(number: int) -> str:
    return f"The weather of {number} days"


def right(number: int) -> str:
    return f"[weather(days={number})]"


def wrong(number: int) -> str:
    return f"[weather(days={number + 100})]"


def refined(answer: str) -> str:
    """What the prompt of the turn after an answer holds."""
    return f"{answer}<|end|><|user|>{REFINE}"


FIXED = [(refined(wrong(0)), right(0)), (refined(right(0)), right(0)), (asked(0), wrong(0))]
BROKEN = [(refined(right(1)), wrong(1)), (refined(wrong(1)), wrong(1)), (asked(1), right(1))]
SWAYING = [(refined(right(2)), wrong(2)), (refined(wrong(2)), right(2)), (asked(2), right(2))]
RULES = [*FIXED, *BROKEN, *SWAYING, *((asked(number), right(number)) for number in (3, 4))]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_evaluation_gives_traces_verdicts_and_figures(tmp_path: Path, script: Any, run: Any) -> None:
    found = run(script(rules=RULES), "--n", "4")
    [report] = found["reports"]
    simple = report["categories"]["simple_python"]
    assert (simple["direct"]["right"], simple["adaptive"]["right"], simple["direct"]["total"]) == (4, 4, 6)
    assert (simple["vanilla"]["right"], simple["self_consistency"]["right"]) == (4, 3)  # w2 sways, and turn 1 is wrong
    assert report["categories"]["irrelevance"]["direct"]["right"] == 2
    assert (report["beside"], report["available"], report["averages"]["overall"]["direct"]) == (["irrelevance"], None, None)
    refinement = report["refinement"]
    assert (refinement["items"], refinement["fixes"], refinement["breaks"]) == (6, 1, 1)
    assert refinement["mean_turns"] == (2 + 2 + 4 + 1 + 1 + 1) / 6
    items = {line["id"]: line for line in lines(tmp_path / "out" / "items.jsonl")}
    assert items["w0"]["answers"] == [wrong(0), *[right(0)] * 4]
    assert items["w0"]["right"] == [False, True, True, True, True]
    assert items["w0"]["error_types"][:2] == ["value_error:others", None]
    assert items["w2"]["answers"] == [right(2), wrong(2)] * 2 + [right(2)]
    assert [tokens > 0 for tokens in items["w0"]["completion_tokens"]] == [True, True, True, False, False]
    assert items["w5"]["error_types"] == ["ast_decoder:decoder_failed"] * 5
    rows = list(csv.DictReader((tmp_path / "out" / "report.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["benchmark"] for row in rows} == {"bfcl"}
    text = (tmp_path / "out" / "report.txt").read_text(encoding="utf-8")
    assert "bfcl: not the known files: BFCL_v4_irrelevance.json" in text
    assert "  paper: ToolACE-R (FC)" in text
    assert found == json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))


def test_all_items_of_a_turn_are_one_batch(tmp_path: Path, script: Any, run: Any) -> None:
    run(script(rules=RULES), "--n", "2")
    turns = [line["turn"] for line in lines(tmp_path / "out" / "answers.jsonl")]
    assert turns == [0] * 8 + [1] * 8 + [2] * 3  # w0, w1 and w2 had not settled


def test_a_limit_is_said_in_every_result(tmp_path: Path, script: Any, run: Any) -> None:
    found = run(script(rules=RULES), "--limit", "4")
    assert (found["limit"], found["reports"][0]["items"], found["reports"][0]["available"]) == (4, 4, 8)
    assert [line["id"] for line in lines(tmp_path / "out" / "items.jsonl")] == ["w0", "w2", "w4", "no0"]
    assert "bfcl: 4 of its 8 items" in (tmp_path / "out" / "report.txt").read_text(encoding="utf-8")
    assert "bfcl,limited,items,,5,4,,8,," in (tmp_path / "out" / "report.csv").read_text(encoding="utf-8")


def test_a_question_that_does_not_fit_is_wrong_and_shown(tmp_path: Path, script: Any, run: Any) -> None:
    found = run(script(rules=RULES), "--max-length", "600", "--max-new-tokens", "100")
    assert found["reports"][0]["errors"]["direct"]["too_long"] == 8
    assert "8 items did not fit" in (tmp_path / "out" / "report.txt").read_text(encoding="utf-8")


def test_an_answer_that_is_cut_off_is_wrong(script: Any, run: Any) -> None:
    found = run(script(rules=RULES), "--max-new-tokens", "18")  # one more than what the right answers take
    assert found["reports"][0]["categories"]["simple_python"]["direct"]["right"] == 4
    found = run(script(rules=RULES), "--max-new-tokens", "17", out="shorter")
    assert found["reports"][0]["categories"]["simple_python"]["direct"]["right"] == 0


def test_an_evaluation_that_was_killed_goes_on_from_its_answers(tmp_path: Path, script: Any, flags: Any, run: Any) -> None:
    model = script(rules=RULES, die_at=11, once=str(tmp_path / "died"))
    command = [sys.executable, "-m", "trainer", *flags(model, "--n", "3")]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 137
    folder = tmp_path / "out"
    assert len(lines(folder / "answers.jsonl")) == 10
    with (folder / "answers.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"benchmark": "bfcl", "item": "w')  # what a kill leaves of a line
    found = run(model, "--n", "3")
    given = [(line["item"], line["turn"]) for line in lines(folder / "answers.jsonl")]
    assert len(given) == len(set(given))
    assert found["reports"] == run(script("other", rules=RULES), "--n", "3", out="undisturbed")["reports"]
    assert (folder / "items.jsonl").read_bytes() == (tmp_path / "undisturbed" / "items.jsonl").read_bytes()


def test_a_finished_evaluation_is_reported_again_without_asking(tmp_path: Path, script: Any, run: Any) -> None:
    marker = tmp_path / "failed"
    marker.touch()
    model = script(rules=RULES, fail_at=1, once=str(marker))
    first = run(model)
    marker.unlink()  # from now on it fails at once
    assert run(model) == first


def test_an_engine_that_fails_keeps_what_it_answered(tmp_path: Path, script: Any, run: Any, refused: Any) -> None:
    model = script(rules=RULES, fail_at=5, once=str(tmp_path / "failed"))
    assert "The script fails at request 5" in refused(3, model)
    assert len(lines(tmp_path / "out" / "answers.jsonl")) == 4
    assert run(model)["reports"][0]["items"] == 8


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--n", "3"), "n: 5 there, 3 now"),
        (("--limit", "3"), "limit: null there, 3 now"),
        (("--categories", "simple_python"), "categories: "),
    ],
)
def test_other_settings_do_not_go_on_with_an_evaluation(script: Any, run: Any, refused: Any, more: Any, said: str) -> None:
    run(script(rules=RULES))
    assert said in refused(2, script(rules=RULES), *more)


def test_another_model_or_changed_questions_do_not_go_on_with_an_evaluation(
    data: Path, script: Any, run: Any, refused: Any
) -> None:
    run(script(rules=RULES))
    assert "model.sha256: " in refused(2, script(rules=FIXED))
    path = data / "bfcl" / "BFCL_v4_simple_python.json"
    path.write_text(path.read_text(encoding="utf-8").replace("please", "now"), encoding="utf-8")
    assert "benchmarks.bfcl.digest: " in refused(2, script(rules=RULES))


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, script: Any, refused: Any) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    assert "holds 'thesis.txt' and is no evaluation's folder" in refused(2, script())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_answers_of_something_else_are_left_alone(tmp_path: Path, script: Any, refused: Any) -> None:
    (tmp_path / "out").mkdir()
    theirs = tmp_path / "out" / "answers.jsonl"
    theirs.write_text('{"mine": 1}\n{"mine": 2}')
    assert "holds 'answers.jsonl' and is no evaluation's folder" in refused(2, script())
    assert theirs.read_text() == '{"mine": 1}\n{"mine": 2}'


def test_a_process_that_ended_before_its_first_answer_leaves_a_folder_to_go_on_with(
    tmp_path: Path, script: Any, run: Any
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "answers.jsonl").touch()
    assert run(script(rules=RULES))["reports"][0]["items"] == 8


def test_a_full_disk_keeps_what_was_answered(tmp_path: Path, script: Any, flags: Any, run: Any) -> None:
    few_bytes = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))"
    command = [sys.executable, "-c", f"{few_bytes}; from trainer.cli import main; sys.exit(main())", *flags(script(rules=RULES))]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    path = tmp_path / "out" / "answers.jsonl"
    assert (found.returncode, found.stderr.splitlines()[-1]) == (
        3,
        f"error: {path}: cannot be written (File too large). Free space; the rest is kept.",
    )
    whole = path.read_text(encoding="utf-8").count("\n")
    assert whole > 0
    assert run(script(rules=RULES))["reports"] == run(script(rules=RULES), out="undisturbed")["reports"]
    assert len(lines(path)) == len(lines(tmp_path / "undisturbed" / "answers.jsonl"))


def test_a_baseline_is_compared_item_by_item(tmp_path: Path, data: Path, script: Any, run: Any, refused: Any) -> None:
    before = script("before", rules=[(asked(0), wrong(0)), (asked(3), right(3))])
    run(before, out="before")
    found = run(script(rules=RULES), "--baseline", str(tmp_path / "before"))
    direct, adaptive = found["baseline"]["contrasts"]
    assert (direct["strategy"], adaptive["strategy"], direct["items"]) == ("direct", "adaptive", 8)
    assert (found["baseline"]["n"], found["baseline"]["note"]) == (5, "")
    counts = direct["categories"]["simple_python"]
    assert (counts["both"], counts["only_first"], counts["only_second"], counts["neither"]) == (1, 0, 3, 2)
    assert counts["verdict"] == "no difference that these items show"
    assert "Adaptive Self-Refine, bfcl: this against" in (tmp_path / "out" / "report.txt").read_text(encoding="utf-8")
    assert "is no folder of an evaluation" in refused(2, script(), "--baseline", str(tmp_path / "data"), out="new")
    run(script(rules=RULES), "--categories", "irrelevance", out="other")
    said = refused(2, script(), "--categories", "simple_python", "--baseline", str(tmp_path / "other"), out="new")
    assert "shares no question with this evaluation, it has 2 of bfcl" in said
    assert not (tmp_path / "new").exists()
    path = data / "bfcl" / "BFCL_v4_simple_python.json"
    path.write_text(path.read_text(encoding="utf-8").replace("please", "now"), encoding="utf-8")
    said = refused(2, script(), "--baseline", str(tmp_path / "before"), out="new")
    assert "its bfcl was read from other files (BFCL_v4_simple_python.json)" in said


@pytest.mark.parametrize(
    ("n", "strategies", "said"),
    [
        ("1", ["direct", "adaptive"], "refines at most 1 time, this at most 5 times; each is compared at its own."),
        ("0", ["direct"], "has n = 0, this n = 5, so only direct answers are compared."),
    ],
)
def test_a_baseline_of_another_n_is_told(tmp_path: Path, script: Any, run: Any, n: str, strategies: list[str], said: str) -> None:
    run(script(rules=RULES), "--n", n, out="before")
    found = run(script(rules=RULES), "--baseline", str(tmp_path / "before"))
    baseline = found["baseline"]
    assert (found["n"], baseline["n"]) == (5, int(n))
    assert [each["strategy"] for each in baseline["contrasts"]] == strategies
    assert baseline["note"] == f"Not the same n: {tmp_path / 'before'} {said}"
    assert (tmp_path / "out" / "report.txt").read_text(encoding="utf-8").endswith(f"\n{baseline['note']}\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--in", "samples.jsonl"), "others read theirs from --data"),
        (("--benchmark", "bfcl,bfcl"), "names one twice"),
        (("--benchmark", "bfcl,acebench"), "--categories are those of one benchmark"),
        (("--categories", "simple_cobol"), "no category 'simple_cobol'"),
        (("--benchmark", "mmlu"), "no benchmark 'mmlu'"),
        (("--changed-files", "refuse"), "is not the benchmark's file as Whetstone knows it"),
        (("--categories", ","), "no category of bfcl is chosen; there are simple_python"),
        (("--data", "/nowhere"), "/nowhere: is no folder"),
        (("--data", "/"), "no bfcl there"),
        (("--mode", "fc"), "--mode and --missing are of --outputs"),
        (("--missing", "wrong"), "--mode and --missing are of --outputs"),
        (("--name", "ours"), "give the server's address (http…) with --model"),
        (("--model", "http://127.0.0.1:9/v1"), "give the model's name there with --name"),
    ],
)
def test_what_does_not_go_together_is_told(tmp_path: Path, script: Any, refused: Any, more: Any, said: str) -> None:
    assert said in refused(2, script(), *more)
    assert not (tmp_path / "out").exists()


FLAGS = [
    *(("--limit", "3"), ("--baseline", "before"), ("--data", "data"), ("--name", "ours"), ("--prompts", "own")),
    *(("--missing", "wrong"), ("--changed-files", "allow")),
]


@pytest.mark.parametrize(("flag", "value"), FLAGS)
def test_flags_of_benchmarks_are_not_passed_over_without_one(flag: str, value: str, script: Any, capsys: Any) -> None:
    command = ["evaluate", "--engine", "scripted", "--model", str(script()), "--in", "samples.jsonl", "--out", "out.jsonl"]
    assert main([*command, flag, value]) == 2
    assert f"{flag} goes with --benchmark" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_that_is_no_number_of_items_is_told(limit: str, flags: Any, script: Any, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(flags(script(), f"--limit={limit}"))
    assert f"a whole number of items expected, at least 1, not '{limit}'" in capsys.readouterr().err


def test_a_reader_that_goes_leaves_no_traceback(flags: Any, script: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trainer", *flags(script(rules=RULES))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
        assert process.wait() == 141
    assert (tmp_path / "out" / "report.json").exists()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A program that is begun in the background of a shell ignores interrupts, and so would the ones that it begins."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_leaves_no_traceback(flags: Any, script: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trainer", *flags(script(rules=RULES, seconds=30))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "out" / "evaluation.json").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert said == "error: interrupted\n"
    assert process.returncode in (130, -signal.SIGINT)  # the latter where it fell into an import, as Python has it


def test_a_limited_choice_is_spread_evenly() -> None:
    assert spread(range(10), None) == range(10)
    assert spread(range(10), 12) == range(10)
    assert list(spread(range(10), 4)) == [0, 2, 5, 7]
    assert list(spread(range(3641), 1)) == [0]


def test_plans_differ_in_what_they_say_differently() -> None:
    one = {"n": 5, "model": {"name": "a", "sha256": "1"}, "limit": None}
    other = {"n": 5, "model": {"name": "a", "sha256": "2"}}
    assert differences(one, other) == ['model.sha256: "2" there, "1" now']


def test_an_address_is_a_server_of_the_openai_engine() -> None:
    given = Namespace(model="http://gpu-box:8000/v1", name="ours", engine="transformers", options={"concurrency": 8})
    name_server(given)
    assert (given.engine, given.model) == ("openai", "ours")
    assert given.options == {"url": "http://gpu-box:8000/v1", "concurrency": 8}
    assert model_of(given) == {"name": "ours", "url": "http://gpu-box:8000/v1", "body": None}


def test_a_model_is_another_when_anything_beside_its_weights_changes(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    given = Namespace(model=str(tmp_path), engine="transformers", options={})
    (tmp_path / "chat_template.jinja").write_text("one")
    first = model_of(given)
    (tmp_path / "chat_template.jinja").write_text("two")
    second = model_of(given)
    (tmp_path / "model.safetensors").write_bytes(b"Weights")
    assert len({each["sha256"] for each in (first, second, model_of(given))}) == 3
    assert first["name"] == tmp_path.name


def test_published_outputs_are_scored_into_the_same_folder(
    tmp_path: Path, script: Any, flags: Any, run: Any, capsys: Any
) -> None:
    published = tmp_path / "BFCL_v4_simple_python_result.json"
    given = [right(0), right(1), right(2), right(3), "Error during inference: gone"]
    published.write_text("".join(json.dumps({"id": f"w{n}", "result": text}) + "\n" for n, text in enumerate(given)))
    run(script(rules=RULES), out="asked")
    without_model = ["evaluate", "--benchmark", "bfcl", "--changed-files", "allow", "--data", str(tmp_path / "data")]
    command = [*without_model, "--categories", "simple_python", "--outputs", str(published), "--out", str(tmp_path / "scored")]
    assert main(command) == 2
    assert "outputs are missing: simple_python 1 of 6" in capsys.readouterr().err
    assert main([*command, "--missing", "wrong", "--baseline", str(tmp_path / "asked")]) == 0
    found = json.loads(capsys.readouterr().out)
    [report] = found["reports"]
    assert (report["categories"]["simple_python"]["direct"]["right"], report["items"], report["n"]) == (4, 6, 0)
    assert (report["missing"], report["missing_wrong"], report["curves"]) == ({"simple_python": 1}, True, {"n": []})
    assert found["outputs"]["mode"] == "prompt"
    text = (tmp_path / "scored" / "report.txt").read_text(encoding="utf-8")
    assert "lines that hold an error for an answer, judged as they stand: 1, the first " in text
    [direct] = found["baseline"]["contrasts"]
    assert (direct["strategy"], direct["items"], direct["only_first"]) == ("direct", 6, 2)
    assert main([*command, "--missing", "leave_out", "--out", str(tmp_path / "other")]) == 0
    left_out = json.loads(capsys.readouterr().out)["reports"][0]
    assert (left_out["items"], left_out["available"], left_out["missing_wrong"]) == (5, None, False)
    assert main([*command, "--limit", "3"]) == 2
    assert main([*command, "--n", "3"]) == 2
    assert "--n does not go with --outputs" in capsys.readouterr().err
    assert main([*command, "--model", "some"]) == 2
