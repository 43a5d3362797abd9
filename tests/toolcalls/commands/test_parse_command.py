from __future__ import annotations

from typing import Any

import pytest

from toolcalls.commands.parsing import parsed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[f(a=1), g h(b="x")]',
            {
                "calls": [{"name": "f", "arguments": {"a": 1}}, {"name": "g h", "arguments": {"b": "x"}}],
                "form": "paper",
                "tolerated": [],
            },
        ),
        ("Sunny.", {"text": "Sunny.", "form": None, "tolerated": []}),
        ("[]", {"text": "[]", "form": None, "tolerated": []}),
    ],
)
def test_answer_is_calls_or_text(text: str, expected: dict[str, Any]) -> None:
    assert parsed(text) == expected


def test_failure_has_reason_and_position() -> None:
    result = parsed("[f(a=")
    assert result["failure"].keys() == {"reason", "position"}
    assert (result["form"], result["tolerated"]) == (None, [])


def test_strict_takes_calls_alone() -> None:
    text = "Let me see: [f(a=1)]"
    assert parsed(text)["calls"] == [{"name": "f", "arguments": {"a": 1}}]
    assert parsed(text)["tolerated"] != []
    assert "failure" in parsed(text, strict=True)
