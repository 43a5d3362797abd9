"""Read what is to be answered: rows of tools and messages without a truth, in our own form or in OpenAI's chat form."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

from toolcalls.errors import InputError
from toolcalls.formats.openai import from_openai
from toolcalls.importing import RowError, check_asked
from toolcalls.records import Message, Sample
from toolcalls.rows import Row, Source, read_rows
from toolcalls.wire import sample_from_json


class Asked(NamedTuple):
    """`id` is the row's own, or its number from 1; the sample has no truth, and `id` as text for its id."""

    id: str | int
    sample: Sample


def read_questions(lines: Source) -> Iterator[Asked | RowError]:
    """Yield the questions of JSON lines or of a JSON array, and an error for each row that is none.

    A row is {"id"?, "tools"?, "messages"}. One with `other` or `truth` is read as a sample of our own, whose truth is passed
    over; any other as a request of OpenAI's, whose system texts become the sample's `other`.
    """
    seen: dict[str, int] = {}
    for number, row in enumerate(read_rows(lines), 1):
        try:
            asked = _asked(row, number)
            if (first := seen.setdefault(asked.sample.id, number)) != number:
                raise InputError(f"id {asked.id!r} was given before, by row {first}; make the ids unique")
        except InputError as error:
            yield RowError(row.line, str(error))
        else:
            yield asked


def _asked(row: Row, number: int) -> Asked:
    if row.problem:
        raise InputError(row.problem)
    if not isinstance(row.value, dict):
        raise InputError(f"an object expected, not {type(row.value).__name__}")
    identity = number if row.value.get("id") is None else row.value["id"]
    if type(identity) not in (str, int):
        raise InputError(f"field 'id' must be a text or a whole number, not {type(identity).__name__}")
    sample = dataclasses.replace(_sample(row.value), id=str(identity))
    check_asked(sample)
    return Asked(identity, sample)


def _sample(row: dict[str, Any]) -> Sample:
    if "other" in row or "truth" in row:
        return sample_from_json({"tools": [], **row, "id": "", "truth": None, "truth_text": None}, "row")
    if not isinstance(row.get("messages"), list):
        raise InputError("field 'messages' is missing or no list; needed: the conversation to answer")
    conversation = from_openai(row)
    messages = tuple(Message(said.role, said.content) for said in conversation.turns)
    return Sample("", conversation.tools, messages, None, other=conversation.other, system=conversation.system)
