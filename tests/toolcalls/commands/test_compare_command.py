from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from toolcalls.commands.comparing import compared
from toolcalls.commands.json_lines import answer_lines
from toolcalls.comparing import Comparator
from toolcalls.errors import InputError
from toolcalls.selection import REASONS


def _call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def _verdict(truth: Any, output: str, **options: Any) -> tuple[str, int | None]:
    line = compared({"truth": truth, "output": output}, Comparator(**options))
    assert list(line) == ["verdict", "max_param_diff", "differences", "form"]
    assert line["verdict"] in ("exact", "approximate", "no_call", *REASONS)
    assert (line["form"] is None) == (line["verdict"] in ("no_call", "not_a_call", "unparsable"))
    return line["verdict"], line["max_param_diff"]


ONE = [_call("f", a=1)]


@pytest.mark.parametrize(
    ("truth", "output", "verdict", "difference"),
    [
        (ONE, "[f(a=1.0)]", "exact", 0),
        (ONE, "[f(a=2)]", "approximate", 1),
        (ONE, "[f(b=1)]", "param_mismatch", 2),
        (ONE, "[f(a=1), f(a=1)]", "wrong_count", None),
        (ONE, "[g(a=1)]", "wrong_tool", None),
        (ONE, "No.", "not_a_call", None),
        (ONE, "", "not_a_call", None),
        (ONE, "[f(a=", "unparsable", None),
        ("[f(a=1)]", "[f(a=1)]", "exact", 0),
        ('{"name": "f", "arguments": {"a": 1}}', "[f(a=1)]", "exact", 0),
        (None, "It rains.", "no_call", 0),
        ([], "It rains.", "no_call", 0),
        ("It rains.", "It pours.", "no_call", 0),
        (None, "", "not_a_call", None),
        (None, " \n", "not_a_call", None),
        (None, "[f(a=1)]", "wrong_count", None),
        (None, "[f(a=", "unparsable", None),
        ([{"name": "f"}], "[f()]", "exact", 0),
        ([{"name": "f", "arguments": '{"a": 1}'}], "[f(a=1)]", "exact", 0),
        ([{"type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}], "[f(a=1)]", "exact", 0),
        ({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}, "[f(a=1)]", "exact", 0),
        ({"tool_calls": []}, "It rains.", "no_call", 0),
    ],
)
def test_verdict_and_number_of_differences(truth: Any, output: str, verdict: str, difference: int | None) -> None:
    assert _verdict(truth, output) == (verdict, difference)


def test_differences_say_where_and_what() -> None:
    truth = [_call("hotel", address={"city": "Rome"}, nights=2)]
    line = compared({"truth": truth, "output": '[hotel(address={"city": "Roma"}, pets=true)]'}, Comparator())
    assert line["verdict"] == "param_mismatch"
    assert line["differences"] == [
        {
            "path": "hotel.address.city",
            "kind": "value",
            "expected": "Rome",
            "given": "Roma",
            "text": 'hotel.address.city: "Rome" → "Roma"',
        },
        {"path": "hotel.nights", "kind": "missing", "expected": 2, "given": None, "text": line["differences"][1]["text"]},
        {"path": "hotel.pets", "kind": "extra", "expected": None, "given": True, "text": line["differences"][2]["text"]},
    ]


def test_defaults_come_from_the_tools_of_the_line() -> None:
    tools = [{"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}}]
    row = {"truth": ONE, "output": "[f()]", "tools": tools}
    assert compared(row, Comparator())["verdict"] == "exact"
    assert compared(row, Comparator(schema_defaults=False))["verdict"] == "approximate"
    assert compared({**row, "tools": None}, Comparator())["verdict"] == "approximate"


def test_a_truth_with_a_key_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line = b'{"id": {"x": 1, "x": 2}, "truth": [{"name": "f", "arguments": {"a": 1, "a": 2}}], "output": "[f(a=2)]"}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
    assert answer_lines(lambda row: compared(row, Comparator())) == 2
    assert "truth[0].arguments: a key given twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "output", "verdict"),
    [
        ({"tolerance": 0}, "[f(a=2)]", "param_mismatch"),
        ({"tolerance": 2}, "[f(b=2)]", "approximate"),
        ({"numeric_tolerance": 0.1}, "[f(a=1.05)]", "exact"),
        ({"reading": "strict"}, "Well: [f(a=1)]", "unparsable"),
    ],
)
def test_comparator_is_the_one_asked_for(options: dict[str, Any], output: str, verdict: str) -> None:
    assert _verdict(ONE, output, **options)[0] == verdict


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"output": "x"}, "'truth' is missing"),
        ({"truth": None}, "'output' is missing"),
        ({"truth": None, "output": 1}, "'output' must be a text"),
        ({"truth": 1, "output": "x"}, "'truth' must be a list"),
        ({"truth": [{"arguments": {}}], "output": "x"}, r"truth\[0\]: field 'name' is missing"),
        ({"truth": [{"name": "f", "arguments": "[]"}], "output": "x"}, "'arguments' must be an object"),
        ({"truth": [{"name": "f", "arguments": "{"}], "output": "x"}, "'arguments' is a text that is not the JSON"),
        ({"truth": [{"name": "f", "arguments": '{"a": 1, "a": 2}'}], "output": "x"}, "a key given twice"),
        ({"truth": [_call("f", a=[float("nan")])], "output": "x"}, r"truth\[0\].arguments.a\[0\]: nan is no JSON number"),
        ({"truth": [_call("f", a=float("inf"))], "output": "x"}, r"truth\[0\].arguments.a: inf is no JSON number"),
        ({"truth": "[f(a=", "output": "x"}, "'truth' cannot be read"),
        ({"truth": None, "output": "x", "tools": {}}, "'tools' must be a list"),
        ({"truth": None, "output": "x", "tools": [1]}, r"tools\[0\]"),
    ],
)
def test_line_that_cannot_be_used_is_told(row: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        compared(row, Comparator())
