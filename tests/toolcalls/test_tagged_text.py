"""Calls in code between the marks of dialects that have JSON there; marks that open calls and hold none."""

from __future__ import annotations

import pytest

from toolcalls.answers import Call, Calls, ParseFailure
from toolcalls.parsing import parse

F, G = Call("f", {"a": 1}), Call("g", {"b": 2})


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("when2call", "<TOOLCALL>{}</TOOLCALL>"),
        ("mistral", "[TOOL_CALLS] {}"),
        ("hermes", "<tool_call>{}</tool_call>"),
    ],
)
@pytest.mark.parametrize("body", ["[f(a=1), g(b=2)]", '["f(a=1)", "g(b=2)"]'])
def test_calls_in_code_are_read_in_another_forms_marks(form: str, text: str, body: str) -> None:
    assert parse(text.replace("{}", body)) == Calls((F, G), form, ("calls as text",))
    assert isinstance(parse(text.replace("{}", body), strict=True), ParseFailure)


def test_a_call_in_code_after_llamas_tag_is_read() -> None:
    assert parse("<|python_tag|>f(a=1)") == Calls((F,), "llama3", ("calls as text", "no brackets"))


@pytest.mark.parametrize("body", ["print('hi')", "no call", "import os", '{"results": []}', "[f(a=1"])
def test_what_is_no_call_after_llamas_tag_is_a_failure(body: str) -> None:
    assert isinstance(parse(f"<|python_tag|>{body}"), ParseFailure)


def test_a_comment_in_a_json_call_is_pythons_or_a_failure() -> None:
    assert parse('{"name": "f", # c\n "arguments": {"a": 1}}') == Calls((F,), "json", ("comment",))
    for comment in ("/* c */", "// c\n"):
        assert isinstance(parse(f'{{"name": "f", {comment} "arguments": {{"a": 1}}}}'), ParseFailure)
