"""What a way of writing calls must say of itself to be found, read and written."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toolcalls.answers import Call
from toolcalls.literals import Reader


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of writing calls. It is not in charge of what stands around them: prose, fences, thinking, special tokens."""

    name: str  # `form` of the calls read
    begins: re.Pattern[str]  # where calls of this dialect may begin; searched over any text, so it must be linear
    # Reads every call from the reader's position, where `begins` matched, up to the last that follows with nothing but space
    # between, and leaves the position behind it. Raises Unreadable. Each Call comes from `reader.call`, which keeps the limits.
    read: Callable[[Reader], list[Call]]
    render: Callable[[Sequence[Call]], str]  # raises ValueError for what the dialect cannot carry
    needs: str  # a mark in every call of it, at or behind the place where `begins` matches
    tagged: bool = False  # has marks of its own: words around its calls are normal use, and it wins over untagged ones
    opens: str = ""  # the characters of which one stands where `begins` matches; any where this is empty
    # Reads a whole answer of the dialect's usual shape, within every limit, in one go; nothing of any other.
    quick: Callable[[str], tuple[Call, ...]] | None = None
