"""The worst that one piece again and again can do: ten times the text takes about ten times the work, wherever it stands."""

from __future__ import annotations

import time

import pytest

from tests.toolcalls.fuzzing.mutating import PIECES
from toolcalls.parsing import parse

LONGEST = 65_000  # characters, just within the limit
MOST = 12  # times the work for ten times the text
UNTOLD = 0.003  # seconds: what takes less is not worth a ratio
MORE_PIECES = (
    *("[f(a=[", '{"a":', "<tool_call>{", "f(a=1)\n", "[f(a=1)] ", '{"name":"f","arguments":{}}\n', "(a=", "f(1)\n", "A B C "),
    *("<parameter=a>", '["f(', "<function_calls>", "Action: f\n", "```f(", "`f`", "a b(", "f (", "\"'", '\\"', "[[", "[f(a=("),
    *(
        "def f(a=1)",
        "<tool_cal",
        "<|",
        "tool_call>",
        '{"name": ',
        "[f(a='",
        "</think",
        "call:f{",
        "<escape>",
        "= ",
        "a=b=",
        "},{",
    ),
)
PLACES = (
    "{}",
    "Well, {}",
    "[f(a={}",
    "[f(a=1, b={}",
    "f(a={}",
    "[f(a=1)] {}",
    "{} [f(a=1)]",
    "[f(a='{}', b=1)]",
    '[{{"name": "f", "arguments": {{"a": {}',
    "<tool_call>{}",
    "<function=f><parameter=a>{}",
)


def seconds(text: str) -> float:
    began = time.thread_time()
    parse(text)
    return time.thread_time() - began


def is_linear(around: str, piece: str) -> bool:
    """Whether the work on the long text is in proportion to that on a tenth of it. Asked again where it is not: the machine
    may be busy with other work.
    """
    short, long = (around.format(piece * (size // len(piece))) for size in (LONGEST // 10, LONGEST))
    for _ in range(10):
        before, most, after = seconds(short), seconds(long), seconds(short)
        if most <= max(UNTOLD, MOST * (before + after) / 2):
            return True
    return False


@pytest.mark.parametrize("around", PLACES)
def test_a_piece_again_and_again_takes_work_by_its_length(around: str) -> None:
    assert [piece for piece in (*PIECES, *MORE_PIECES) if not is_linear(around, piece)] == []
