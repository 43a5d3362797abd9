"""The 49 tools of API-Bank's level 1: their parameters, and how each value is compared with the recorded one.

Source: `input_parameters`, `call` and `check_api_call_correctness` of api-bank/apis/*.py in AlibabaResearch/DAMO-ConvAI
(Apache-2.0). Where the official check looks at a tool's result and not at a parameter, the comparison here is the one under
which the tool, on the databases that every row begins with, gives the recorded result: see `docs/official-scorers.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolcalls.official.apibank.equalities import (
    Equality,
    any_case,
    anything,
    day,
    day_of_year,
    email,
    exact,
    first_call,
    keyword,
    moment,
    no_spaces,
    not_blank,
    nothing,
    same_words,
    same_words_any_case,
    stripped,
    upper_case,
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """How the evaluator reads a value, and when it equals the recorded one.

    A list stays the text that the pattern found, which equals no recorded list. `known_token`: any token that the evaluator's
    databases know will do, because the check does not look at it.
    """

    equal: Equality = exact
    kind: Literal["str", "int", "bool"] = "str"
    required: bool = True
    known_token: bool = False


Tool = dict[str, Parameter]

_SAME = Parameter()
_NUMBER = Parameter(kind="int")
_LATER = Parameter(required=False)
_STRIPPED = Parameter(stripped)
_ANY_CASE = Parameter(any_case)
_TOKEN = Parameter(known_token=True)
_MEETING = {
    "token": _SAME,
    "meeting_topic": Parameter(same_words),
    "start_time": _SAME,
    "end_time": _SAME,
    "location": _SAME,
    "attendees": _SAME,
}

TOOLS: dict[str, Tool] = {
    "AddAgenda": {"token": _TOKEN, "content": Parameter(same_words), "time": _SAME, "location": _SAME},
    "AddAlarm": {"token": _SAME, "time": _SAME},
    "AddMeeting": _MEETING,
    "AddReminder": {"token": _TOKEN, "content": Parameter(same_words_any_case), "time": _SAME},
    "AppointmentRegistration": {"patient_name": _STRIPPED, "date": Parameter(day), "doctor_name": _STRIPPED},
    "BookHotel": {
        "hotel_name": _SAME,
        "check_in_time": _SAME,
        "check_out_time": _SAME,
        "room_count": _NUMBER,
        "adult_count": _NUMBER,
        "child_count": _NUMBER,
    },
    "Calculator": {"formula": Parameter(no_spaces)},
    "CancelRegistration": {"appointment_id": _STRIPPED},
    "CancelTimedSwitch": {"name": _ANY_CASE, "time": Parameter(moment)},
    "DeleteAccount": {"token": _SAME},
    # The times of the agenda's entries have no hours, so an entry is found by its content alone.
    "DeleteAgenda": {"token": _SAME, "content": _SAME, "time": _SAME, "location": Parameter(anything)},
    "DeleteAlarm": {"token": _SAME, "time": _SAME},
    # After a deletion the check looks for a parameter `time`, which no meeting has.
    "DeleteMeeting": {**_MEETING, "meeting_topic": Parameter(nothing)},
    # A reminder is found by its time, which must be the recorded one, whatever the content.
    "DeleteReminder": {"token": _SAME, "content": Parameter(not_blank), "time": _SAME},
    "DeleteScene": {"name": _ANY_CASE},
    "Dictionary": {"keyword": Parameter(keyword)},
    "DocumentQA": {"url": _STRIPPED, "question": _STRIPPED},
    "EmergencyKnowledge": {"symptom": _ANY_CASE},
    "ForgotPassword": {
        "status": Parameter(first_call),
        "username": _LATER,
        "email": _LATER,
        "verification_code": Parameter(kind="int", required=False),
        "new_password": _LATER,
    },
    "GetToday": {},
    "GetUserToken": {"username": _SAME, "password": _SAME},
    "ImageCaption": {"url": _SAME},
    "ModifyAgenda": {"token": _SAME, "content": _SAME, "time": _SAME, "location": _SAME},
    "ModifyAlarm": {"token": _SAME, "from_time": _SAME, "to_time": _SAME},
    "ModifyMeeting": _MEETING,
    "ModifyPassword": {"token": _SAME, "old_password": _SAME, "new_password": _SAME},
    "ModifyRegistration": {
        "appointment_id": _STRIPPED,
        "new_appointment_date": Parameter(day, required=False),
        "new_appointment_doctor": Parameter(stripped, required=False),
    },
    "ModifyReminder": {"token": _SAME, "content": Parameter(same_words_any_case), "time": _SAME},
    "OpenBankAccount": {"account": _SAME, "password": _SAME, "name": _SAME},
    "PlayMusic": {"music_name": _ANY_CASE},
    "QueryAgenda": {"token": _SAME, "content": _SAME, "time": _SAME, "location": _SAME},
    "QueryAlarm": {"token": _SAME, "time": _SAME},
    "QueryBalance": {"token": _SAME},  # the check strips it, but the tool does not know it with spaces
    "QueryHealthData": {"user_id": Parameter(upper_case), "start_time": Parameter(moment), "end_time": Parameter(moment)},
    "QueryHistoryToday": {"date": Parameter(day_of_year)},
    "QueryMeeting": _MEETING,
    "QueryRegistration": {"patient_name": _STRIPPED, "date": Parameter(day)},
    "QueryReminder": {"token": _SAME, "content": Parameter(same_words_any_case), "time": _SAME},
    "QueryScene": {"name": _ANY_CASE},
    "QueryStock": {"stock_code": Parameter(upper_case), "date": Parameter(day)},
    "RecordHealthData": {
        "user_id": Parameter(upper_case),
        "time": Parameter(moment),
        "health_data": _LATER,
    },
    "RegisterUser": {"username": _SAME, "password": _SAME, "email": _SAME},
    "SearchEngine": {"keyword": _ANY_CASE},
    "SendEmail": {"receiver": Parameter(email), "subject": _STRIPPED, "content": _STRIPPED},
    "SpeechRecognition": {"url": _SAME},
    "SymptomSearch": {"symptom": _ANY_CASE},
    "TimedSwitch": {"name": _ANY_CASE, "time": Parameter(moment), "on": Parameter(kind="bool")},
    "Translate": {
        "src": _SAME,
        "src_lang": Parameter(any_case, required=False),
        "tgt_lang": Parameter(any_case, required=False),
    },
    "Wiki": {"keyword": Parameter(keyword)},
}
