"""`python -m trainer answer`: questions without a truth, direct and adaptive answers, and the lines that are none."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from trainer.arguments import parser
from trainer.cli import main

DOC = Path(__file__).parents[2] / "docs" / "using-the-model.md"
TOOLS = [{"name": "weather", "parameters": {"type": "dict", "properties": {"city": {"type": "string"}}}}]
OPENAI_TOOLS = [{"type": "function", "function": tool} for tool in TOOLS]
ROME, OSLO, BONN = (f'[weather(city="{city}")]' for city in ("Rome", "Oslo", "Bonn"))


def question(text: str = "Weather?", **more: Any) -> dict[str, Any]:
    return {"tools": TOOLS, "messages": [{"role": "user", "content": text}], **more}


class Answering:
    """Runs `answer` with a scripted engine in a folder; the code, the lines written, stdout and stderr."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, lines: list[Any], script: dict[str, Any], *flags: str) -> list[dict[str, Any]]:
        (self.folder / "script").write_text(json.dumps(script))
        written = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (self.folder / "in").write_text("\n".join(written))
        model = ("--engine", "scripted", "--model", str(self.folder / "script"))
        files = ("--in", str(self.folder / "in"), "--out", str(self.folder / "out"))
        self.code = main(["answer", *model, *files, *flags])
        self.said, self.told = self.capsys.readouterr()
        return [json.loads(line) for line in (self.folder / "out").read_text().splitlines()] if self.code == 0 else []


@pytest.fixture
def answering(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Answering:
    return Answering(tmp_path, capsys)


def test_a_direct_answer_has_its_calls_and_no_refine_turn(answering: Answering) -> None:
    [line] = answering([question(id="q")], {"default": [ROME]})
    calls = [{"name": "weather", "arguments": {"city": "Rome"}}]
    assert {**line, "prompt_tokens": 0} == {
        "id": "q",
        "output_text": ROME,
        "calls": calls,
        "turns": 0,
        "trace": [ROME],
        "finish_reason": "stop",
        "prompt_tokens": 0,
        "completion_tokens": len(ROME),
    }
    assert json.loads(answering.said)["asked"] == 1


def test_adaptive_answers_stop_where_two_agree_and_ask_only_those_still_going(answering: Answering) -> None:
    rules = [{"contains": text, "answers": [after]} for text, after in ((BONN, BONN), (OSLO, BONN), (ROME, OSLO))]
    script = {"answers": {"settled": ["No."]}, "rules": [*rules, {"contains": "Weather?", "answers": [ROME]}]}
    lines = answering([question(id="settled"), question(id=2)], script, "--adaptive")
    assert [(line["id"], line["turns"], line["trace"]) for line in lines] == [
        ("settled", 1, ["No.", "No."]),
        (2, 3, [ROME, OSLO, BONN, BONN]),
    ]
    assert (lines[0]["calls"], lines[1]["completion_tokens"]) == (None, sum(map(len, lines[1]["trace"])))
    assert json.loads(answering.said)["asked"] == 6
    assert answering.told.splitlines() == [
        "direct answers: 2 of 2", "refine turn 1: 2 of 2", "refine turn 2: 1 of 1", "refine turn 3: 1 of 1"
    ]  # fmt: skip


def test_adaptive_answers_end_after_the_turns_given(answering: Answering) -> None:
    rules = [{"contains": ROME, "answers": [OSLO]}, {"contains": OSLO, "answers": [ROME]}]
    [line] = answering([question()], {"rules": rules, "default": [ROME]}, "--adaptive", "--turns", "2")
    assert (line["id"], line["turns"], line["trace"]) == (1, 2, [ROME, OSLO, ROME])


def test_an_answer_written_otherwise_is_the_same_answer(answering: Answering) -> None:
    spaced = ROME.replace("=", " = ")
    [line] = answering([question()], {"rules": [{"contains": ROME, "answers": [spaced]}], "default": [ROME]}, "--adaptive")
    assert (line["turns"], line["output_text"]) == (1, spaced)


def test_the_answer_before_stands_where_the_refine_prompt_does_not_fit(answering: Answering, tmp_path: Path) -> None:
    """A byte is a token here: the direct prompt has room, the one with the answer and the refine prompt has none."""
    [line] = answering([question()], {"default": [ROME]})
    (tmp_path / "settings").write_text(json.dumps({"max_length": line["prompt_tokens"] + 100, "max_new_tokens": 64}))
    [line] = answering([question()], {"default": [ROME]}, "--adaptive", "--settings", str(tmp_path / "settings"))
    assert (line["output_text"], line["turns"], line["finish_reason"]) == (ROME, 1, "too_long")


def test_requests_of_openai_show_their_system_text_and_earlier_calls(answering: Answering) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
    messages = [
        {"role": "system", "content": "Today is Friday."},
        {"role": "user", "content": [{"type": "text", "text": "Rome?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    shown = f"{json.dumps(TOOLS)}\nToday is Friday.<|end|><|user|>Rome?<|end|><|assistant|>{ROME}<|end|><|tool|>sunny"
    script = {"rules": [{"contains": shown, "answers": ["It is sunny."]}]}
    [line] = answering([{"tools": OPENAI_TOOLS, "messages": messages}], script)
    assert line["output_text"] == "It is sunny."


def test_samples_of_our_own_are_answered_without_their_truth(answering: Answering) -> None:
    [line] = answering([question(id="s", other="In Europe.", truth=[{"name": "unknown"}])], {"rules": [
        {"contains": "In Europe.", "answers": [ROME]}
    ]})  # fmt: skip
    assert line["output_text"] == ROME


def test_calls_are_written_in_the_form_asked_for(answering: Answering) -> None:
    odd = '<tool_call>\n{"name": "f(", "arguments": {}}\n</tool_call>'
    script = {"answers": {"one": [ROME], "none": ["No."], "odd": [odd]}}
    asked = [question(id=name) for name in script["answers"]]
    one, none, _ = answering(asked, script, "--form", "llama3")
    assert one["calls_text"] == '<|python_tag|>{"name": "weather", "parameters": {"city": "Rome"}}'
    assert (none["calls_text"], "not_carried" in none) == (None, False)
    *_, odd_line = answering(asked, script, "--form", "paper")
    assert odd_line["calls_text"] is None
    assert "f(" in odd_line["not_carried"]


def test_what_looks_like_calls_and_cannot_be_read_is_told(answering: Answering) -> None:
    [line] = answering([question()], {"default": ['[weather(city="Rome", city="Oslo")]']})
    assert (line["calls"], line["failure"]["reason"]) == (None, "parameter 'city' given twice")


BAD = [
    ("nonsense", "not valid JSON"),
    ([1], "an object expected"),
    ({"tools": TOOLS}, "messages"),
    (question(messages=[{"role": "assistant", "content": "Yes."}]), "must end with"),
    (question(messages=[]), "must end with"),
    (question(messages=[{"role": "wizard", "content": "Hm"}]), "'wizard'"),
    (question(tools=[{"description": "nameless"}]), "name"),
    (question(id=[1]), "'id' must be"),
    (question(id="good"), "was given before"),
]


@pytest.mark.parametrize(("bad", "why"), BAD, ids=[why for _, why in BAD])
def test_a_bad_line_is_named_and_nothing_is_asked(answering: Answering, tmp_path: Path, bad: Any, why: str) -> None:
    answering([question(id="good"), bad], {"fail_at": 1})
    assert answering.code == 2
    assert re.search(r"in, line 2: .*--skip-errors", answering.told)
    assert why in answering.told
    assert not (tmp_path / "out").exists()


def test_bad_lines_are_left_out_when_that_is_wanted(answering: Answering) -> None:
    lines = answering([question(id="good"), "nonsense", question()], {"default": [ROME]}, "--skip-errors")
    assert [line["id"] for line in lines] == ["good", 3]
    assert json.loads(answering.said)["left_out"] == 1
    assert answering.told.startswith("left out: ")
    answering(["nonsense"], {}, "--skip-errors")
    assert (answering.code, "holds nothing to answer" in answering.told) == (2, True)


def test_turns_without_adaptive_are_refused(answering: Answering) -> None:
    answering([question()], {}, "--turns", "3")
    assert (answering.code, "--adaptive" in answering.told) == (2, True)


def test_the_commands_of_the_page_are_taken() -> None:
    lines = re.findall(r"^    python -m trainer (.*)$", DOC.read_text(encoding="utf-8"), re.MULTILINE)
    assert lines
    for line in lines:
        parser("").parse_args(shlex.split(line))
