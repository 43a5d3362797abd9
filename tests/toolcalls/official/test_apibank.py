from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolcalls.official.apibank import score
from toolcalls.official.apibank.reading import read_call


def _turn(tool: str, /, **recorded: Any) -> dict[str, Any]:
    return {"role": "API", "api_name": tool, "param_dict": {}, "result": {"input": recorded or None, "exception": None}}


def _accepts(turn: dict[str, Any], output: str, tokens: frozenset[str] = frozenset()) -> bool | None:
    scored = score(output, turn, tokens)
    assert scored.error_type is None
    return scored.valid


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("[Today()]", ("Today", {})),
        ("Sure: [Add(a='x', b=\"y\")] done", ("Add", {"a": "x", "b": "y"})),
        ("[Add(a = 'x',b= 1, c=[1, 2])]", ("Add", {"a": "x", "b": "1", "c": "[1, 2]"})),
        ("[Add(a='it's')]", ("Add", {"a": "it"})),  # either quote ends what either began
        ("[Add(a=\"x')]", ("Add", {"a": "x"})),
        ("[Add(a='['x', 'y']')]", ("Add", {"a": "["})),
        ("[Add(a=['x'], b=['y'])]", ("Add", {"a": "['x'], b=['y']"})),  # up to the last bracket
        ("[Add(a='')]", ("Add", {})),
        ("[Add(a='', b='y')]", ("Add", {"a": "', b="})),
        ("[Add(a=1.5, b=-2)]", ("Add", {"a": "1"})),
        ("[Add(a=1, a=2)]", ("Add", {"a": "2"})),
        ("[Add('x', y)]", ("Add", {})),
        ("[Add(a=(b=1))]", ("Add", {"b": "1"})),
        ("[One(a=1)] [Two(b=2)]", ("One", {"a": "1", "b": "2"})),  # up to the last end of the line
        ("[One(a=1\n)] [Two(b=2)]", ("Two", {"b": "2"})),
        ("[Über(größe='ß')]", ("Über", {"größe": "ß"})),
        ("Add(a='x')", None),
        ("[Add(a='x')", None),
        ("[a.Add(a='x')]", None),
        ("", None),
    ],
)
def test_call_is_read_as_the_official_patterns_read_it(text: str, call: tuple[str, dict[str, str]] | None) -> None:
    assert read_call(text) == call


_CALL = re.compile(r"\[(\w+)\((.*)\)\]")
_PARAMETER = re.compile(r"(\w+)\s*=\s*['\"](.+?)['\"]|(\w+)\s*=\s*(\[.*\])|(\w+)\s*=\s*(\w+)")


@settings(max_examples=500)
@given(st.text(alphabet="[()]='\", ab1é_\n\t", max_size=30).map(lambda text: f"x[f({text})] )]"))
def test_one_pass_reads_what_the_official_patterns_find(text: str) -> None:
    found = _CALL.search(text)
    if found is None:
        assert read_call(text) is None
        return
    groups = [[group for group in match.groups() if group is not None] for match in _PARAMETER.finditer(found[2])]
    assert read_call(text) == (found[1], dict(groups))


@pytest.mark.parametrize(
    "text", ["[a(" * 20_000, "[f(" + "a" * 60_000 + ")]", "[f(" + "a=[" * 20_000 + ")]", "[f(a" + " " * 60_000 + ")]"]
)
@pytest.mark.timeout(5)  # the patterns as they stand take minutes
def test_long_text_is_read_in_one_pass(text: str) -> None:
    assert read_call(text) in (None, ("f", {}))


def test_another_tool_is_wrong() -> None:
    assert _accepts(_turn("GetToday"), "[GetToday()]")
    assert not _accepts(_turn("GetToday"), "[GetTodayX()]")
    assert not _accepts(_turn("GetToday"), "No call.")


USER = _turn("GetUserToken", username="ann", password="Secret")


@pytest.mark.parametrize(
    ("output", "right"),
    [
        ("[GetUserToken(username='ann', password='Secret')]", True),
        ("[GetUserToken(password='Secret', username='ann')]", True),
        ("[GetUserToken(username='Ann', password='Secret')]", False),
        ("[GetUserToken(username=' ann', password='Secret')]", False),
        ("[GetUserToken(username='ann')]", False),
        ("[GetUserToken(username='ann', password='Secret', email='a')]", False),
    ],
)
def test_parameters_must_be_those_of_the_tool_and_equal(output: str, right: bool) -> None:
    assert _accepts(USER, output) is right


@pytest.mark.parametrize(
    ("tool", "parameter", "recorded", "given_value", "right"),
    [
        ("Calculator", "formula", "(1+2)*3", "( 1 + 2 ) * 3", True),
        ("Calculator", "formula", "(1+2)*3", "3*(1+2)", False),
        ("CancelRegistration", "appointment_id", "90123", " 90123 ", True),
        ("CancelRegistration", "appointment_id", "90123", "901234", False),
        ("EmergencyKnowledge", "symptom", "fever", " Fever", True),
        ("PlayMusic", "music_name", "Moon River", "moon river ", True),
        ("Wiki", "keyword", "moon river", "Moon_River", True),
        ("Dictionary", "keyword", "moon", "moons", False),
        ("ImageCaption", "url", "http://a/b.png", " http://a/b.png", False),
        ("QueryBalance", "token", "t0k3n", " t0k3n", False),
        ("QueryHistoryToday", "date", "03-05", "2021-3-5", True),
        ("QueryHistoryToday", "date", "03-05", "2021-03-06", False),
        ("QueryHistoryToday", "date", "someday", "someday", False),  # what is no date equals nothing
        ("QueryHistoryToday", "date", "02-29", "02-29", False),  # nor does a day that 1900 does not have
        ("DeleteScene", "name", "Evening", "evening", True),
    ],
)
def test_value_is_compared_as_its_tool_compares_it(
    tool: str, parameter: str, recorded: str, given_value: str, right: bool
) -> None:
    assert _accepts(_turn(tool, **{parameter: recorded}), f"[{tool}({parameter}='{given_value}')]") is right


@pytest.mark.parametrize(
    ("written", "right"),
    [("date='2023-01-05'", True), ("date='2023-1-5'", True), ("date='5 January'", False), ("date='02023-01-05'", False)],
)
def test_dates_are_compared_as_days(written: str, right: bool) -> None:
    stock = _turn("QueryStock", stock_code="ACME", date="2023-01-05")
    assert _accepts(stock, f"[QueryStock(stock_code='acme', {written})]") is right


@pytest.mark.parametrize(("written", "right"), [("2", True), ("'2'", True), ("'02'", True), ("'2.0'", False), ("'²'", False)])
def test_whole_number_is_read_from_its_digits(written: str, right: bool) -> None:
    recorded = {"hotel_name": "Inn", "check_in_time": "2023-01-05", "check_out_time": "2023-01-06"}
    turn = _turn("BookHotel", **recorded, room_count=2, adult_count=2, child_count=2)
    texts = ", ".join(f"{name}='{value}'" for name, value in recorded.items())
    assert _accepts(turn, f"[BookHotel({texts}, room_count={written}, adult_count=2, child_count=2)]") is right


AGENDA = {"token": "t0k3n", "content": "Meet Ann at noon", "time": "2023-01-05 12:00:00", "location": "office"}


def _written(recorded: dict[str, str], **changed: str) -> str:
    return ", ".join(f"{name}='{value}'" for name, value in (recorded | changed).items())


@pytest.mark.parametrize(
    ("changed", "right"),
    [
        ({}, True),
        ({"content": "Meet Ann at noon today"}, True),  # 4 of 5 words
        ({"content": "Meet Ann at night or never"}, False),  # 3 of 7
        ({"content": "Meet Ann now"}, False),  # 2 of 5
        ({"content": "MEET ANN AT NOON"}, False),
        ({"location": "Office"}, False),
        ({"time": "2023-01-05 12:00"}, False),
        ({"token": "other"}, True),  # the check does not look at it; the database knows it
        ({"token": "unknown"}, False),
    ],
)
def test_words_of_a_new_entry_need_agree_for_more_than_half(changed: dict[str, str], right: bool) -> None:
    output = f"[AddAgenda({_written(AGENDA, **changed)})]"
    assert _accepts(_turn("AddAgenda", **AGENDA), output, frozenset({"other"})) is right


@pytest.mark.parametrize(
    ("tool", "changed", "right"),
    [
        ("DeleteAgenda", {"location": "anywhere"}, True),
        ("DeleteAgenda", {"content": "Meet Ann at noon today"}, False),  # no entry would be found
        ("ModifyAgenda", {"content": "Meet Ann at noon today"}, False),
        ("QueryAgenda", {}, True),
        ("DeleteAgenda", {"token": "other"}, False),
    ],
)
def test_entry_of_the_agenda_is_found_by_its_content(tool: str, changed: dict[str, str], right: bool) -> None:
    output = f"[{tool}({_written(AGENDA, **changed)})]"
    assert _accepts(_turn(tool, **AGENDA), output, frozenset({"other"})) is right


REMINDER = {"token": "t0k3n", "content": "Call Ann", "time": "2023-01-05 12:00:00"}


@pytest.mark.parametrize(
    ("tool", "changed", "right"),
    [
        ("DeleteReminder", {"content": "anything"}, True),
        ("DeleteReminder", {"content": " "}, False),
        ("DeleteReminder", {"time": "2023-01-06 12:00:00"}, False),
        ("ModifyReminder", {"content": "CALL ANN"}, True),
        ("ModifyReminder", {"content": "Call Bob"}, False),
        ("QueryReminder", {"content": "Call Ann now"}, True),
    ],
)
def test_reminder_is_found_by_its_time(tool: str, changed: dict[str, str], right: bool) -> None:
    assert _accepts(_turn(tool, **REMINDER), f"[{tool}({_written(REMINDER, **changed)})]") is right


def test_list_never_equals_the_recorded_one() -> None:
    meeting = {"token": "t", "meeting_topic": "plans", "start_time": "s", "end_time": "e", "location": "here"}
    for tool in ("AddMeeting", "DeleteMeeting", "ModifyMeeting", "QueryMeeting"):
        assert not _accepts(_turn(tool, **meeting, attendees=["Ann"]), f"[{tool}({_written(meeting)}, attendees=['Ann'])]")


def test_second_call_for_a_forgotten_password_is_refused() -> None:
    first = {"status": "Forgot Password", "username": "ann", "email": "a@b.org"}
    second = {"status": "Verification Code", "new_password": "x"}
    assert _accepts(_turn("ForgotPassword", **first), f"[ForgotPassword({_written(first)})]")
    output = f"[ForgotPassword({_written(second)}, verification_code='970420')]"
    assert not _accepts(_turn("ForgotPassword", **second, verification_code=970420), output)


def test_parameter_that_may_be_left_out_must_be_left_out_as_recorded() -> None:
    turn = _turn("ModifyRegistration", appointment_id="1", new_appointment_date="2023-01-05", new_appointment_doctor=None)
    assert _accepts(turn, "[ModifyRegistration(appointment_id='1', new_appointment_date='2023-1-5')]")
    assert not _accepts(turn, "[ModifyRegistration(appointment_id='1')]")
    assert not _accepts(
        turn, "[ModifyRegistration(appointment_id='1', new_appointment_date='2023-1-5', new_appointment_doctor='B')]"
    )


@pytest.mark.parametrize(
    ("receiver", "right"), [("ann@b.org", True), (" ann@b.org", True), ("ANN@b.org", False), ("bob@b.org", False)]
)
def test_mail_address_in_capitals_is_refused_by_the_tool(receiver: str, right: bool) -> None:
    mail = {"receiver": "ann@b.org", "subject": "Hi", "content": "Come!"}
    assert _accepts(_turn("SendEmail", **mail), f"[SendEmail({_written(mail, receiver=receiver, subject=' Hi ')})]") is right
