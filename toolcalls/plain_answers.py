"""The fast road for a whole answer: one list of the paper's usual shape, alone or among quiet words, fences and tokens.

Quiet is what holds no mark with which calls could begin, so that nothing but the list is left to find. The thorough road is
`parsing`; where this one answers, that one answers the same.
"""

from __future__ import annotations

import re
from typing import Final

from toolcalls.answers import Call, Calls
from toolcalls.dialects import QUICK
from toolcalls.dialects.loose_lists import BEGINS
from toolcalls.limits import LIMITS
from toolcalls.mentions import find_code
from toolcalls.plain_lists import TO_THE_END, Ahead, stride
from toolcalls.storing import is_storable
from toolcalls.wrapping import passed_over

_QUIET = r"[^\[({<✿]"
_THOUGHT = r"<(think(?:ing)?|thought|reasoning|scratch_pad)>[^<]*+</\1>"
_BEFORE: Final = re.compile(rf"(?![\"'])(?:(?:<s>|<\|python_tag\|>)\s*+|(?:{_THOUGHT})?+{_QUIET}*+)(?=\[)")
_AFTER: Final = re.compile(
    rf"(?:{_QUIET}++|</s>|<\|(?:eot_id|eom_id|im_end|end_of_text|endoftext|end)\|>|<｜end▁of▁sentence｜>|<end_of_turn>|<eos>)*+\Z"
)


def read_plain_answer(body: str, strict: bool) -> Calls | Ahead | None:
    """Read a text of a usual shape, without outer space; of another perhaps what was read before that showed.

    Usual are one plain list, if not `strict` among quiet words, and what a dialect reads quickly by itself.
    """
    start = 1
    if body[:1] != "[":
        if strict or (before := _BEFORE.match(body)) is None:
            return None
        start += before.end()
    elif body[1:2] == "{":
        for form, read_quickly in QUICK:
            if read := read_quickly(body):
                return Calls(read, form)
        return None
    if not is_storable(body):
        return None
    calls: list[Call] = []
    stop = stride(body, start, calls, None, LIMITS.calls)
    if stop is TO_THE_END and start == 1:
        return Calls(tuple(calls), "paper")
    words = _words_around(body, start - 1, min(stop.position, len(body))) if stop.closed and not strict else None
    return Ahead(start, calls, stop) if words is None else Calls(tuple(calls), "paper", tuple(words))


def _words_around(body: str, start: int, end: int) -> dict[str, None] | None:
    """What is looked past around the list that stands there; None if something there must be looked at more closely."""
    if not BEGINS.match(body, start) or not _AFTER.match(body, end) or body.find("<", start, end) >= 0:
        return None
    words = dict.fromkeys((*passed_over(body, 0, start), *passed_over(body, end, len(body))))
    if "prose" in words and (find_code(body, 0, start) is not None or find_code(body, end, len(body)) is not None):
        return None
    return words
