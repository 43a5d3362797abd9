"""What stands around calls: thinking, fences, left-over special tokens, prose. Not in charge of the calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_THINKING = r"<(?P<tag>think(?:ing)?|thought|reasoning|scratch_pad|tool_response)>"  # the last, too, calls nothing
THINKING: Final = re.compile(_THINKING)
_THOUGHT: Final = re.compile(r"</(think(?:ing)?|thought|reasoning|scratch_pad)>(?=[\s<\[{`]|\Z)")
_BLOCK = rf"{_THINKING}.*?(?:</(?P=tag)>|\Z)"
_TOKENS = (
    r"(?:<\|start_header_id\|>\w*<\|end_header_id\|>|<\|im_start\|>\w*|<start_of_turn>\w*|<\|[^<>|\s]{1,64}\|>"
    r"|<｜[^<>｜\s]{1,64}｜>|</?s>|<(?:end_of_turn|eos|bos|pad|unk)>|\[/?INST\]|\ufeff)++"
)
_PIECES: Final = re.compile(
    rf"(?P<thinking>{_BLOCK}|</(?:think(?:ing)?|thought|reasoning|scratch_pad)>)"
    rf"|(?P<token>{_TOKENS})"
    r"|(?P<fence>`+(?:[\w+-]{1,20}(?=\n))?)"
    r"|(?P<mark>(?:[^\w\s<`\ufeff]++\s*+)++)|(?P<prose>\w[^<`]*|<)",
    re.DOTALL,
)
_BLOCKS: Final = re.compile(_BLOCK, re.DOTALL)
_MARKS: Final = re.compile(rf"</?(?:think(?:ing)?|thought|reasoning|scratch_pad|tool_response)>|{_TOKENS}")
_NAMES: Final = {"thinking": "thinking", "token": "special token", "fence": "fence", "mark": "stray mark", "prose": "prose"}


def passed_over(text: str, start: int, end: int) -> list[str]:
    """Name what stands in a stretch of text that holds no calls, in its order."""
    if start >= end:
        return []
    return [
        "tool answer" if kind == "thinking" and found["tag"] == "tool_response" else _NAMES[kind]
        for found in _PIECES.finditer(text, start, end)
        if (kind := found.lastgroup) in _NAMES
    ]


def spoken(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of a stretch of text that are no thinking."""
    for block in _BLOCKS.finditer(text, start, end):
        yield start, block.start()
        start = block.end()
    yield start, end


def line_before(text: str, start: int, end: int) -> str:
    """What stands before `end` on its line, from `start` on and behind marks of thinking and special tokens."""
    line = text[max(start, text.rfind("\n", start, end) + 1) : end]
    return line[max((found.end() for found in _MARKS.finditer(line)), default=0) :]


def unopened_thought_end(text: str) -> int:
    """Where thinking ends whose opening mark stood in the prompt; 0 where there is none."""
    closed = _THOUGHT.search(text)
    opened = THINKING.search(text)
    if closed is None or (opened and opened.start() < closed.start()) or not text[closed.end() :].strip():
        return 0  # calls before a mark that ends the text are no thoughts on the way to others
    return closed.end()
