"""Read an answer as a model really writes it, without ever evaluating it.

First the whole answer is tried as one dialect's own spelling. A tolerant reading then looks for the places where calls stand,
and at what is around them. Each step passes over the text once, so the work grows with its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from toolcalls.answers import Answer, Calls, ParseFailure, Text
from toolcalls.dialects import dialects_of, paper
from toolcalls.dialects.dialect import Dialect
from toolcalls.expressions import LooseReader
from toolcalls.finding import Finder, Span, read_with
from toolcalls.limits import LIMITS, Limits
from toolcalls.literals import Reader
from toolcalls.mentions import find_code, find_mention, is_alone
from toolcalls.plain_answers import read_plain_answer
from toolcalls.plain_lists import Ahead
from toolcalls.wrapping import passed_over

__all__ = ["LIMITS", "Limits", "parse"]


def parse(text: str, *, strict: bool = False, limits: Limits = LIMITS) -> Answer:
    """Read an answer: `Calls`, `Text` when nothing in it looks like a call, else `ParseFailure`. Never raises.

    `strict`: calls must be one dialect's own spelling and the whole answer but for outer space. A tolerant reading gives the
    same for these; of others it says in `Calls.tolerated` what it looked past. `[]` calls nothing and is Text. So is the empty
    text, but that is no no-call (see `selection.judge`).
    """
    if len(text) > limits.length:
        return ParseFailure(f"longer than {limits.length} characters", limits.length)
    body = text.strip()
    quick = read_plain_answer(body, strict) if limits is LIMITS else None
    if isinstance(quick, Calls):
        return quick
    read = _read(body, limits, quick, strict=strict)
    if isinstance(read, ParseFailure):
        return ParseFailure(read.reason, read.position + len(text) - len(text.lstrip()))
    return read or Text(text)


def _read(body: str, limits: Limits, ahead: Ahead | None, *, strict: bool) -> Calls | ParseFailure | None:
    """Read a text without outer space; None where nothing looks like a call."""
    dialects = None
    if ahead and ahead.calls and ahead.start == 1 and not strict:
        first = [paper.DIALECT]  # no other begins as this list does
    else:
        dialects = dialects_of(body)
        first = _at_start(dialects, body)
    if strict and not first:
        starts = [found.start() for dialect in dialects or () if (found := dialect.begins.search(body))]
        return ParseFailure("calls must stand alone", min(starts)) if starts else None
    if not first and not dialects:
        return None
    reader = LooseReader(body, limits)
    reader.ahead = ahead
    own = strict or len(first) > 1  # where several dialects begin alike, the one whose own spelling it is counts
    span = read_with(first, Reader(body, limits, strict=True) if own else reader, 0) if first else None
    if span:
        if not span.failure and span.calls and span.end == len(body):
            return Calls(tuple(span.calls), span.dialect.name, tuple(span.tolerated))
        if strict:
            return _failure(span) if span.failure else None
    return _among(Finder(body, dialects or dialects_of(body), reader, None if own else span))


def _at_start(dialects: Sequence[Dialect], body: str) -> list[Dialect]:
    """The dialects whose calls begin where the text does."""
    mark = body[:1]
    return [dialect for dialect in dialects if (not dialect.opens or mark in dialect.opens) and dialect.begins.match(body)]


def _failure(span: Span) -> ParseFailure:
    assert span.failure is not None
    return ParseFailure(str(span.failure), span.failure.position)


def _among(finder: Finder) -> Calls | ParseFailure | None:
    """Read the calls of a text that may hold more; None where nothing looks like a call."""
    finder.run()
    spans = [span for span in finder.spans if span.dialect.tagged] or finder.spans
    if not spans:
        return None
    if failed := next((span for span in spans if span.failure), None):
        return _failure(failed)
    if other := _in_another_form(finder, spans):
        return ParseFailure("calls in two forms", other.start)
    starts, ends = [span.start for span in spans], [span.end for span in spans]
    gaps = list(zip([finder.start, *ends], [*starts, len(finder.text)], strict=True))
    around = [passed_over(finder.text, *gap) for gap in gaps]
    if not spans[0].dialect.tagged:
        if apart := next((span for span, words in zip(spans[1:], around[1:], strict=False) if "prose" in words), None):
            return ParseFailure("calls at two places with words between", apart.start)
        if finder.open_thought and "prose" in around[-1]:
            return ParseFailure("cut off: calls within a thinking block that does not end", spans[0].start)
        if "prose" in around[0] + around[-1] and (failure := _mentioned(finder.text, spans, gaps)):
            return failure
    thought = ["thinking"] if finder.start else []
    tolerated = [
        *thought,
        *around[0],
        *(word for span, after in zip(spans, around[1:], strict=True) for word in (*span.tolerated, *after)),
    ]
    return Calls(tuple(call for span in spans for call in span.calls), spans[0].dialect.name, tuple(dict.fromkeys(tolerated)))


def _in_another_form(finder: Finder, spans: list[Span]) -> Span | None:
    """The first calls of another dialect; beside tagged ones those without tags count only where no words stand between."""
    if other := next((span for span in spans if span.dialect is not spans[0].dialect), None):
        return other
    for one, other in pairwise(finder.spans):
        if one.dialect.tagged != other.dialect.tagged and "prose" not in passed_over(finder.text, one.end, other.start):
            return other
    return None


def _mentioned(text: str, spans: list[Span], gaps: list[tuple[int, int]]) -> ParseFailure | None:
    """Why calls without marks of their own, which stand among words, may be no more than mentioned."""
    for gap in gaps:
        if (found := find_code(text, *gap)) is not None:
            return ParseFailure("code, not calls", found)
        if (found := find_mention(text, *gap)) is not None:
            return ParseFailure("calls at two places with words between", found)
    for span, before in zip(spans, gaps, strict=False):
        if not is_alone(text, before[0], span.start, span.end):
            return ParseFailure("a call among words", span.start)
    return None
