from __future__ import annotations

import ast
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.official.folding import DEPTH, ROOM, Folder, Unfoldable, fold


def _parsed(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("50 * 1", 50),
        ("-5 + 1", -4),
        ("1.2 / 2", 0.6),
        ("7 // 2 % 2", 1),
        ("2 ** 10", 1024),
        ("2 ** -1", 0.5),
        ("1 ** 10 ** 3", 1),
        ("1 << 4 | 1", 17),
        ("~6 ^ 3 & 1 >> 0", -8),
        ("not 1 + 1", False),
        ("'S' + 'an'", "San"),
        ("'ab' * 2", "abab"),
        ("2 * b'ab'", b"abab"),
        ("'x' * -3", ""),
        ("[1] + [2, 'a']", [1, 2, "a"]),
        ("(1,) * 3", (1, 1, 1)),
        ("{1, 2} | {3}", {1, 2, 3}),
        ("{'a': 1} | {'b': 1 + 1}", {"a": 1, "b": 2}),
        ("'%s of %d' % ('a', 7)", "a of 7"),
        ("b'%d' % 7", b"7"),
        ("1j * 1j", -1 + 0j),
        ("1e308 * 10", float("inf")),
        ("1.5 * 1000000", 1_500_000.0),
    ],
)
def test_constants_fold(source: str, value: object) -> None:
    assert fold(_parsed(source)) == value


@pytest.mark.parametrize(
    "source",
    [
        "a + 1",
        "f() + 1",
        "__import__('os').getpid() + 0",
        "''.join([]) + 'a'",
        "().__class__ + 1",
        "f'{1}' + 'a'",
        "[i for i in (1, 2)] + [1]",
        "1 @ 1",
        "1 / 0",
        "2.0 ** 9999",
        "'a' - 1",
        "1 << -1",
        "{[]} | {1}",
        "{**{'a': 1}} | {}",
        "'%d' % 'a'",
        "'%(a)s' % 1",
    ],
)
def test_what_is_no_constant_or_an_error_does_not_fold(source: str) -> None:
    with pytest.raises(Unfoldable):
        fold(_parsed(source))


@pytest.mark.parametrize(
    "source",
    [
        "9 ** 9 ** 9",
        "2 ** 20000",
        "1 << 10 ** 9",
        "'A' * 10 ** 10",
        "10 ** 10 * 'A'",
        "[0] * 10 ** 9",
        "[[[[0] * 999] * 999] * 999] * 999",
        "'%999999999d' % 1",
        "'%*d' % (999999999, 1)",
        "'%s%s%s' % (('a' * 9999,) * 3)",
        "1" + " + 1" * DEPTH,
        "[" * 190 + "1 + 1" + "]" * 190 + " + []" * (DEPTH - 190),
    ],
)
def test_a_bomb_does_not_fold(source: str) -> None:
    started = time.process_time()
    with pytest.raises(Unfoldable):
        fold(_parsed(source))
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("operation", ["* 1", "+ 1", "- 1", "| 2", "^ 2", "& 2", "% 3", "// 7", ">> 5", "** 1", "<< 0"])
def test_a_number_of_as_many_digits_as_can_be_printed_folds(operation: str) -> None:
    number = "9" * 4299 + "8"
    expected = eval(f"{number} {operation}")  # the source is made above
    assert fold(_parsed(f"{number} {operation}")) == expected


def test_operations_in_each_other_fold_up_to_the_bound() -> None:
    assert fold(_parsed("1" + " + 1" * (DEPTH - 1))) == DEPTH


def test_many_small_bombs_share_one_allowance() -> None:
    folder, node, folded = Folder(), _parsed("'A' * 30000"), 0
    with pytest.raises(Unfoldable):
        while True:
            folded += len(folder.fold(node))
    assert ROOM / 4 < folded <= ROOM


_CONSTANTS = st.integers(-20, 20).map(str) | st.sampled_from(["1.5", "'ab'", "[1]", "(2, 'c')", "True", "None", "b'x'", "{1: 2}"])
_SOURCES = st.recursive(
    _CONSTANTS,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "|", "&", "^"]), inner).map(
            "({0[0]} {0[1]} {0[2]})".format
        )
        | st.tuples(st.sampled_from(["-", "+", "~", "not "]), inner).map("({0[0]}{0[1]})".format)
        | st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    ),
    max_leaves=6,
)


@given(_SOURCES)
def test_a_folded_value_is_pythons_own(source: str) -> None:
    try:
        folded: Any = fold(_parsed(source))
    except Unfoldable:
        return
    expected = eval(source)  # the source is made above, of small constants
    assert (type(folded), repr(folded)) == (type(expected), repr(expected))
