from __future__ import annotations

from typing import Any

import pytest

from toolcalls.official.bfcl import score
from toolcalls.official.scored import Scored

RIGHT = None
BOOK: dict[str, Any] = {
    "name": "hotel.book",
    "parameters": {
        "type": "dict",
        "required": ["city", "nights"],
        "properties": {
            "city": {"type": "string"},
            "nights": {"type": "integer"},
            "price": {"type": "float"},
            "late": {"type": "boolean"},
            "note": {"type": "string"},
            "extras": {"type": "array", "items": {"type": "string"}},
            "rates": {"type": "array", "items": {"type": "float"}},
            "spot": {"type": "tuple", "items": {"type": "float"}},
            "guest": {"type": "dict"},
            "guests": {"type": "array", "items": {"type": "dict"}},
            "code": {"type": "any"},
            "owner": {"type": "integer"},
            "unasked": {"type": "string"},
        },
    },
}
ACCEPTED: dict[str, Any] = {
    "city": ["New York, NY", "NYC"],
    "nights": [2],
    "price": ["", 80.0],
    "late": ["", False],
    "note": ["", "quiet 'room'"],
    "extras": ["", ["Sea View", "late-bar"]],
    "rates": [[1.5, 2.0], ""],
    "spot": ["", [40.7, -74.0]],
    "guest": ["", {"name": ["Ann"], "age": [30, ""]}],
    "guests": [[{"name": ["Ann"]}, {"name": ["Bo"]}], ""],
    "code": ["", "7"],
    "owner": ["", "user_id"],
    "key": [""],
}


def _error(arguments: str, *, name: str = "hotel.book", mode: str = "prompt") -> str | None:
    scored = score("simple_python", mode, f"[{name}({arguments})]", [BOOK], [{"hotel.book": ACCEPTED}])
    assert scored.valid is (scored.error_type is None)
    return scored.error_type


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("city='New York, NY', nights=2", RIGHT),
        ("city='new-york ny.', nights=2", RIGHT),
        ("city='NEW_YORK/NY', nights=2", RIGHT),
        ("city='New York,\\tNY', nights=2", "value_error:string"),
        ("city='New York,\\u00a0NY', nights=2", "value_error:string"),
        ("city='New York; NY', nights=2", "value_error:string"),
        ("city=NYC, nights=2", RIGHT),
        ("nights=2", "simple_function_checker:missing_required"),
        ("'NYC', nights=2", "simple_function_checker:missing_required"),
        ("**{'city': 'NYC', 'nights': 2}", "simple_function_checker:missing_required"),
        ("city='NYC', nights=2, City='NYC'", "simple_function_checker:unexpected_param"),
        ("city='NYC', nights=2, unasked='x'", "simple_function_checker:unexpected_param"),
        ("city='NYC', nights=2, key='x'", "simple_function_checker:unexpected_param"),
        ("city='NYC', nights=2, **{}", "simple_function_checker:unexpected_param"),
        ("city='NYC', nights=3", "value_error:others"),
        ("city='NYC', nights=+2", "value_error:others"),
        ("city='NYC', nights=1 + 1", RIGHT),
        ("city='NYC', nights=2.0", "type_error:simple"),
        ("city='NYC', nights='2'", "type_error:simple"),
        ("city='NYC', nights=True", "type_error:simple"),
        ("city='NYC', nights=None", "type_error:simple"),
        ("city=['NYC'], nights=2", "type_error:simple"),
        ("city=b'NYC', nights=2", "type_error:simple"),
    ],
)
def test_strings_and_numbers(arguments: str, error: str | None) -> None:
    assert _error(arguments) == error


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("price=80", RIGHT),
        ("price=80.0", RIGHT),
        ("price=80.5", "value_error:others"),
        ("price='80'", "type_error:simple"),
        ("late=False", RIGHT),
        ("late=True", "value_error:others"),
        ("late=false", "type_error:simple"),
        ("late=0", "type_error:simple"),
        ("note=''", RIGHT),
        ("note='...'", RIGHT),
        ("note=...", RIGHT),
        ("note='Quiet \"room\"'", RIGHT),
        ("note='loud'", "value_error:string"),
        ("note=None", "type_error:simple"),
        ("code='7'", RIGHT),
        ("code=7", "type_error:simple"),
        ("owner=user_id", RIGHT),
        ("owner='User_Id'", "value_error:others"),
        ("owner=7", "value_error:others"),
        ("owner=''", RIGHT),
    ],
)
def test_optional_values_and_variables(argument: str, error: str | None) -> None:
    assert _error(f"city='NYC', nights=2, {argument}") == error


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("extras=['sea view', 'LateBar']", RIGHT),
        ("extras=['late-bar', 'Sea View']", "value_error:list/tuple"),
        ("extras=['Sea View']", "value_error:list/tuple"),
        ("extras=[]", RIGHT),
        ("extras=[7]", "value_error:list/tuple"),
        ("extras=('Sea View', 'late-bar')", "type_error:simple"),
        ("extras='Sea View'", "type_error:simple"),
        ("rates=[1.5, 2.0]", RIGHT),
        ("rates=[1.5, 2]", RIGHT),
        ("rates=[1.5, 2.5]", "value_error:list/tuple"),
        ("rates=[]", RIGHT),
        ("rates=['1.5', '2']", "value_error:list/tuple"),
        ("spot=(40.7, -74.0)", RIGHT),
        ("spot=[40.7, -74.0]", RIGHT),
        ("spot=(40.7,)", "value_error:list/tuple"),
        ("guest={'name': 'ANN'}", RIGHT),
        ("guest={'name': 'Ann', 'age': 30}", RIGHT),
        ("guest={'age': 30, 'name': 'Ann'}", RIGHT),
        ("guest={'name': 'Bo'}", "value_error:dict_value"),
        ("guest={'age': 30}", "value_error:dict_key"),
        ("guest={'age': 31}", "value_error:dict_key"),
        ("guest={'name': 'Ann', 'x': 1}", "value_error:dict_key"),
        ("guest={}", "value_error:dict_key"),
        ("guest=guest(name='Ann')", "value_error:dict_key"),
        ("guest='Ann'", "type_error:simple"),
        ("guests=[{'name': 'Ann'}, {'name': 'Bo'}]", RIGHT),
        ("guests=[{'name': 'Bo'}, {'name': 'Ann'}]", "value_error:list_dict_count"),
        ("guests=[{'name': 'Ann'}]", "value_error:list_dict_count"),
        ("guests=[]", RIGHT),
    ],
)
def test_lists_and_dicts(argument: str, error: str | None) -> None:
    assert _error(f"city='NYC', nights=2, {argument}") == error


def test_names_must_be_equal() -> None:
    assert _error("city='NYC', nights=2", name="hotel_book") == "simple_function_checker:wrong_func_name"
    assert _error("city='NYC', nights=2", name="Hotel.book") == "simple_function_checker:wrong_func_name"
    assert _error("city='NYC', nights=2", name="book") == "simple_function_checker:wrong_func_name"


@pytest.mark.parametrize(("mode", "name", "valid"), [("fc", "hotel_book", True), ("fcdot", "hotel.book", True)])
def test_a_name_of_an_api_has_underscores_or_dots(mode: str, name: str, valid: bool) -> None:
    for other in ("hotel_book", "hotel.book"):
        output = f'[{{"{other}": "{{\\"city\\": \\"NYC\\", \\"nights\\": 2}}"}}]'
        scored = score("simple_python", mode, output, [BOOK], [{"hotel.book": ACCEPTED}])
        assert scored.valid is (valid if other == name else False)


def test_inner_types_are_told_where_no_accepted_value_is_open() -> None:
    """`""` among the accepted values lets any items pass the step about types."""
    answer = [{"hotel.book": ACCEPTED | {"rates": [[1.5, 2.0]]}}]
    for argument, error in {"[1, 2]": "type_error:nested", "['1.5']": "type_error:nested", "[1.5, 2.0]": None}.items():
        output = f"hotel.book(city='NYC', nights=2, rates={argument})"
        assert score("simple_python", "prompt", output, [BOOK], answer).error_type == error


def test_a_parameter_that_may_not_be_left_out_is_missed() -> None:
    answer = [{"hotel.book": {"city": ["NYC"], "nights": [2], "late": [False]}}]
    scored = score("simple_python", "prompt", "hotel.book(city='NYC', nights=2)", [BOOK], answer)
    assert scored == Scored(False, "simple_function_checker:missing_optional")


RING: dict[str, Any] = {
    "name": "ring",
    "parameters": {"type": "dict", "required": ["who"], "properties": {"who": {"type": "string"}, "at": {"type": "string"}}},
}
TWO = [{"ring": {"who": ["Ann", "Bo"]}}, {"ring": {"who": ["Ann"]}}]


@pytest.mark.parametrize(
    ("category", "output", "error"),
    [
        ("parallel", "[ring(who='Bo'), ring(who='Ann')]", RIGHT),
        ("parallel", "[ring(who='Ann'), ring(who='Bo')]", "parallel_function_checker_no_order:cannot_find_match"),  # greedy
        ("live_parallel_multiple", "[ring(who='Ann')]", "parallel_function_checker_no_order:wrong_count"),
        ("parallel", "[]", "parallel_function_checker_no_order:wrong_count"),
        ("multiple", "[ring(who='Ann'), ring(who='Bo')]", RIGHT),  # only the first call is looked at
        ("live_multiple", "[ring(who='Ann')]", "multiple_function_checker:wrong_count"),
        ("simple_python", "[ring(who='Ann'), ring(who='Bo')]", "simple_function_checker:wrong_count"),
        ("live_simple", "[ring(who='Ann')]", RIGHT),
        ("live_simple", "ring who", "ast_decoder:decoder_failed"),
    ],
)
def test_number_and_order_of_calls(category: str, output: str, error: str | None) -> None:
    assert score(category, "prompt", output, [BOOK, RING][::-1], TWO) == Scored(error is None, error)


@pytest.mark.parametrize(
    ("output", "called"),
    [
        ("[f(a=1)]", True),
        ("f()", True),
        ("print('no tool fits')", True),
        ("No tool fits.", False),
        ("[]", False),
        ("", False),
        ("[f(a=1)] is one", False),
        ("[f(a=g)", True),
    ],
)
def test_relevance_asks_for_any_call_and_irrelevance_for_none(output: str, called: bool) -> None:
    relevance = Scored(True) if called else Scored(False, "relevance_error:decoder_failed")
    irrelevance = Scored(False, "irrelevance_error:decoder_success") if called else Scored(True)
    assert score("live_relevance", "prompt", output, [BOOK], None) == relevance
    assert score("irrelevance", "prompt", output, [BOOK], None) == irrelevance
    assert score("live_irrelevance", "prompt", output, [BOOK], None) == irrelevance


def test_calls_of_an_api_without_arguments_in_an_object_are_no_calls() -> None:
    scored = score("live_simple", "fc", '[{"ring": "5"}]', [RING], TWO[1:])
    assert scored == Scored(False, "ast_decoder:decoder_wrong_output_format")
    assert score("irrelevance", "fc", '[{"ring": "5"}]', [RING], None) == Scored(True)


def _tool(**parameters: Any) -> list[dict[str, Any]]:
    return [{"name": "f", "parameters": {"required": [], "properties": {"a": {"type": "integer"}}} | parameters}]


@pytest.mark.parametrize(
    ("functions", "accepted", "value"),
    [
        (_tool(properties={"a": {"type": "number"}}), [1], "1"),
        (_tool(properties={"a": {}}), [1], "1"),
        (_tool(properties={"a": {"type": "array"}}), [[1]], "[1]"),
        (_tool(properties={"a": {"type": "array", "items": {"type": "dict"}}}), ["", [{"b": [1]}]], "[1]"),
        (_tool(), [1], "0x" + "f" * 4000),  # too many digits to be printed
        ([{"name": "f", "parameters": {"properties": {}}}], [1], "1"),
    ],
)
def test_the_verdict_is_open_where_the_original_crashes(functions: Any, accepted: Any, value: str) -> None:
    assert score("simple_python", "prompt", f"f(a={value})", functions, [{"f": {"a": accepted}}]) == Scored(None)


def test_the_verdict_is_open_where_the_answer_is_empty() -> None:
    for category in ("simple_python", "multiple", "parallel"):
        assert score(category, "prompt", "f(a=1)", _tool(), [{}]) == Scored(None)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode 'chat'"):
        score("simple_python", "chat", "f()", [RING], TWO)
