"""The quick ways of reading JSON and plain lists agree with the reader that goes mark by mark."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from toolcalls import plain_marks, plain_patterns
from toolcalls.answers import Call
from toolcalls.dialects import bfcl_fc, paper
from toolcalls.expressions import LooseReader
from toolcalls.limits import LIMITS
from toolcalls.literals import Reader, Unreadable
from toolcalls.parsing import parse
from toolcalls.plain_json import read_plain_json, read_whole
from toolcalls.plain_values import TO_THE_END, Ahead, Stop
from toolcalls.storing import is_storable

Stride = Callable[..., Stop]
STRIDES: list[Stride] = [plain_patterns.stride, plain_marks.stride]  # for interpreted Python, and for compiled
SLOWLY = replace(LIMITS)  # equal to LIMITS and not the same: no quick way is taken

json_pieces = [
    *'[]{},:"\\ -0159eE.',
    '"a"',
    '"a": ',
    "true",
    "null",
    "True",
    "NaN",
    "1e999",
    "1" * 70,
    "\\u0000",
    "\\ud83d",
    "\0",
    "\ud800",
]
json_texts = st.lists(st.sampled_from(json_pieces), max_size=12).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**70), 10**70) | st.floats() | st.text("a\"'\\\n\0\ud800é😀", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


def slowly(text: str) -> object:
    """What the reader makes of a text that is one JSON value, or Unreadable."""
    reader = Reader(text, SLOWLY, strict=True)
    try:
        value = reader.json_value()
    except Unreadable:
        return Unreadable
    return value if reader.at_end() else Unreadable


@given(json_texts | values.map(json.dumps) | values.map(lambda value: json.dumps(value, ensure_ascii=False)))
@example('{"a": 1, "a": 1}')
@example("[" * 33 + "]" * 33)
@example("[" * 2000)
@example('"\\ud83d\\ude00"')
def test_json_is_read_quickly_only_where_it_is_read_alike(text: str) -> None:
    quick = read_plain_json(text, 0, LIMITS.depth)
    if quick and quick[1] == len(text):
        assert repr(quick[0]) == repr(slowly(text))
    assert read_whole(text, LIMITS.depth) is None or repr(read_whole(text, LIMITS.depth)) == repr(slowly(text))


@pytest.mark.parametrize("text", ['{"a": [1, 2.5, "é", true, null, {"b": "\\u00e9\\n"}]}', '"x"', "[]", "-5", "1e5"])
def test_plain_json_is_read_quickly(text: str) -> None:
    assert read_whole(text, LIMITS.depth) == json.loads(text)


def of_the_paper(text: str) -> tuple[Call, ...]:
    reader = Reader(text, SLOWLY, strict=True)
    try:
        calls = paper.read(reader)
    except Unreadable:
        return ()
    return tuple(calls) if reader.at_end() else ()


def at_once(text: str, stride: Stride) -> tuple[Call, ...]:
    """What one stride makes of a text that is one plain list."""
    calls: list[Call] = []
    stop = stride(text, 1, calls, None, LIMITS.calls)
    return tuple(calls) if stop is TO_THE_END else ()


list_pieces = st.sampled_from(
    [
        *"[](){},=:\"' \n1a",
        "f(",
        "f g(",
        "a=",
        "a=1",
        ", ",
        "b='x'",
        ")]",
        "[f(",
        "True",
        "null",
        "-1.5e3",
        "[1, 2]",
        "{'k': 1}",
        "007",
        '["x"]',
    ]
)
whole_lists = st.lists(list_pieces, max_size=12).map("".join).map(lambda inside: f"[f({inside})]")


@pytest.mark.parametrize("stride", STRIDES)
@given(text=whole_lists)
@example("[f(a={'k': 1, 'k': 1})]")
@example("[f(a=[1e999])]")
@example("[f(a='\"', b=\"'\")]")
@example("[f(a=['it', \"it's\"])]")
@example("[f(" + "a=1)), f(" + "b=2)]")
@example("[f(a=1]")
@example("[f(a=1)),), le f(b=2)]")
@example("[f(a=1,)]")
def test_plain_lists_are_read_quickly_only_where_they_are_read_alike(stride: Stride, text: str) -> None:
    quick = at_once(text, stride)
    if quick:
        assert repr(quick) == repr(of_the_paper(text))


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize(
    "text",
    [
        "[f(a=1, b=-2.5, c='x', d=\"y\", e=True, g=None)]",
        "[f(a=[1, 'x'], b={'k': [true, null]}), api.get X(), g()]",
        "[f(a=[]), g(b='城 é', c={})]",
    ],
)
def test_plain_lists_are_read_quickly(stride: Stride, text: str) -> None:
    assert at_once(text, stride) == of_the_paper(text) != ()


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize(
    ("text", "position", "arguments", "calls"),
    [
        ("[f(a=1, b=2 + 3)]", 8, {"a": 1}, 1),  # within a call, before the argument that is not plain
        ("[f(a=1), g(b: 2)]", 9, None, 1),  # before a call whose name may go on
        ("[f(a=1), g() (b=2)]", 9, None, 1),
        ("[f(a=1) g(b=2)]", 7, None, 1),  # right behind a call
        ("[f(a=1),]", 7, None, 1),
        ("[f(a=1, )]", 3, {}, 1),
        ("[f(a=1, a=2)]", 8, {"a": 1}, 1),
        ("[f(a=1), g(b=2)].", 16, None, 2),
        ("[f(a={'k': x}, b=1)]", 3, {}, 1),
        ("[f()b=1]", 1, None, 0),  # where the name ends is not sure
    ],
)
def test_a_stride_ends_where_something_is_not_plain(
    stride: Stride, text: str, position: int, arguments: dict[str, object] | None, calls: int
) -> None:
    read: list[Call] = []
    stop = stride(text, 1, read, None, LIMITS.calls)
    assert (stop.position, stop.arguments, len(read)) == (position, arguments, calls)


def going_on(text: str, stride: Stride) -> object:
    """What the loose reader makes of a list whose first stride was made before."""
    calls: list[Call] = []
    reader = LooseReader(text)
    reader.ahead = Ahead(1, calls, stride(text, 1, calls, None, LIMITS.calls))
    try:
        return paper.read(reader), reader.position, reader.tolerated
    except Unreadable as failure:
        return str(failure), failure.position


odd_values = st.sampled_from(
    ["1", "-0.5e3", "'x'", '"a\\n"', "[1, {'k': [True]}]", "[[[[[1]]]]]", "x + 1", "{'k': 1, }", "01", "1_0", ""]
)
odd_arguments = st.builds(
    "{}{}{}".format, st.sampled_from(["a", "b", "a b", "ä", "**", "1a"]), st.sampled_from(["=", " = ", ":", "=="]), odd_values
)
commas = st.sampled_from([", ", ",", " , ", ",\u3000", ", # so\n"])
odd_calls = st.builds(
    "{}({}{}".format,
    st.sampled_from(["f", "f g", "f (g)", "api.get-X", "", "é"]),
    st.builds(str.join, commas, st.lists(odd_arguments | st.just("1"), max_size=3)),
    st.sampled_from([")", ",)", ", )", " )", ""]),
)
odd_lists = st.builds(
    "[{}{}".format, st.lists(odd_calls, max_size=4).map(", ".join), st.sampled_from(["]", " ]", ",]", "] ", "].", ""])
)


@given(odd_lists | whole_lists)
def test_a_list_is_read_alike_from_wherever_the_first_stride_ends(text: str) -> None:
    assume(is_storable(text))
    one, other = (going_on(text, stride) for stride in STRIDES)
    assert repr(one) == repr(other)


plain_pieces = st.lists(list_pieces | odd_values, max_size=4).map("".join)


@given(plain_pieces)
@example("{'a': 1, 'a': 2}, ")
def test_a_plain_value_is_read_alike(text: str) -> None:
    ahead = plain_marks.plain_value(text, 0), plain_patterns.plain_value(text, 0)
    assert None in ahead or repr(ahead[0]) == repr(ahead[1])


pieces_of_answers = st.sampled_from(
    [
        *("[f(a=1)]", "[f(a=1), g(b='x')]", "[f g(a=1)]", "[f(1)]", "[f(a=x + 1, b=2)]", "f(a=1)", "[[f(a=1)]]", "[f(a=1"),
        *(
            " ",
            "\n",
            ", ",
            "Sure: ",
            "```",
            "```python\n",
            "<think>Hm.</think>",
            "</think>",
            "<|eot_id|>",
            "<|python_tag|>",
            "</s>",
        ),
        *(
            "import os",
            "def f(a=1):",
            "g()",
            "'",
            '"',
            "[",
            "]",
            ")",
            "# so",
            ".",
            '{"name": "f", "arguments": {}}',
            "✿FUNCTION✿",
        ),
    ]
)


@given(st.lists(pieces_of_answers, max_size=6).map("".join), st.booleans())
def test_answers_are_read_quickly_only_where_they_are_read_alike(text: str, strict: bool) -> None:
    assert repr(parse(text, strict=strict)) == repr(parse(text, strict=strict, limits=SLOWLY))


ESCAPED = [
    r"'it\'s'",
    r'"a\n\"b\""',
    r"'\\'",
    r"'\\\''",
    r'"\u00e9"',
    r'"\ud83d\ude00"',
    r'"\ud83d"',
    r"'\d'",
    r"'\x41'",
    r"'a \"b\"'",
]


@pytest.mark.parametrize("text", ESCAPED)
def test_escapes_are_read_alike(text: str) -> None:
    answer = f"[f(a={text}, b=[{text}], c={{'k': {text}}})]"
    assert repr(parse(answer)) == repr(parse(answer, limits=SLOWLY))


result_pieces = st.sampled_from(
    ['{"f": "{}"}', '{"f": "{\\"a\\": 1}"}', '{" ": "{}"}', '{"f": "{}", "g": "{}"}', "5", "[]", '{"f": "[]"}', '{"f": {}}', " "]
)


@given(st.lists(result_pieces, max_size=4).map(lambda pieces: f"[{', '.join(pieces)}]"))
@example('[{"f": "{}"}, 5, {"f": "{}"}]')
@example('[{"' + "f" * 257 + '": "{}"}]')
@example("[" + ", ".join(['{"f": "{}"}'] * 513) + "]")
def test_results_of_function_calling_are_read_quickly_only_where_they_are_read_alike(text: str) -> None:
    reader = Reader(text, SLOWLY, strict=True)
    try:
        slow = tuple(bfcl_fc.read(reader)) if bfcl_fc.DIALECT.begins.match(text) else ()
    except Unreadable:
        slow = ()
    assert repr(bfcl_fc.read_plain(text)) == repr(slow)
