"""Benchmarks read from folders: the public ones whole, and what is wrong with folders told."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.benchmarks.catalogue import NAMES, open_benchmark
from toolcalls.benchmarks.files import known_files
from toolcalls.benchmarks.items import item_from_json, item_to_json
from toolcalls.benchmarks.prompts import messages
from toolcalls.errors import InputError
from toolcalls.importing import check_asked
from toolcalls.records import Message

COUNTS = {
    "bfcl": [400, 100, 50, 200, 200, 200, 258, 1053, 16, 24, 240, 884, 16],
    "acebench": [50, 50, 50, 50, 50, 50, 100, 100],
    "acebench-zh": [50, 50, 50, 50, 50, 50, 100, 100],
    "apibank": [212],
    "toolalpaca": [114, 100],
}
PARTIAL = Path("bfcl") / "BFCL_v4_live_parallel.json"


@pytest.mark.parametrize("name", NAMES)
def test_whole_benchmark_is_read_and_known(name: str, data_dir: Path) -> None:
    found = open_benchmark(name, data_dir)
    assert list(Counter(item.category for item in found.items).values()) == COUNTS[name]
    assert found.changed_files == () and len(found.digest) == 64
    assert len({item.id for item in found.items}) == len(found.items)
    for item in found.items:
        check_asked(item.sample)  # raises for what no model can be shown
        roles = [message.role for message in item.sample.messages]
        assert all(one != other for one, other in pairwise(roles)), item.id
        assert (item.benchmark, item.sample.category) == (name, item.category)
    for item in found.items[::40]:
        assert item_from_json(json.loads(json.dumps(item_to_json(item)))) == item


@pytest.mark.parametrize("name", NAMES)
def test_benchmarks_own_folder_is_read_too(name: str, data_dir: Path, tmp_path: Path) -> None:
    layout = name.removesuffix("-zh")
    inside = {"bfcl": "bfcl_eval/data", "acebench": "data_all", "apibank": "lv1-lv2-samples", "toolalpaca": "data"}[layout]
    (tmp_path / inside).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / inside).symlink_to(data_dir / layout)
    one = {"bfcl": "live_parallel", "apibank": None, "toolalpaca": "simulated"}.get(layout, "normal_atom_bool")
    chosen = one and [one]
    digests = {
        open_benchmark(name, folder, categories=chosen).digest
        for folder in (data_dir, data_dir / layout, tmp_path, tmp_path / inside)
    }
    assert len(digests) == 1


def test_every_known_file_is_read(data_dir: Path) -> None:
    read = {f"{name.removesuffix('-zh')}/{file.name}" for name in NAMES for file in open_benchmark(name, data_dir).files}
    assert read == set(known_files())


def _changed(folder: Path, change: Callable[[list[dict[str, Any]]], list[Any]], name: str = PARTIAL.name) -> None:
    path = folder / "bfcl" / name
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in change(rows)), encoding="utf-8")


@pytest.fixture
def copied(data_dir: Path, tmp_path: Path) -> Path:
    """A folder with one category of BFCL."""
    (tmp_path / "bfcl" / "possible_answer").mkdir(parents=True)
    for name in (PARTIAL, PARTIAL.parent / "possible_answer" / PARTIAL.name):
        shutil.copy(data_dir / name, tmp_path / name)
    return tmp_path


def test_changed_file_is_refused_with_both_hashes_and_the_way_out(copied: Path) -> None:
    _changed(copied, lambda rows: rows[:-1])
    with pytest.raises(InputError, match=r"BFCL_v4_live_parallel\.json: .* sha256 is [0-9a-f]{64}, known is [0-9a-f]{64}.*allow"):
        open_benchmark("bfcl", copied, categories=["live_parallel"])
    found = open_benchmark("bfcl", copied, categories=["live_parallel"], changed_files="allow")
    assert found.changed_files == (PARTIAL.name,) and len(found.items) == 15


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda rows: [*rows, rows[0]], "the id 'live_parallel_0-0-0' stands there twice"),
        (lambda rows: [*rows, {**rows[0], "id": "new"}], "new: 'new' is not among the possible answers"),
        (lambda rows: [{**rows[0], "id": 7}], "a record without an id"),
        (lambda rows: [{**rows[0], "question": [[], []]}], "no single-turn question"),
        (lambda rows: [[]], "line 1: an object expected"),
    ],
)
def test_broken_file_is_told(copied: Path, change: Callable[[list[dict[str, Any]]], list[Any]], complaint: str) -> None:
    _changed(copied, change)
    with pytest.raises(InputError, match=rf"BFCL_v4_live_parallel\.json.*{complaint}"):
        open_benchmark("bfcl", copied, categories=["live_parallel"], changed_files="allow")


def test_files_without_a_question_are_told(copied: Path) -> None:
    _changed(copied, lambda rows: [])
    with pytest.raises(InputError, match=r"bfcl: holds no question of live_parallel; take the files that docs"):
        open_benchmark("bfcl", copied, categories=["live_parallel"], changed_files="allow")


def _written(path: Path, *rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


TOOL = {"name": "f", "description": "F.", "parameters": {"type": "dict", "properties": {}, "required": []}}
ASKED = [[{"role": "user", "content": "F?"}]]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ({"question": ASKED, "function": [TOOL]}, 7),
        ({"question": ASKED, "function": [TOOL]}, [7]),
        ({"question": ASKED, "function": [TOOL]}, [{"f": [1]}]),
        ({"question": ASKED, "function": ["f"]}, [{"f": {}}]),
        ({"question": ASKED}, [{"f": {}}]),
        ({"question": [["F?"]], "function": [TOOL]}, [{"f": {}}]),
        ({"question": [[{"role": "user", "content": ["F?"]}]], "function": [TOOL]}, [{"f": {}}]),
    ],
)
def test_records_of_bfcl_in_another_form_are_told(tmp_path: Path, question: dict[str, Any], answer: Any) -> None:
    _written(tmp_path / "BFCL_v4_parallel.json", {"id": "one", **question})
    _written(tmp_path / "possible_answer" / "BFCL_v4_parallel.json", {"id": "one", "ground_truth": answer})
    with pytest.raises(InputError, match=r"BFCL_v4_parallel\.json, one"):
        open_benchmark("bfcl", tmp_path, categories=["parallel"], changed_files="allow")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ({"question": "user: F?", "time": "", "function": [TOOL]}, 7),
        ({"question": "user: F?", "time": "", "function": [TOOL]}, []),
        ({"question": "user: F?", "time": "", "function": [7]}, {"f": {}}),
        ({"question": "user: F?", "time": 12, "function": [TOOL]}, {"f": {}}),
        ({"question": ["F?"], "time": "", "function": [TOOL]}, {"f": {}}),
    ],
)
def test_records_of_acebench_in_another_form_are_told(tmp_path: Path, question: dict[str, Any], answer: Any) -> None:
    _written(tmp_path / "data_en" / "data_normal_atom_bool.json", {"id": "one", **question})
    _written(tmp_path / "data_en" / "possible_answer" / "data_normal_atom_bool.json", {"id": "one", "ground_truth": answer})
    with pytest.raises(InputError, match=r"data_normal_atom_bool\.json, one"):
        open_benchmark("acebench", tmp_path, categories=["normal_atom_bool"], changed_files="allow")


@pytest.mark.parametrize(
    "change", [{"Function_Description": 7}, {"Golden_Answers": [[{"Action": ["f"], "Action_Input": "{}"}]]}, {"Instructions": []}]
)
def test_apis_of_toolalpaca_in_another_form_are_told(tmp_path: Path, change: dict[str, Any]) -> None:
    api = {"Name": "F", "Function_Description": {}, "Instructions": ["F?"], "Golden_Answers": [[]]}
    _written(tmp_path / "eval_real.json", [api | change])
    with pytest.raises(InputError, match=r"is no evaluation set of ToolAlpaca|field 'Action' must be a text"):
        open_benchmark("toolalpaca", tmp_path, categories=["real"], changed_files="allow")


def test_changed_file_of_toolalpaca_is_told_as_every_other(tmp_path: Path) -> None:
    _written(tmp_path / "eval_real.json", [])
    with pytest.raises(InputError, match=r"eval_real\.json: is not the benchmark's file as Whetstone knows it"):
        open_benchmark("toolalpaca", tmp_path, categories=["real"])


def test_tools_that_the_own_prompt_cannot_show_are_told(tmp_path: Path) -> None:
    _written(tmp_path / "BFCL_v4_irrelevance.json", {"id": "one", "question": ASKED, "function": [{"name": "f"}]})
    found = open_benchmark("bfcl", tmp_path, categories=["irrelevance"], changed_files="allow", prompts="own")
    with pytest.raises(InputError, match=r"bfcl, one: is no question that the benchmark's own prompt can show"):
        messages(found.items[0], "own")


def test_missing_file_is_told(copied: Path) -> None:
    with pytest.raises(InputError, match=r"BFCL_v4_simple_python\.json: cannot be read .* or choose categories"):
        open_benchmark("bfcl", copied)


@pytest.mark.parametrize(
    ("name", "how", "complaint"),
    [
        ("mmlu", {}, "no benchmark 'mmlu'; there are bfcl, "),
        ("bfcl", {"categories": ["simple"]}, "bfcl has no category 'simple'; there are simple_python"),
        ("acebench", {}, r"no acebench there, neither acebench/data_en nor data_en itself; docs/benchmarks\.md"),
        ("bfcl", {"changed_files": "ask"}, "changed files 'ask'"),
        ("bfcl", {"prompts": "mine"}, "prompts 'mine'"),
    ],
)
def test_what_cannot_be_opened_is_told(copied: Path, name: str, how: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        open_benchmark(name, copied, **how)


def test_bfcl_system_message_is_other_information(data_dir: Path) -> None:
    items = open_benchmark("bfcl", data_dir, categories=["live_parallel", "live_irrelevance"]).items
    (asked,) = [item.sample for item in items if item.category == "live_parallel" and item.sample.other]
    assert [message.role for message in asked.messages] == ["user"]
    assert all(item.sample.truth is None and item.answer is None for item in items if item.category == "live_irrelevance")


def test_parameter_without_an_accepted_value_is_left_out_of_the_truth_shown(data_dir: Path) -> None:
    items = {item.id: item for item in open_benchmark("bfcl", data_dir, categories=["live_simple"]).items}
    item = items["live_simple_106-63-0"]
    (accepted,) = item.answer[0].values()
    assert accepted["auto_loan_payment_start"] == []
    assert item.sample.truth and "auto_loan_payment_start" not in item.sample.truth[0].arguments


def test_acebench_transcript_becomes_turns(data_dir: Path) -> None:
    items = {item.id: item for item in open_benchmark("acebench", data_dir, categories=["normal_atom_bool"]).items}
    said = items["normal_atom_bool_0"].sample.messages
    assert [message.role for message in said] == ["user", "assistant", "user"]
    assert said[-1] == Message("user", "I would like Asian cuisine, please.")
    assert any(item.sample.other.startswith("The current time is") for item in items.values())


def test_apibank_ends_before_the_first_call(data_dir: Path) -> None:
    items = {item.id: item for item in open_benchmark("apibank", data_dir).items}
    assert all(identity.endswith("#1") for identity in items)
    ended = Counter(item.sample.messages[-1].content == "Generate API Request:" for item in items.values())
    assert ended == {True: 149, False: 63}
    sample = items["ModifyRegistration-EmergencyKnowledge-level-2-1#1"].sample
    assert [tool["name"] for tool in sample.tools] == sorted(tool["name"] for tool in sample.tools)
    assert sample.truth and sample.truth[0].name in {tool["name"] for tool in sample.tools}


def test_toolalpaca_tools_are_those_of_hammers_file(data_dir: Path) -> None:
    items = open_benchmark("toolalpaca", data_dir, categories=["real"]).items
    hammers = json.loads((data_dir / "toolalpaca" / "hammer_toolalpaca.json").read_text(encoding="utf-8"))
    for item, row in zip(items, hammers, strict=True):
        assert list(item.sample.tools) == [tool for tool in row["tools"] if tool["name"] != "components"]


def test_toolalpaca_first_step_has_no_credentials(data_dir: Path) -> None:
    items = {item.id: item for item in open_benchmark("toolalpaca", data_dir).items}
    weather = items["real:apilayer weatherstack:0"]
    assert weather.sample.messages[0].content.endswith("\nAuthentication information: access_key=***")
    assert weather.sample.truth == (Call("current_get", {"query": "Paris", "units": "f"}),)
    assert weather.answer == [{"name": "current_get", "arguments": {"query": "Paris", "units": "f"}, "untold": ["access_key"]}]
    assert sum(not item.answer for item in items.values()) == 8  # the recorded step asks the user
