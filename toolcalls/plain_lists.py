"""The fast road: move over all that is plain of a list of calls at once, up to where the thorough road must look closer.

The thorough road is `loose_lists` (`paper.read` of a strict reader), which reads mark by mark. Plain are names of letters and
digits, and values that stand as they are: there both say the same. At anything else this one stops, in a state in which the
other can go on. So each text is one list, read fast in strides and slowly between them.

There are two ways to make a stride, which may move over more or less: by patterns, and mark by mark where this is compiled.
"""

from __future__ import annotations

from typing import Final

from toolcalls.plain_values import NESTED, TO_THE_END, Ahead, Stop

__all__ = ["COMPILED", "NESTED", "TO_THE_END", "Ahead", "Stop", "plain_value", "stride"]

COMPILED: Final = not __file__.endswith(".py")

if COMPILED:
    from toolcalls.plain_marks import plain_value, stride
else:
    from toolcalls.plain_patterns import plain_value, stride
