"""The names of tools that a verdict holds to be found by."""

from __future__ import annotations

from curation.stages.judging import NAMES_BYTES, PER_NAME, tool_names
from toolcalls.answers import Call
from toolcalls.records import Message, Sample


def sample(*names: str) -> Sample:
    truth = tuple(Call(name, {}) for name in names)
    return Sample(id="s", tools=(), messages=(Message("user", "?"),), truth=truth, truth_text=None, split="train")


def test_each_tool_stands_once_in_the_truths_order() -> None:
    assert tool_names(sample("b", "a", "b")) == ["b", "a"]


def test_no_more_names_are_held_than_an_index_has_room_for() -> None:
    names = [f"{number:03}" + "天" * 64 for number in range(100)]
    kept = tool_names(sample(*names))
    assert kept == names[: len(kept)]
    size = sum(len(name.encode()) + PER_NAME for name in kept)
    assert NAMES_BYTES - len(names[0].encode()) - PER_NAME < size <= NAMES_BYTES
