"""Whatever stands on a line, the command line answers it or tells what is wrong with it, and goes on to the next."""

from __future__ import annotations

import io
import json
import random
import sys
from collections.abc import Iterator

import pytest

from tests.toolcalls.fuzzing.mutating import answers, hostile_texts, mutated
from toolcalls.commands.comparing import compared
from toolcalls.commands.json_lines import answer_lines
from toolcalls.comparing import Comparator

Captured = pytest.CaptureFixture[bytes]
TOOLS = [{"name": "f", "parameters": {"properties": {"a": {"type": "integer", "default": 1}}}}]


def hostile_lines(seed: int, count: int) -> Iterator[bytes]:
    """Lines for `compare`; none is blank or holds a line's end."""
    dice = random.Random(seed)
    for text in hostile_texts(seed, count):
        truth = dice.choice((None, text, dice.choice(answers()), [{"name": "f", "arguments": {"a": text}}], [], 1))
        line = json.dumps({"truth": truth, "output": text, "tools": dice.choice((None, TOOLS, [{}]))})
        if dice.random() < 0.3:
            line = mutated(line, dice, answers())
        yield b"." + line.encode("utf-8", "surrogatepass").replace(b"\n", b" ") if dice.random() < 0.02 else _encoded(line)


def _encoded(line: str) -> bytes:
    return line.encode("utf-8", "surrogatepass").replace(b"\n", b" ").strip() or b"{}"


def fuzz(seed: int, count: int, monkeypatch: pytest.MonkeyPatch, captured: Captured) -> None:
    lines = list(hostile_lines(seed, count))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(lines))))
    code = answer_lines(lambda row: compared(row, Comparator()))
    out, err = captured.readouterr()
    answered, refused = [json.loads(line) for line in out.splitlines()], [json.loads(line) for line in err.splitlines()]
    assert len(answered) + len(refused) == count
    assert code == 2
    assert all({"verdict", "max_param_diff", "differences", "form"} == row.keys() for row in answered)
    assert all(row["error"] and 1 <= row["line"] <= count for row in refused)


def test_mutated_lines_are_answered_or_told(monkeypatch: pytest.MonkeyPatch, capsysbinary: Captured) -> None:
    fuzz(0, 3_000, monkeypatch, capsysbinary)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_hundred_thousand_mutated_lines_are_answered_or_told(
    seed: int, monkeypatch: pytest.MonkeyPatch, capsysbinary: Captured
) -> None:
    fuzz(seed, 20_000, monkeypatch, capsysbinary)
