"""What no database can store is refused, wherever in the JSON it hides, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.errors import InputError
from toolcalls.rows import DEEPEST, decoded, decoded_at, read_rows

CHARACTERS = "not usable: a text holds a NUL character or half of a surrogate pair; remove it"
LARGE = "not usable: a number is too large"
DEEP = f"not readable: lists and objects nested more than {DEEPEST} deep"


def nested(depth: int) -> str:
    """As many lists in each other."""
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": "\\u0000"}', CHARACTERS),
        ('{"a": [{"b": ["x\\ud800y"]}]}', CHARACTERS),
        ('{"a\\uDFFF": 1}', CHARACTERS),
        ('{"城": "\\u0000"}', CHARACTERS),
        ('{"a": 1e999}', LARGE),
        ('{"a": [-1e999]}', LARGE),
        ('{"a": ' + nested(DEEPEST) + "}", DEEP),
        ('{"a": ' + '{"a": ' * DEEPEST + "1" + "}" * DEEPEST + "}", DEEP),
    ],
)
def test_what_cannot_be_stored_is_refused_in_lines_arrays_and_fields(text: str, problem: str) -> None:
    assert [row.problem for row in read_rows(text + "\n")] == [problem]
    assert [row.problem for row in read_rows(f'[{{"ok": "\\u00e9"}}, {text}]')] == ["", problem]
    for read in (decoded, lambda given: decoded_at(given, 0)):
        with pytest.raises(InputError) as refusal:
            read(text)
        assert str(refusal.value) == problem


@pytest.mark.parametrize(
    "value",
    [
        {"a": "\\u0000 and \\ud800 as they are written"},
        {"a": "😀 城 é \u2028 \x7f"},
        {"a": "[{" * 500},
        {"a": [[{"b": 1}]] * 100},
        {"a": 1.5e300, "b": 10**300, "c": -0.0},
        {"a": json.loads(nested(DEEPEST - 1))},
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_only_looks_like_it_is_read(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert [(row.value, row.problem) for row in read_rows(text)] == [(value, "")]
    assert [(row.value, row.problem) for row in read_rows(f"[{text}]")] == [(value, "")]
    assert decoded(text) == value


def test_a_raw_half_of_a_pair_in_a_text_is_refused() -> None:
    with pytest.raises(InputError, match="surrogate"):
        decoded('["\ud800"]')


def test_a_byte_order_mark_is_passed_over() -> None:
    assert [row.value for row in read_rows(b'\xef\xbb\xbf{"a": 1}\n')] == [{"a": 1}]


@given(st.recursive(st.text() | st.integers() | st.booleans(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_is_read_as_it_is_unless_it_holds_nul(value: Any) -> None:
    text = json.dumps([value])
    if "\0" in "".join(_texts(value)):
        with pytest.raises(InputError):
            decoded(text)
    else:
        assert decoded(text) == [value]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for each in inner for text in _texts(each)]
