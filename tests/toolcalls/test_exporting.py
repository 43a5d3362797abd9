from __future__ import annotations

import json

import pytest

from toolcalls.exporting import trl_line, trl_spliced, whetstone_line
from toolcalls.records import Message, TrainingRow
from toolcalls.wire import training_row_from_json

ROW = TrainingRow("s", "refine", (Message("system", "S"), Message("user", "Größe?\n")), '[f(a="x")]')


def test_trl_lines_are_conversational_prompt_and_completion() -> None:
    assert json.loads(trl_line(ROW)) == {
        "prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "Größe?\n"}],
        "completion": [{"role": "assistant", "content": '[f(a="x")]'}],
    }


def test_our_own_lines_can_be_read_back_and_say_where_they_come_from() -> None:
    assert training_row_from_json(json.loads(whetstone_line(ROW))) == ROW
    line = whetstone_line(ROW, {"run": "r", "iteration": 2})
    assert json.loads(line)["provenance"] == {"run": "r", "iteration": 2}
    assert training_row_from_json(json.loads(line)) == ROW


def test_a_row_is_one_line_with_its_letters_as_they_are() -> None:
    assert "\n" not in whetstone_line(ROW) + trl_line(ROW)
    assert "Größe" in trl_line(ROW)


TRAPS = ('x, "messages": [', '", "target": "', '\\", "messages": ', "", "\u2028 Größe\n\x00", '"}], "target": "y')


@pytest.mark.parametrize("trap", TRAPS)
def test_a_line_cut_for_trl_is_the_line_that_trl_would_get(trap: str) -> None:
    row = TrainingRow(trap, "direct", (Message("system", trap), Message(trap, "a")), trap)
    assert trl_spliced(whetstone_line(row).encode()) == trl_line(row).encode()
