"""Find the places of a text where calls stand, whatever is around them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from toolcalls.answers import Call
from toolcalls.dialects.dialect import Dialect
from toolcalls.expressions import LooseReader
from toolcalls.limits import Limits
from toolcalls.literals import NoCall, Reader, Unreadable
from toolcalls.wrapping import THINKING, unopened_thought_end


@dataclass(frozen=True, slots=True)
class Span:
    """Calls that stand together, or why what looks like calls could not be read."""

    dialect: Dialect
    start: int
    end: int
    calls: list[Call]
    tolerated: list[str]
    failure: Unreadable | None = None


def read_with(dialects: Sequence[Dialect], text: str, start: int, limits: Limits, *, strict: bool, count: int = 0) -> Span:
    """Read calls at `start` with the first of at least one dialect that can; else the failure of the one that came furthest.

    A strict reading must come to the end of the text. `count`: calls read before, which the limit counts too.
    """
    failed: Span | None = None
    for dialect in dialects:
        reader: Reader = Reader(text, limits, strict=True) if strict else LooseReader(text, limits)
        reader.position, reader.count = start, count
        try:
            calls = dialect.read(reader)
            if not strict:
                return Span(dialect, start, max(reader.position, start + 1), calls, reader.tolerated)
            reader.skip_space()
            if reader.at_end():
                return Span(dialect, start, reader.position, calls, [])
            failure = Unreadable("text after the calls" if calls else "no calls between the marks", reader.position)
        except NoCall:
            return Span(dialect, start, max(_value_end(reader, start), start + 1), [], [])
        except Unreadable as raised:
            failure = raised
        if failed is None or failed.end < reader.position:
            failed = Span(dialect, start, max(reader.position, start + 1), [], [], failure)
    assert failed is not None  # there is at least one dialect
    return failed


def _value_end(reader: Reader, start: int) -> int:
    """Where the JSON value ends that begins at `start`, as far as it can be read."""
    reader.position = start
    with suppress(Unreadable):
        reader.json_value()
    return reader.position


class Finder:
    """Goes through a text once, from left to right, past thinking blocks, and keeps the spans of calls that it meets."""

    def __init__(self, text: str, dialects: Sequence[Dialect], limits: Limits, first: Span | None) -> None:
        """`first`: what a tolerant reading at the start of the text found, where there was one."""
        self.spans: list[Span] = []
        self.open_thought = False  # whether a thinking block was met that never ends
        self.text = text
        self._limits = limits
        self._first = first
        self._count = 0  # of calls read
        self.start = unopened_thought_end(text) if "</" in text else 0  # behind thinking that began before the text
        self._position = self.start
        self._begins = [(dialect, dialect.begins.search(text, self._position)) for dialect in dialects]
        self._thinking = THINKING.search(text, self._position) if "<" in text else None

    def run(self) -> None:
        """Find every span up to one of a tagged dialect that cannot be read; after such an untagged one only tagged ones."""
        while self._position < len(self.text):
            self._look_ahead()
            start = min([found.start() for _, found in self._begins if found], default=len(self.text))
            if self._thinking and self._thinking.start() < start:
                self._pass_thinking(self._thinking["tag"], self._thinking.end())
            elif start == len(self.text):
                return
            else:
                self._read(start)

    def _look_ahead(self) -> None:
        """Search again for what begins before the position; of a dialect that begins nowhere there is nothing to search."""
        for number, (dialect, found) in enumerate(self._begins):
            if found and found.start() < self._position:
                self._begins[number] = dialect, dialect.begins.search(self.text, self._position)
        if self._thinking and self._thinking.start() < self._position:
            self._thinking = THINKING.search(self.text, self._position)

    def _pass_thinking(self, tag: str, inside: int) -> None:
        end = self.text.find(f"</{tag}>", inside)
        self._position = inside if end < 0 else end + len(tag) + 3
        if end < 0:
            self.open_thought, self._thinking = True, None  # all that follows is thought, whatever else begins in it

    def _read(self, start: int) -> None:
        dialects = [dialect for dialect, found in self._begins if found and found.start() == start]
        span, self._first = self._first if start == 0 else None, None
        span = span or read_with(dialects, self.text, start, self._limits, strict=False, count=self._count)
        self._position = span.end
        self._count += len(span.calls)
        if span.calls or span.failure:
            self.spans.append(span)
        if span.failure:
            self._begins = [(dialect, found) for dialect, found in self._begins if dialect.tagged and not span.dialect.tagged]
