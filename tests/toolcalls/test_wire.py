from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from toolcalls import wire
from toolcalls.answers import Call
from toolcalls.errors import InputError
from toolcalls.records import Generation, Message, Sample, TrainingRow, Verdict

SAMPLE = Sample(
    "s", ({"name": "f", "parameters": {"type": "dict"}},), (Message("user", "Größe?"),), (Call("f", {"a": [1, None]}),),
    "[f(a=[1, None])]", "Now.", "System.", "heldout", "simple", "de",
)  # fmt: skip
RECORDS: list[tuple[Any, Callable[[Any], Any]]] = [
    (SAMPLE, wire.sample_from_json),
    (Sample("s", (), (), None), wire.sample_from_json),
    (Generation(3, 2**62, "x", "length", 10, 5, "ab"), wire.generation_from_json),
    (Verdict(8, 1, 2, 0, "", {"not_a_call": 6}, "no", 3, "1:tolerance=1"), wire.verdict_from_json),
    (Verdict(8, 0, 0, None, "too_long"), wire.verdict_from_json),
    (TrainingRow("s", "refine", (Message("system", "S"),), "[f()]"), wire.training_row_from_json),
]


@pytest.mark.parametrize(("record", "read"), RECORDS)
def test_records_survive_the_wire(record: Any, read: Callable[[Any], Any]) -> None:
    assert read(json.loads(json.dumps(wire.to_json(record)))) == record


def test_only_what_a_sample_needs_must_be_there() -> None:
    read = wire.sample_from_json(
        {"id": "s", "tools": [], "messages": [{"role": "user", "content": "Hi"}], "truth": [{"name": "f"}]}
    )
    assert read == Sample("s", (), (Message("user", "Hi"),), (Call("f"),))
    assert wire.sample_from_json({"id": "s", "tools": [], "messages": [], "truth": []}).truth is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": ...}, "line 7: field 'id' is missing; a text is needed there"),
        ({"truth": ...}, "line 7: field 'truth' is missing; needed: a list of calls, or null for a truth in words"),
        ({"id": 3}, "line 7: field 'id' must be a text, not int"),
        ({"tools": {}}, "line 7: field 'tools' must be a list, not dict"),
        ({"tools": ["f"]}, "line 7, tools[0]: an object expected, not str"),
        ({"messages": [{"role": "user"}]}, "line 7, messages[0]: field 'content' is missing; a text is needed there"),
        ({"truth": [{"name": "f", "arguments": "{}"}]}, "line 7, truth[0]: field 'arguments' must be an object, not str"),
        ({"split": "test"}, "line 7: field 'split' is 'test'; allowed: 'train', 'heldout'"),
    ],
)
def test_what_is_wrong_with_a_record_is_said_with_its_place(change: dict[str, Any], message: str) -> None:
    data = wire.to_json(SAMPLE) | change
    with pytest.raises(InputError) as caught:
        wire.sample_from_json({name: value for name, value in data.items() if value is not ...}, "line 7")
    assert str(caught.value) == message


def test_a_bool_is_no_whole_number_and_no_record_is_no_object() -> None:
    with pytest.raises(InputError, match="'attempt' must be a whole number, not bool"):
        wire.generation_from_json(wire.to_json(Generation(0, 1, "", "stop", 1, 1, "")) | {"attempt": True})
    with pytest.raises(InputError, match="generation: an object expected, not list"):
        wire.generation_from_json([])
