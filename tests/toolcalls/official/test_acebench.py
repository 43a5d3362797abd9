from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolcalls.official.acebench import score
from toolcalls.official.acebench.decoding import decode
from toolcalls.official.python_calls import Undecodable
from toolcalls.official.scored import Scored


def _tool(name: str = "book", required: tuple[str, ...] = (), **types: Any) -> dict[str, Any]:
    properties = {parameter: kind if isinstance(kind, dict) else {"type": kind} for parameter, kind in types.items()}
    return {"name": name, "parameters": {"type": "object", "properties": properties, "required": list(required)}}


def _verdict(tool: dict[str, Any], answer: Any, output: str) -> str | None:
    """The error type, None for a right answer, "crash" where the official program has no verdict."""
    scored = score(output, [tool], answer)
    return {None: "crash", True: None, False: scored.error_type}[scored.valid]


CITY = _tool(city="string")
OBJECT = {"type": "object", "properties": {}}
OBJECTS = {"type": "array", "items": {"type": "object"}}
TEXTS = {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("expected", "given", "error"),
    [
        ("Rome", "'Rome'", None),
        ("Rome", "'the rome, of old'", None),  # what holds the answer is right
        ("New York", "'new-york'", None),  # spaces, commas, points, slashes, hyphens, underscores, stars and carets go
        ("it's", "'it\"s'", None),
        ("Rome", "'Rom'", "value_error:string"),
        ("New York", "'New\\tYork'", "value_error:string"),
        ("", "'anything'", None),
        ("..", "'anything'", None),
        ("Rome", "7", "type_error"),
        ("Rome", "None", "type_error"),
        ("true", "'true'", "type_error"),  # read as a boolean before the types are compared
        ("Rome", "Rome", None),  # a bare name is a text
        ("...", "...", None),
    ],
)
def test_text_is_right_when_it_holds_the_answer(expected: str, given: str, error: str | None) -> None:
    assert _verdict(CITY, {"book": {"city": expected}}, f"[book(city={given})]") == error


@pytest.mark.parametrize(
    ("kind", "expected", "given", "error"),
    [
        ("integer", 5, "6", None),
        ("integer", 5, "True", "type_error"),
        ("integer", 5, "'5'", "type_error"),
        ("integer", 5, "5.0", None),  # equals the answer, so its type is looked past
        ("integer", 5, "5.5", "type_error"),
        ("number", 1.5, "2.5", None),
        ("number", 1.5, "2", None),
        ("float", 1.5, "2", None),
        ("boolean", True, "False", None),
        ("boolean", True, "true", None),
        ("boolean", True, "'false'", None),
        ("boolean", True, "1", None),  # 1 equals True in Python
        ("boolean", True, "2", "type_error"),
        ("any", "x", "'xy'", None),
        ("string", 5, "6", None),  # the answer is of another type than the schema: nothing is compared
        ("string", 5, "'six'", None),
        ("integer", 5, "2 + 3", None),
        ("integer", 5, "+5", None),  # every sign is a minus, but numbers are not compared
        ("integer", 5, "-5", None),
    ],
)
def test_number_and_boolean_are_right_when_their_type_is(kind: str, expected: Any, given: str, error: str | None) -> None:
    assert _verdict(_tool(n=kind), {"book": {"n": expected}}, f"[book(n={given})]") == error


@pytest.mark.parametrize(
    ("expected", "given", "error"),
    [
        ({"a": "Rome", "n": 1}, "{'n': 10, 'a': 'rome!'}", None),  # any order; 1 stands in 10, Rome in "rome!"
        ({"a": "Rome"}, "{'a': 'Rome', 'b': 1}", "value_error"),
        ({"a": "Rome", "b": 1}, "{'a': 'Rome'}", "value_error"),
        ({"a": "Rome"}, "{'b': 'Rome'}", "value_error"),
        ({"a": "Rome"}, "{'a': 'Oslo'}", "value_error"),
        ({"a": True}, "{'a': 'true'}", None),
        ({"a": True}, "{'a': false}", "value_error"),
        ({"a": [1, 2]}, "{'a': [1, 2]}", None),
        ({"a": [2, 1]}, "{'a': [1, 2]}", "value_error"),
        ({"a": [1]}, "{'a': '[1]'}", None),  # compared as texts
        ({"a": {"b": 1}}, "{'a': {'b': 1}}", None),
        ({"a": {"b": 1}}, "{'a': 'b'}", "value_error"),
        ({"a": {"b": 1}}, "{'a': {'b': 2}}", "value_error"),
        ({"a": "Rome"}, '\'{"a": "Rome"}\'', "type_error"),
        ({}, "{}", "type_error"),  # an empty answer fails every output
        ({"a": 1}, "f(a=1)", "value_error"),  # a call as a value is {"f": {"a": 1}}
        ("a", "{'a': 1}", None),  # the answer is a text where the schema says object: not compared
    ],
)
def test_object_is_right_when_keys_are_and_values_hold_the_answers(expected: Any, given: str, error: str | None) -> None:
    assert _verdict(_tool(where=OBJECT), {"book": {"where": expected}}, f"[book(where={given})]") == error


@pytest.mark.parametrize(
    ("schema", "expected", "given", "error"),
    [
        (TEXTS, ["Rome", "Oslo"], "['rome', 'OS-LO']", None),
        (TEXTS, ["Rome", "Oslo"], "['Oslo', 'Rome']", "value_error:list/tuple"),
        (TEXTS, ["Rome"], "['Rome!']", "value_error:list/tuple"),  # in a list the texts must be equal
        (TEXTS, ["Rome"], "('Rome',)", "type_error"),
        (TEXTS, ["Rome"], "'Rome'", "type_error"),
        (TEXTS, [], "[]", "type_error"),  # an empty answer fails every output
        ({"type": "array", "items": {"type": "integer"}}, [1], "[True]", None),  # True equals 1 in Python
        ({"type": "tuple", "items": {"type": "string"}}, ["a"], "('a',)", None),
        ({"type": "array", "items": {"type": "integer"}}, [[1, 2]], "['a', 'b']", "type_error"),
        ({"type": "array", "items": {"type": "array"}}, [[1, 2]], "[[1, 2]]", None),
        (OBJECTS, [{"a": 1}, {"a": 2}], "[{'a': 1}, {'a': 2}]", None),
        (OBJECTS, [{"a": 1}, {"a": 2}], "[{'a': 2}, {'a': 1}]", "value_error"),
        (OBJECTS, [{"a": 1}], "[]", "value_error:list_dict_count"),
        (OBJECTS, [{"a": 1}], "['a']", "value_error"),
        ({"type": "array"}, ["Rome"], "['Rome']", "value_error"),  # without `items` a list is one of objects
        ({"type": "list(string)"}, ["Rome"], "['rome']", None),
        ({"type": "objectArray"}, [{"a": 1}], "[]", "value_error:dict_items"),
        ({"type": "objectArray"}, [{"a": 1}], "[{'a': 1}]", "crash"),
        ({"type": "objectArray", "items": {"type": "string"}}, ["Rome"], "['rome']", None),
        (OBJECTS, ["a"], "[{'a': 1}]", "crash"),
    ],
)
def test_list_is_right_item_by_item(schema: Any, expected: Any, given: str, error: str | None) -> None:
    assert _verdict(_tool(items=schema), {"book": {"items": expected}}, f"[book(items={given})]") == error


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ("[book(city='Rome', day='Monday')]", None),
        ("[book(city='Rome')]", None),  # what the schema does not require may be left out, whatever the answer has
        ("[book(day='Monday')]", "lack_args"),
        ("[book(city='Rome', night='x')]", "addition_args"),  # in the schema, not in the answer
        ("[book(city='Rome', street='x')]", "addition_args"),
        ("[book()]", "wrong_param"),
        ("[book('Rome')]", "wrong_param"),  # positional arguments are dropped
        ("[book('x', city='Rome')]", None),
        ("[book(city='Oslo', city='Rome')]", None),  # the last one stays
        ("[book(**{'city': 'Rome'})]", "lack_args"),
        ("[book(city='Rome', **more)]", "addition_args"),
        ("[bookings(city='Rome')]", "function_mismatch"),
        ("[]", "wrong functions number"),
        ("[book(city='Rome'), book(city='Rome')]", "wrong functions number"),
    ],
)
def test_call_is_checked_against_schema_and_answer(output: str, error: str | None) -> None:
    tool = _tool(required=("city",), city="string", day="string", night="string")
    assert _verdict(tool, {"book": {"city": "Rome", "day": "Monday"}}, output) == error


@pytest.mark.parametrize(
    "output",
    [
        "[book(city='Rome')]",
        "Sure! [book(city='Rome')] Done.",
        "```python\n[book(city='Rome')]\n```",
        "<think>so</think>[book(city='Rome')]",
        "[book(city='Rome')] and [book(city='Oslo')]",  # the first brackets count
        "[\n  book(\n    city = 'Rome',\n  ),\n]",
        "[(book)(city='Rome')]",
    ],
)
def test_calls_are_found_in_the_first_brackets(output: str) -> None:
    assert score(output, [CITY], {"book": {"city": "Rome"}}) == Scored(True)


@pytest.mark.parametrize(
    "output",
    [
        "",
        "book(city='Rome')",
        "[book(city='Rome')",
        "] [book(city='Rome')]",  # a stray bracket hides what follows
        "[1] [book(city='Rome')]",
        "[book(city='[Rome')]",  # a bracket in quotes is counted too
        '[{"name": "book", "arguments": {"city": "Rome"}}]',
        "[book(city='Rome') for x in y]",
        "[book(city=-'Rome')]",
        "[book(city=not x)]",
        "[book(city=f'{x}')]",
        "[book(city=lambda: 1)]",
        "[book(city={**x})]",
        "[book(city={[1]: 2})]",
        "[book(city=1 < 2)]",
        "[book(city='a' + b)]",
        "[book(city=1 / 0)]",
        "[book(city='R\x00me')]",
        "[book(city=" + "9" * 5000 + ")]",
        "[book(city='A' * 10 ** 10)]",
        "[book(city=9 ** 9 ** 9)]",
        "[book(city=__import__('os').getpid() + 0)]",
        "[book(city=" + "-" * 60_000 + "1)]",
        "[" * 60_000 + "]" * 60_000,
        "[book(city='" + "x" * 300_000 + "')]",
    ],
)
def test_what_python_cannot_read_as_calls_is_a_wrong_format(output: str) -> None:
    assert score(output, [CITY], {"book": {"city": "Rome"}}) == Scored(False, "wrong_output_format")


@pytest.mark.parametrize(
    ("value", "held"),
    [
        ("a.b", None),
        ("x[0]", "x[0]"),
        ("x[1:2]", "x[1:2]"),
        ("g()", {"g": {}}),
        ("a.g(x=1)", {"a.g": {"x": 1}}),
        ("(1, 'a')", (1, "a")),
        ("'S' + 'an'", "San"),
        ("~5", -5),
        ("+5", -5),
        ("not True", -1),
        ("'\\d'", "\\d"),
    ],
)
def test_value_is_what_the_official_decoder_makes_of_it(value: str, held: Any) -> None:
    if held is None:
        with pytest.raises(Undecodable):
            decode(f"[f(a={value})]")
    else:
        assert decode(f"[f(a={value})]") == [{"f": {"a": held}}]


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ("[book(city='Rome'), book(city='Oslo')]", None),
        ("[book(city='Oslo'), book(city='Rome')]", None),
        ("[book(city='Rome Oslo'), book(city='Bern')]", None),  # one call may serve several entries of the answer
        ("[book(city='Rome'), book(city='Bern')]", "value_error:string"),
        ("[book(city='Rome'), cancel(city='Oslo')]", "function_mismatch"),
    ],
)
def test_repeated_tool_is_numbered_in_the_answer(output: str, error: str | None) -> None:
    answer = {"book_1": {"city": "Rome"}, "book_2": {"city": "Oslo"}}
    assert _verdict(CITY, answer, output) == error


def test_error_is_that_of_the_last_call_when_other_tools_follow() -> None:
    tools = [_tool("book", city="string"), _tool("cancel", city="string")]
    answer = {"book": {"city": "Rome"}, "cancel": {"city": "Oslo"}}
    before = score("[cancel(city='Oslo'), book(city='Bern')]", tools, answer)
    after = score("[book(city='Bern'), cancel(city='Oslo')]", tools, answer)
    assert before.error_type == "value_error:string"
    assert after.error_type == "simple_function_checker:unclear"


def test_number_at_the_end_of_a_real_name_is_taken_off() -> None:
    tool = _tool("book_2", city="string")
    assert _verdict(tool, {"book_2": {"city": "Rome"}}, "[book_2(city='Rome')]") == "function_mismatch"
    assert _verdict(tool, {"book_2": {"city": "Rome"}}, "[book(city='Rome')]") == "wrong_function_name"


def test_schema_is_the_first_whose_name_is_part_of_the_expected_name() -> None:
    tools = [_tool("book", town="string"), _tool("bookings", city="string")]
    scored = score("[bookings(city='Rome')]", tools, {"bookings": {"city": "Rome"}})
    assert scored == Scored(False, "wrong_function_name")


def test_any_of_several_answers_is_right_and_the_first_names_the_error() -> None:
    answers = [{"book": {"city": "Rome"}}, {"cancel": {"city": "Rome"}}]
    tools = [CITY, _tool("cancel", city="string")]
    assert score("[cancel(city='Rome')]", tools, answers) == Scored(True)
    assert score("[book(city='Oslo')]", tools, answers) == Scored(False, "value_error:string")


@pytest.mark.parametrize(
    ("tool", "answer", "output"),
    [
        ({"name": "book", "arguments": {}}, {"book": {"city": "Rome"}}, "[book(city='Rome')]"),
        (
            {"name": "book", "parameters": {"properties": {"city": {"type": "string"}}}},
            {"book": {"city": "Rome"}},
            "[book(city='x')]",
        ),
        (_tool(city="text"), {"book": {"city": "Rome"}}, "[book(city='Rome')]"),
        (_tool("other"), {"book": {"city": "Rome"}}, "[book(city='Rome')]"),
        (_tool(a=OBJECT), {"book": {"a": {"b": "x"}}}, "[book(a={'b': 0x" + "f" * 5000 + "})]"),
    ],
)
def test_no_verdict_where_the_official_program_fails(tool: dict[str, Any], answer: Any, output: str) -> None:
    assert score(output, [tool], answer) == Scored(None)


@settings(max_examples=200)
@given(st.text(alphabet="[](){}=,'\" .abTru01-+*\\\n", max_size=60))
def test_no_output_makes_the_scorer_fail(output: str) -> None:
    assert score(f"[book(city={output})]", [CITY], {"book": {"city": "a"}}).valid in (True, False, None)
    assert score(output, [CITY], {"book": {"city": "a"}}).valid in (True, False)


def test_tool_without_parameters_is_called_without_any() -> None:
    tool = {"name": "today", "parameters": {}}
    assert _verdict(tool, {"today": {}}, "[today()]") is None
    assert _verdict(tool, {"today": {}}, "[today(zone='UTC')]") == "wrong_param"
    assert _verdict(_tool("today", zone="string"), {"today": {}}, "[today(zone='UTC')]") == "wrong_param"
