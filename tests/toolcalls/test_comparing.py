from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolcalls.answers import Call, Calls, Text
from toolcalls.comparing import MAX_CALLS, Comparator, Difference, answer_key, comparator_of, text_equal
from toolcalls.parsing import parse
from toolcalls.settings import Settings, settings_from, settings_json

DOCS = Path(__file__).resolve().parents[2] / "docs" / "comparing.md"
B_DEFAULTS_TO_X = {
    "name": "f",
    "parameters": {
        "type": "dict",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string", "default": "x"}},
        "required": ["a"],
    },
}


def calls(text: str) -> tuple[Call, ...]:
    answer = parse(text)
    assert isinstance(answer, Calls), answer
    return answer.calls


def compared(truth: str, output: str, *tools: dict[str, Any], comparator: Comparator | None = None) -> tuple[int | None, str]:
    found = (comparator or Comparator()).compare(calls(truth), calls(output), tools)
    return found.max_param_diff, found.reason


DESIGN_TABLE = [
    ("[f(a=1)]", "[f(a=1.0)]", (), 0, ""),
    ("[f(a=1)]", "[f(a=True)]", (), 1, ""),
    ('[f(a=1, b="x")]', "[f(a=1)]", (), 1, ""),
    ('[f(a=1, b="x")]', "[f(a=1)]", (B_DEFAULTS_TO_X,), 0, ""),
    ("[f(a=1)]", "[f(c=1)]", (), 2, "param_mismatch"),
    ("[f(a=1), f(a=2)]", "[f(a=2), f(a=1)]", (), 0, ""),
    ("[f(a=1, b=1), f(a=2, b=2)]", "[f(a=2, b=1), f(a=1, b=2)]", (), 1, ""),
    ("[f(a=1), g(b=1)]", "[f(a=1)]", (), None, "wrong_count"),
    ("[f(a=1)]", "[g(a=1)]", (), None, "wrong_tool"),
    ("[f(a=[1, 2])]", "[f(a=[2, 1])]", (), 1, ""),
    ('[f(a="Rome")]', '[f(a="rome")]', (), 1, ""),
]


@pytest.mark.parametrize(("truth", "output", "tools", "difference", "reason"), DESIGN_TABLE)
def test_worked_examples_of_the_design_come_out_as_stated(
    truth: str, output: str, tools: tuple[dict[str, Any], ...], difference: int | None, reason: str
) -> None:
    assert compared(truth, output, *tools) == (difference, reason)


FLIGHT = '[bookFlight(origin="New York", destination="London", departure_date="2024-10-03")]'


@pytest.mark.parametrize(
    ("output", "difference", "reason"),
    [
        (FLIGHT, 0, ""),  # Figure 7: "it is correct already"
        (FLIGHT.replace("2024-10-03", "2024-10-02"), 1, ""),  # §3.2: "at most 1 different parameter values"
        (FLIGHT.replace(', departure_date="2024-10-03"', ""), 1, ""),
        (FLIGHT.replace("2024-10-03", "tomorrow").replace("New York", "NYC"), 2, "param_mismatch"),
        (FLIGHT.replace("bookFlight", "searchFlight"), None, "wrong_tool"),  # "the used tools are exactly the same"
        (f"[{FLIGHT[1:-1]}, {FLIGHT[1:-1]}]", None, "wrong_count"),
    ],
)
def test_the_paper_s_example_comes_out_as_the_paper_says(output: str, difference: int | None, reason: str) -> None:
    assert compared(FLIGHT, output) == (difference, reason)


PEERS_TRAPS = [
    ("a boolean taken for a number", "[f(a=True)]", "[f(a=1)]", 1),
    ("a boolean in a list taken for a number", "[f(a=[True, False])]", "[f(a=[1, 0])]", 1),
    ("numbers not compared at all", "[f(a=5)]", "[f(a=6)]", 1),
    ("strings compared by being contained", '[f(a="Rome, Italy")]', '[f(a="Rome")]', 1),
    ("the order of lists forgotten", '[f(a=["x", "y"])]', '[f(a=["y", "x"])]', 1),
    ("duplicates in lists merged", "[f(a=[1, 1, 2])]", "[f(a=[1, 2, 2])]", 1),
    ("duplicate calls merged", "[f(a=1), f(a=1), f(a=2)]", "[f(a=1), f(a=2), f(a=2)]", 1),
    ("a second call of a tool lost", "[f(a=1), f(a=2)]", "[f(a=2)]", None),
    ("an optional parameter left out unseen", "[f(a=1, b=2)]", "[f(a=1)]", 1),
    ("calls of one tool paired greedily", "[f(a=1, b=2, c=1), f(a=1, b=2, c=2)]", "[f(a=1, b=2, c=2), f(a=9, b=2, c=1)]", 1),
    ("a name with spaces cut short", "[Market Trends API(a=1)]", "[Market News API(a=1)]", None),
    ("a suffix taken for a number of the call", "[f_1(a=1)]", "[f(a=1)]", None),
    ("dots and underscores taken for the same", "[a.b(x=1)]", "[a_b(x=1)]", None),
    ("an empty text taken for an omission", '[f(a=1, b="")]', "[f(a=1)]", 1),
    ("punctuation dropped", '[f(a="a-b")]', '[f(a="ab")]', 1),
]


@pytest.mark.parametrize(
    ("truth", "output", "difference"), [trap[1:] for trap in PEERS_TRAPS], ids=[trap[0] for trap in PEERS_TRAPS]
)
def test_what_other_programs_get_wrong_is_seen(truth: str, output: str, difference: int | None) -> None:
    assert compared(truth, output)[0] == difference


VALUES = [
    ("1", "1.0", True),
    ("0", "-0.0", True),
    ("1e3", "1000", True),
    ("0.1", "0.10", True),
    ("9007199254740993", "9007199254740992.0", False),
    ("True", "1", False),
    ("False", "0", False),
    ("True", "true", True),
    ('"5"', "5", False),
    ("None", '""', False),
    ("null", "None", True),
    ('"\u00e9"', '"e\u0301"', True),
    ('"a"', '"a "', False),
    ('"\uff21"', '"A"', False),
    ("[1, 2]", "[1.0, 2]", True),
    ("[1, 1]", "[1]", False),
    ('{"a": 1, "b": [2]}', '{"b": [2.0], "a": 1}', True),
    ('{"a": 1}', '{"a": true}', False),
    ('{"\u00e9": 1}', '{"e\u0301": 1}', True),
    ('{"a": null}', "{}", False),
]


@pytest.mark.parametrize(("one", "other", "equal"), VALUES)
def test_values_are_equal_by_the_design_s_rules(one: str, other: str, equal: bool) -> None:
    assert compared(f"[f(a={one})]", f"[f(a={other})]")[0] == (0 if equal else 1)
    assert (answer_key(parse(f"[f(a={one})]")) == answer_key(parse(f"[f(a={other})]"))) is equal


def test_names_are_equal_after_nfc() -> None:
    assert compared('[caf\u00e9(\u00e9="x")]', '[cafe\u0301(e\u0301="x")]') == (0, "")
    assert compared('[caf\u00e9(\u00e9="x")]', '[cafe\u0301(e\u0301="y")]') == (1, "")


def test_a_nested_object_is_one_parameter() -> None:
    assert compared('[f(a={"b": 1, "c": 2})]', '[f(a={"b": 3, "c": 4, "d": 5})]') == (1, "")


def test_equal_calls_are_not_paired_for_good_when_that_costs_another_pair_more() -> None:
    assert compared("[f(a=1, b=1), f(a=2, b=1)]", "[f(a=1, b=1), f(a=1, b=2)]") == (1, "")


def test_equal_calls_stay_paired_where_that_does_no_harm() -> None:
    found = Comparator().compare(calls("[f(a=1, b=1), f(a=2, b=2)]"), calls("[f(a=2, b=3), f(a=1, b=1)]"))
    assert found.differences == (Difference(1, 0, "b", "f.b", 2, 3, "value"),)


def test_differences_name_parameter_values_and_kind() -> None:
    found = Comparator().compare(calls("[f(a=1, b=2, c=3)]"), calls("[f(a=1, b=4, d=5)]"))
    assert found.max_param_diff == 3
    assert [(each.parameter, each.expected, each.given, each.kind) for each in found.differences] == [
        ("b", 2, 4, "value"),
        ("c", 3, None, "missing"),
        ("d", None, 5, "extra"),
    ]


@pytest.mark.parametrize(
    ("truth", "output", "expected"),
    [
        ('[f(a=1, b="x")]', "[f(a=1)]", 0),
        ("[f(a=1)]", '[f(a=1, b="x")]', 0),
        ('[f(a=1, b="y")]', "[f(a=1)]", 1),
        ('[f(a=1, b="y")]', '[f(a=1, b="x")]', 1),
        ("[f(a=1)]", "[f(b='x')]", 1),
    ],
)
def test_an_omitted_optional_parameter_equals_its_default(truth: str, output: str, expected: int) -> None:
    assert compared(truth, output, B_DEFAULTS_TO_X)[0] == expected
    assert compared(truth, output, {"type": "function", "function": B_DEFAULTS_TO_X})[0] == expected


def test_a_default_of_a_required_parameter_does_not_count() -> None:
    tool = {"name": "f", "parameters": {"type": "dict", "properties": {"b": {"default": "x"}}}, "required": ["b"]}
    assert compared('[f(b="x")]', "[f()]", tool) == (1, "")


def test_schema_defaults_can_be_switched_off() -> None:
    strict = Comparator(schema_defaults=False)
    assert compared('[f(a=1, b="x")]', "[f(a=1)]", B_DEFAULTS_TO_X, comparator=strict) == (1, "")


def test_tolerance_decides_which_difference_is_a_mismatch() -> None:
    assert compared("[f(a=1)]", "[f(a=2)]", comparator=Comparator(tolerance=0)) == (1, "param_mismatch")
    assert compared("[f(a=1)]", "[f(c=1)]", comparator=Comparator(tolerance=2)) == (2, "")


def test_version_tells_comparators_apart() -> None:
    assert Comparator().version == "2:schema_defaults,tolerance=1"
    others = [
        {"schema_defaults": False}, {"tolerance": 0}, {"string_folding": "case"}, {"string_folding": "case_space"},
        {"numeric_tolerance": 0.01}, {"numeric_tolerance": 0.001}, {"nested": True}, {"reading": "strict"},
    ]  # fmt: skip
    versions = {Comparator(), *(Comparator(**other) for other in others)}  # type: ignore[arg-type]
    assert len({comparator.version for comparator in versions}) == len(others) + 1


def test_the_longest_version_fits_where_it_is_stored() -> None:
    longest = {
        "tolerance": 99,
        "string_folding": "case_space",
        "numeric_tolerance": 1.23457e-12,
        "nested": True,
        "reading": "strict",
    }
    assert len(comparator_of(settings_from(longest)).version) <= 80


def test_every_rule_is_a_setting_of_the_same_name() -> None:
    names = [field.name for field in dataclasses.fields(Comparator)]
    assert comparator_of(Settings()) == Comparator()
    assert dataclasses.asdict(Comparator()).items() <= settings_json(Settings()).items()
    changed = dataclasses.replace(
        Settings(),
        schema_defaults=False,
        tolerance=3,
        string_folding="case",
        numeric_tolerance=0.1,
        nested=True,
        reading="strict",
    )
    made = comparator_of(changed)
    assert [getattr(made, name) for name in names] == [getattr(changed, name) for name in names]
    assert all(getattr(made, name) != getattr(Comparator(), name) for name in names)


def test_more_calls_of_a_tool_than_can_be_paired_is_said() -> None:
    def many(shift: int, count: int) -> list[Call]:
        return [Call("f", {"a": number, "b": (number + shift) % 7}) for number in range(count)]

    assert Comparator().compare(many(0, MAX_CALLS), many(1, MAX_CALLS)).max_param_diff == 1
    too_many = Comparator().compare(many(0, MAX_CALLS + 1), many(1, MAX_CALLS + 1))
    assert (too_many.max_param_diff, too_many.reason) == (None, "too_many_calls")
    assert Comparator().compare(many(0, 400), many(0, 400)[::-1]).max_param_diff == 0


def test_the_documentation_s_example_is_right() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    exec(example, {})


def test_the_documentation_names_every_option() -> None:
    options = re.findall(r"^\| `(\w+)` \| ", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {field.name for field in dataclasses.fields(Comparator)} <= set(options)


def test_text_is_equal_up_to_outer_space() -> None:
    assert text_equal(" [f()]\n", "[f()]")
    assert not text_equal("[f( )]", "[f()]")


def test_answer_keys_are_32_hex_digits_and_ignore_the_order_of_calls() -> None:
    key = answer_key(parse("[f(a=1), g()]"))
    assert len(key) == 32 and set(key) <= set("0123456789abcdef")
    assert key == answer_key(parse("[g(), f(a=1.0)]"))
    assert key != answer_key(parse("[g(), g(), f(a=1)]"))
    assert answer_key(Text(" no ")) == answer_key(Text("no")) != key
    assert answer_key(parse("[f(x"), "[f(x") != answer_key(parse("[f(y"), "[f(y")


small_calls = st.builds(
    Call, st.sampled_from("fg"), st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, 1.0, True, "1", [1], 2]), max_size=3)
)
small_lists = st.lists(small_calls, max_size=4)


def brute_force(truth: list[Call], output: list[Call]) -> int | None:
    """max_param_diff by trying every pairing."""

    def cost(one: Call, other: Call) -> int:
        if one.name != other.name:
            return 1000
        names = one.arguments.keys() | other.arguments.keys()
        return sum(
            1
            for name in names
            if name not in one.arguments
            or name not in other.arguments
            or repr(one.arguments[name]).removesuffix(".0") != repr(other.arguments[name]).removesuffix(".0")
        )

    if len(truth) != len(output):
        return None
    pairings = (max(map(cost, truth, order), default=0) for order in itertools.permutations(output))
    least = min(pairings)
    return least if least < 1000 else None


@given(small_lists, small_lists)
def test_max_param_diff_is_the_least_over_all_pairings(truth: list[Call], output: list[Call]) -> None:
    output = (output + truth)[: len(truth)]
    assert Comparator().compare(truth, output).max_param_diff == brute_force(truth, output)


@given(small_lists, small_lists, st.randoms(use_true_random=False))
def test_comparison_is_symmetric_and_blind_to_order(truth: list[Call], output: list[Call], shuffler: Any) -> None:
    output = (output + truth)[: len(truth)]
    there, back = Comparator().compare(truth, output), Comparator().compare(output, truth)
    assert (there.max_param_diff, there.reason) == (back.max_param_diff, back.reason)
    shuffled = shuffler.sample(output, len(output))
    assert Comparator().compare(truth, shuffled).max_param_diff == there.max_param_diff
    same_key = answer_key(Calls(tuple(truth), "paper")) == answer_key(Calls(tuple(output), "paper"))
    assert same_key is (there.max_param_diff == 0)


@given(small_lists)
def test_calls_equal_themselves(truth: list[Call]) -> None:
    assert Comparator().compare(truth, truth) == Comparator().compare(truth, truth[::-1])
    assert Comparator().compare(truth, truth[::-1]).max_param_diff == 0
