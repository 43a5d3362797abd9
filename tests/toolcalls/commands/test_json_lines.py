from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from toolcalls.commands.json_lines import LONGEST, answer_lines
from toolcalls.errors import InputError

Captured = pytest.CaptureFixture[bytes]


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    if "n" not in row:
        raise InputError("no n")
    return {"n": row["n"]}


def _run(monkeypatch: pytest.MonkeyPatch, given: bytes, captured: Captured) -> tuple[int, list[str], list[Any]]:
    """Exit code, lines of standard output, objects of standard error."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    code = answer_lines(_answer)
    out, err = captured.readouterr()
    return code, out.decode().splitlines(), [json.loads(line) for line in err.splitlines()]


def test_every_line_is_answered_in_order(monkeypatch: pytest.MonkeyPatch, capsysbinary: Captured) -> None:
    assert _run(monkeypatch, b'{"n": 1}\n\n{"n": 2}', capsysbinary) == (0, ['{"n": 1}', '{"n": 2}'], [])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"{", "not a line of JSON"),
        (b"[]", "an object expected, not list"),
        (b'"\xff"', "not a line of JSON in UTF-8"),
        (b'{"m": 1}', "no n"),
        (b'{"n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deep"),
        (b'{"n": ' + b"9" * 5000 + b"}", "not a line of JSON"),
        (b'{"n": NaN}', "no JSON for the answer"),
    ],
)
def test_bad_line_is_told_and_the_others_are_answered(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: Captured, line: bytes, complaint: str
) -> None:
    code, out, err = _run(monkeypatch, b'{"n": 1}\n' + line + b'\n{"n": 3}\n', capsysbinary)
    assert (code, out) == (2, ['{"n": 1}', '{"n": 3}'])
    assert [error["line"] for error in err] == [2]
    assert complaint in err[0]["error"]


def test_line_that_is_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch, capsysbinary: Captured) -> None:
    long = b'{"n": "' + b"x" * LONGEST + b'"}'
    code, out, err = _run(monkeypatch, b'{"n": 1}\n' + long + b'\n{"n": 3}\n' + long, capsysbinary)
    assert (code, out) == (2, ['{"n": 1}', '{"n": 3}'])
    assert [error["line"] for error in err] == [2, 4]


def test_byte_order_mark_and_every_script_are_read(monkeypatch: pytest.MonkeyPatch, capsysbinary: Captured) -> None:
    given = "\ufeff" + json.dumps({"n": "天气"}, ensure_ascii=False)
    assert _run(monkeypatch, given.encode(), capsysbinary) == (0, ['{"n": "天气"}'], [])


def test_half_a_surrogate_pair_is_written_as_an_escape(monkeypatch: pytest.MonkeyPatch, capsysbinary: Captured) -> None:
    assert _run(monkeypatch, b'{"n": "\\ud800"}', capsysbinary) == (0, ['{"n": "\\ud800"}'], [])
