"""What stands around calls: thinking, fences, left-over special tokens, prose. Not in charge of the calls."""

from __future__ import annotations

import re
from collections.abc import Iterator

_THINKING = r"<(?P<tag>think(?:ing)?|thought|reasoning|scratch_pad)>"
THINKING = re.compile(_THINKING)
_THOUGHT = re.compile(r"</(think(?:ing)?|thought|reasoning|scratch_pad)>(?=[\s<\[{`]|\Z)")
_PIECES = re.compile(
    rf"(?P<thinking>{_THINKING}.*?(?:</(?P=tag)>|\Z)|</(?:think(?:ing)?|thought|reasoning|scratch_pad)>)"
    r"|(?P<token>(?:<\|start_header_id\|>\w*<\|end_header_id\|>|<\|im_start\|>\w*|<start_of_turn>\w*|<\|[^<>|\s]{1,64}\|>"
    r"|<｜[^<>｜\s]{1,64}｜>|</?s>|<(?:end_of_turn|eos|bos|pad|unk)>|\[/?INST\]|\ufeff)++)"
    r"|(?P<fence>`+(?:[\w+-]{1,20}(?=\n))?)"
    r"|(?P<mark>(?:[^\w\s<`\ufeff]++\s*+)++)|(?P<prose>\w[^<`]*|<)",
    re.DOTALL,
)
_NAMES = {"thinking": "thinking", "token": "special token", "fence": "fence", "mark": "stray mark", "prose": "prose"}


def passed_over(text: str, start: int, end: int) -> Iterator[str]:
    """Name what stands in a stretch of text that holds no calls, in its order."""
    for found in _PIECES.finditer(text, start, end):
        if found.lastgroup in _NAMES:
            yield _NAMES[found.lastgroup]


def unopened_thought_end(text: str) -> int:
    """Where thinking ends whose opening mark stood in the prompt; 0 where there is none."""
    closed = _THOUGHT.search(text)
    opened = THINKING.search(text)
    return closed.end() if closed and not (opened and opened.start() < closed.start()) else 0
