"""Result files of other programs read as answers to a benchmark's items, and scored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from toolcalls.benchmarks.bfcl_ids import category_of_file, todays_id
from toolcalls.benchmarks.catalogue import Benchmark
from toolcalls.benchmarks.items import Item
from toolcalls.benchmarks.outputs import Given, read_published
from toolcalls.benchmarks.scoring import score_outputs, scores_json
from toolcalls.errors import InputError
from toolcalls.evaluation import Accuracy
from toolcalls.records import Message, Sample

TOOL = {"name": "a.f", "parameters": {"type": "dict", "properties": {"x": {"type": "integer"}}, "required": ["x"]}}
SAMPLE = Sample("one", (TOOL,), (Message("user", "F of 1?"),), None)


def item(identity: str, category: str, benchmark: str = "bfcl") -> Item:
    return Item(identity, benchmark, category, SAMPLE, None if "relevance" in category else [{"a.f": {"x": [1]}}])


ITEMS = (item("simple_python_0", "simple_python"), item("simple_python_1", "simple_python"), item("parallel_0", "parallel"))
BENCHMARK = Benchmark("bfcl", ITEMS, (), "0" * 64)


def written(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def row(identity: str, result: Any = "[a.f(x=1)]") -> dict[str, Any]:
    return {"id": identity, "result": result}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("simple_0", "simple_python_0"),
        ("java_12", "simple_java_12"),
        ("javascript_3", "simple_javascript_3"),
        ("parallel_function_7", "parallel_7"),
        ("multiple_function_7", "multiple_7"),
        ("parallel_multiple_function_7", "parallel_multiple_7"),
        ("relevance_7", "irrelevance_7"),
        ("parallel_7", "parallel_7"),
        ("live_simple_0-0-0", "live_simple_0-0-0"),
        ("nothing", "nothing"),
    ],
)
def test_older_ids_of_bfcl_are_todays(older: str, newer: str) -> None:
    assert todays_id(older) == newer


def test_category_of_a_result_file_is_told_by_its_name() -> None:
    assert category_of_file("BFCL_v3_simple_result.json") == "simple_python"
    assert category_of_file("BFCL_v4_live_multiple_result.json") == "live_multiple"
    assert category_of_file("gorilla_openfunctions_v1_test_java_result.json") == "simple_java"
    assert category_of_file("BFCL_v4_simple_python_score.json") == category_of_file("results.jsonl") == ""


def test_folder_of_results_is_read_whole(tmp_path: Path) -> None:
    written(tmp_path / "non_live" / "BFCL_v3_simple_result.json", row("simple_0"), row("simple_1"))
    written(tmp_path / "non_live" / "BFCL_v3_parallel_result.json", row("parallel_0", "[a.f(x=2)]"))
    written(tmp_path / "multi_turn" / "BFCL_v3_multi_turn_base_result.json", row("multi_turn_base_0", [["[g()]"]]))
    written(tmp_path / "BFCL_v3_parallel_score.json", {"accuracy": 1})
    found = read_published(tmp_path, ITEMS)
    assert found.given == {
        "parallel_0": Given(("[a.f(x=2)]",), ("stop",)),
        "simple_python_0": Given(("[a.f(x=1)]",), ("stop",)),
        "simple_python_1": Given(("[a.f(x=1)]",), ("stop",)),
    }
    assert (found.mode, found.failed) == ("prompt", ())
    assert found.passed_over == {"multi_turn_base": 0, "BFCL_v3_parallel_score.json": 0}


@pytest.mark.parametrize(
    "line",
    [
        {"id": "simple_0", "output": "[a.f(x=1)]"},
        {"id": "simple_python_0", "result": "[a.f(x=1)]"},
        {"sample_id": "simple_python_0", "trace": ["[a.f(x=1)]"], "finished": [True], "turns": 0},
        {"benchmark": "bfcl", "id": "simple_python_0", "answers": ["[a.f(x=1)]"], "error_types": [None]},
    ],
)
def test_plain_lines_and_our_own_are_read(tmp_path: Path, line: dict[str, Any]) -> None:
    path = written(tmp_path / "answers.jsonl", line)
    assert read_published(path, ITEMS).given == {"simple_python_0": Given(("[a.f(x=1)]",), ("stop",))}


def test_folder_of_an_evaluation_is_read_by_its_traces(tmp_path: Path) -> None:
    written(tmp_path / "answers.jsonl", {"benchmark": "bfcl", "item": "simple_python_0", "turn": 0, "text": "[a.f(x=1)]"})
    line = {"benchmark": "bfcl", "id": "simple_python_0", "answers": ["[a.f(x=1)]"], "error_types": [None]}
    written(tmp_path / "items.jsonl", line)
    assert list(read_published(tmp_path, ITEMS).given) == ["simple_python_0"]


def test_what_was_scored_into_an_evaluations_folder_is_scored_the_same_again(tmp_path: Path) -> None:
    lines = [
        {"benchmark": "bfcl", "id": "simple_python_0", "answers": ['[{"a_f": "{\\"x\\": 1}"}]'], "error_types": [None]},
        {"benchmark": "bfcl", "id": "irrelevance_0", "answers": [""], "error_types": ["missing_output"]},
    ]
    written(tmp_path / "items.jsonl", *lines)
    written(tmp_path / "evaluation.json", {"outputs": {"mode": "fc"}})
    items = (ITEMS[0], item("irrelevance_0", "irrelevance"))
    found = read_published(tmp_path, items)
    assert (found.mode, list(found.given)) == ("fc", ["simple_python_0"])
    report = score_outputs(Benchmark("bfcl", items, (), "0" * 64), found, "wrong")
    assert report.categories["simple_python"]["direct"] == Accuracy(1, 1)
    assert (report.categories["irrelevance"]["direct"], report.missing) == (Accuracy(0, 1), {"irrelevance": 1})


def test_answers_to_other_categories_alone_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", row("parallel_0"))
    with pytest.raises(InputError, match="holds no answer to bfcl among those chosen, but to parallel;"):
        read_published(path, ITEMS[:2])


@pytest.mark.parametrize(("name", "mode", "right"), [("a.f", "fcdot", 1), ("a_f", "fc", 1), ("a.g", "fcdot", 0)])
def test_mode_of_function_calls_is_told_by_their_names(tmp_path: Path, name: str, mode: str, right: int) -> None:
    path = written(tmp_path / "r.json", row("simple_python_0", [{name: '{"x": 1}'}]), row("simple_python_1", "I cannot."))
    found = read_published(path, ITEMS)
    assert found.mode == mode
    report = score_outputs(BENCHMARK, found, "leave_out")
    assert report.categories["simple_python"]["direct"] == Accuracy(right, 2)
    assert read_published(path, ITEMS, "fc").mode == "fc"


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([row("simple_0"), row("simple_python_0")], r"line 2: the id 'simple_python_0' was answered before, in .*line 1"),
        ([row("simple_9"), *[row(f"other_{n}") for n in range(7)]], r"has no 'simple_python_9', 'other_0', .* and 3 more"),
        ([row("live_simple_0-0-0")], "holds no answer to bfcl"),
        ([], "holds no answer to bfcl"),
        (["text"], "line 1: an object expected"),
        ([{"result": "x"}], "line 1: the line: field 'id' is missing"),
        ([{"id": "simple_0"}], "line 1: field 'result' is missing"),
        ([row("simple_0", 3)], "line 1: field 'result' must be a text or a list of calls"),
        ([{"id": "simple_0", "trace": ["x"], "finished": []}], "line 1: a trace must be"),
        ([{"id": "simple_0", "trace": "x"}], "line 1: a trace must be"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, rows: Sequence[Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_published(written(tmp_path / "r.json", *rows), ITEMS)


def test_results_of_two_models_are_told(tmp_path: Path) -> None:
    for model in ("one", "two"):
        written(tmp_path / model / "BFCL_v4_parallel_result.json", row("parallel_0"))
    with pytest.raises(InputError, match="name one model's results alone"):
        read_published(tmp_path, ITEMS)


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"r\.json: cannot be read"):
        read_published(tmp_path / "r.json", ITEMS)
    with pytest.raises(InputError, match="mode 'text'"):
        read_published(tmp_path, ITEMS, "text")


def test_missing_outputs_are_told_by_category_and_refused(tmp_path: Path) -> None:
    found = read_published(written(tmp_path / "r.json", row("simple_0")), ITEMS)
    with pytest.raises(InputError, match=r"outputs are missing: simple_python 1 of 2, parallel 1 of 1; .*'wrong'"):
        score_outputs(BENCHMARK, found)
    with pytest.raises(InputError, match="missing outputs 'ask'"):
        score_outputs(BENCHMARK, found, "ask")  # type: ignore[arg-type]


def test_error_in_place_of_an_answer_is_judged_as_officially_and_told(tmp_path: Path) -> None:
    lost = {**row("simple_1", "Error during inference: 429"), "traceback": "…"}
    found = read_published(written(tmp_path / "r.json", row("simple_0"), lost, row("parallel_0")), ITEMS)
    assert len(found.failed) == 1 and "line 2: Error during inference: 429" in found.failed[0]
    assert score_outputs(BENCHMARK, found).categories["simple_python"]["direct"] == Accuracy(1, 2)


def test_missing_outputs_are_shown_whatever_becomes_of_them(tmp_path: Path) -> None:
    found = read_published(written(tmp_path / "r.json", row("simple_0")), ITEMS)
    wrong = score_outputs(BENCHMARK, found, "wrong")
    assert wrong.categories["simple_python"]["direct"] == Accuracy(1, 2)
    assert (dict(wrong.missing), wrong.missing_wrong) == ({"simple_python": 1, "parallel": 1}, True)
    alone = score_outputs(BENCHMARK, found, "leave_out")
    assert alone.categories["simple_python"]["direct"] == Accuracy(1, 1)
    assert (dict(alone.missing), alone.missing_wrong) == ({"simple_python": 1, "parallel": 1}, False)


def test_traces_are_scored_by_every_strategy(tmp_path: Path) -> None:
    right, wrong = "[a.f(x=1)]", "[a.f(x=2)]"
    traces = {"simple_python_0": [wrong, right, right], "simple_python_1": [right, wrong, right], "parallel_0": [right] * 3}
    cut = {"simple_python_0": [True] * 3, "simple_python_1": [True] * 3, "parallel_0": [False, True, True]}
    rows = [{"sample_id": name, "trace": trace, "finished": cut[name]} for name, trace in traces.items()]
    report = score_outputs(BENCHMARK, read_published(written(tmp_path / "t.jsonl", *rows), ITEMS))
    direct, vanilla = ({name: each[how] for name, each in report.categories.items()} for how in ("direct", "vanilla"))
    assert direct == {"simple_python": Accuracy(1, 2), "parallel": Accuracy(0, 1)}
    assert vanilla == {"simple_python": Accuracy(2, 2), "parallel": Accuracy(1, 1)}
    assert report.errors["direct"]["truncated"] == 1
    rows[0]["trace"], rows[0]["finished"] = [right], [True]
    with pytest.raises(InputError, match="traces of 1 to 3 answers"):
        score_outputs(BENCHMARK, read_published(written(tmp_path / "u.jsonl", *rows), ITEMS))


def test_answers_that_were_cut_off_stay_so(tmp_path: Path) -> None:
    line = {"benchmark": "bfcl", "id": "simple_python_0", "answers": ["[a.f(x=1)]"] * 2, "error_types": ["truncated", None]}
    other = {"benchmark": "apibank", "id": "simple_python_1", "answers": ["x"], "error_types": [None]}
    found = read_published(written(tmp_path / "items.jsonl", line, other), ITEMS)
    assert found.given == {"simple_python_0": Given(("[a.f(x=1)]",) * 2, ("length", "stop"))}
    assert found.passed_over == {"apibank": 1}


def test_questions_without_room_stay_so(tmp_path: Path) -> None:
    line = {"benchmark": "bfcl", "id": "simple_python_0", "answers": [""] * 3, "error_types": ["too_long"] * 3}
    found = score_outputs(BENCHMARK, read_published(written(tmp_path / "items.jsonl", line), ITEMS), "leave_out")
    assert found.errors["direct"] == found.errors["adaptive"] == {"too_long": 1}
    assert (found.n, found.refinement.items, found.refinement.answered) == (2, 1, 0)


def test_result_says_what_it_rests_on(tmp_path: Path) -> None:
    found = read_published(written(tmp_path / "r.json", *[row(each.id) for each in ITEMS]), ITEMS)
    told = scores_json(BENCHMARK, found, score_outputs(BENCHMARK, found))
    assert (told["digest"], told["changed_files"]) == ("0" * 64, [])
    assert told["outputs"] == {"mode": "prompt", "answers": 3, "failed": [], "passed_over": {}}


def test_acebench_result_files_are_read(tmp_path: Path) -> None:
    one = item("normal_atom_bool_0", "normal_atom_bool", "acebench")
    written(tmp_path / "data_normal_atom_bool_result.json", row(one.id, "[f()]"))
    written(tmp_path / "data_agent_multi_turn_result.json", row("agent_multi_turn_0", "[f()]"))
    found = read_published(tmp_path, (one,))
    assert list(found.given) == [one.id] and found.passed_over == {"agent_multi_turn": 0}
    together = written(tmp_path / "all.json", row(one.id, "[f()]"), row("normal_atom_enum_0", "[f()]"))
    assert read_published(together, (one,)).passed_over == {"normal_atom_enum": 1}
