"""Find the places of a text where calls stand, whatever is around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from toolcalls.answers import Call
from toolcalls.dialects.dialect import Dialect
from toolcalls.expressions import LooseReader
from toolcalls.literals import NoCall, Reader, Unreadable
from toolcalls.wrapping import THINKING, unopened_thought_end


@dataclass(frozen=True, slots=True, init=False)
class Span:
    """Calls that stand together, or why what looks like calls could not be read."""

    dialect: Dialect
    start: int
    end: int
    calls: list[Call]
    tolerated: list[str]
    failure: Unreadable | None

    def __init__(
        self, dialect: Dialect, start: int, end: int, calls: list[Call], tolerated: list[str], failure: Unreadable | None = None
    ) -> None:
        object.__setattr__(self, "dialect", dialect)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)
        object.__setattr__(self, "calls", calls)
        object.__setattr__(self, "tolerated", tolerated)
        object.__setattr__(self, "failure", failure)


def read_with(dialects: Sequence[Dialect], reader: Reader, start: int, *, count: int = 0) -> Span:
    """Read calls at `start` with the first of at least one dialect that can; else the failure of the one that came furthest.

    A strict reading must come to the end of the text. `count`: calls read before, which the limit counts too.
    """
    failed: Span | None = None
    for dialect in dialects:
        reader.begin(start, count)
        try:
            calls = dialect.read(reader)
            if not reader.strict:
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

    def __init__(self, text: str, dialects: Sequence[Dialect], reader: LooseReader, first: Span | None) -> None:
        """`first`: what a tolerant reading at the start of the text found, where there was one."""
        self.spans: list[Span] = []
        self.open_thought = False  # whether a thinking block was met that never ends
        self.text = text
        self._reader = reader
        self._count = 0  # of calls read
        self.start = unopened_thought_end(text) if "</" in text else 0  # behind thinking that began before the text
        self._position = self.start
        self._next = [(dialect, -1) for dialect in dialects]  # where each begins next; -1 where that is to be searched
        self._thinking = _Thinking(text) if "<" in text else None
        if first and not self.start:
            self._keep(first)

    def run(self) -> None:
        """Find every span up to one of a tagged dialect that cannot be read; after such an untagged one only tagged ones."""
        end = len(self.text)
        while self._position < end:
            start = self._next_start(end)
            thinking = self._thinking.next(self._position) if self._thinking else None
            if thinking and thinking.start() < start:
                self._pass_thinking(thinking["tag"], thinking.end())
            elif start == end:
                return
            else:
                dialects = [dialect for dialect, begins in self._next if begins == start]
                self._keep(read_with(dialects, self._reader, start, count=self._count))

    def _next_start(self, end: int) -> int:
        """Where calls may begin next, or `end`. A dialect whose mark does not follow has nothing to search any more."""
        position, text, waiting = self._position, self.text, []
        for dialect, known in self._next:
            begins = known
            if known < position:
                if position and text.find(dialect.needs, position) < 0:
                    continue
                found = dialect.begins.search(text, position)
                if found is None:
                    continue
                begins = found.start()
            waiting.append((dialect, begins))
            end = min(end, begins)
        self._next = waiting
        return end

    def _pass_thinking(self, tag: str, inside: int) -> None:
        end = self.text.find(f"</{tag}>", inside)
        self._position = inside if end < 0 else end + len(tag) + 3
        if end < 0:
            self.open_thought, self._thinking = True, None  # all that follows is thought, whatever else begins in it

    def _keep(self, span: Span) -> None:
        self._position = span.end
        self._count += len(span.calls)
        if span.calls or span.failure:
            self.spans.append(span)
        if span.failure:
            self._next = [(dialect, begins) for dialect, begins in self._next if dialect.tagged and not span.dialect.tagged]


class _Thinking:
    """The thinking blocks of a text, searched for as far as is asked for."""

    __slots__ = ("_found", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._found = THINKING.search(text)

    def next(self, position: int) -> re.Match[str] | None:
        """The first mark that opens one at the position or behind it."""
        if self._found and self._found.start() < position:
            self._found = THINKING.search(self._text, position)
        return self._found
