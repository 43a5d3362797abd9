"""When API-Bank's tools take a given value for the recorded one: the comparisons of their `check_api_call_correctness`.

Source: api-bank/apis/*.py of AlibabaResearch/DAMO-ConvAI (Apache-2.0). Each takes the given value first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

Equality = Callable[[Any, Any], bool]

_DAY = "%Y-%m-%d"
_EMAIL = re.compile(r"[a-z0-9]+[._]?[a-z0-9]+@\w+[.]\w{2,3}")


def exact(given: Any, recorded: Any) -> bool:
    return bool(given == recorded)


def anything(given: Any, recorded: Any) -> bool:
    return True


def nothing(given: Any, recorded: Any) -> bool:
    return False


def first_call(given: str, recorded: Any) -> bool:
    """Of the two calls that a forgotten password takes: the second needs the first one's state, which no row has."""
    return bool(given == recorded == "Forgot Password")


def not_blank(given: str, recorded: Any) -> bool:
    return bool(given.strip())


def stripped(given: str, recorded: str) -> bool:
    return given.strip() == recorded.strip()


def any_case(given: str, recorded: str) -> bool:
    return given.strip().lower() == recorded.strip().lower()


def upper_case(given: str, recorded: str) -> bool:
    """Not the same as `any_case`: "ß" is "SS"."""
    return given.upper().strip() == recorded.upper().strip()


def no_spaces(given: str, recorded: str) -> bool:
    return given.replace(" ", "") == recorded.replace(" ", "")


def keyword(given: str, recorded: str) -> bool:
    return any_case(given.replace("_", " "), recorded.replace("_", " "))


def email(given: str, recorded: str) -> bool:
    """Upper case would be equal, but the tool refuses it."""
    return any_case(given, recorded) and _EMAIL.fullmatch(given.strip()) is not None


def same_words(given: str, recorded: str) -> bool:
    """More than half of all words are in both; words are what single spaces part, each counted once."""
    one, other = set(given.split(" ")), set(recorded.split(" "))
    return len(one & other) / len(one | other) > 0.5


def same_words_any_case(given: str, recorded: str) -> bool:
    return same_words(given.lower(), recorded.lower())


def day(given: str, recorded: str) -> bool:
    return _same_time(given, recorded, _DAY)


def moment(given: str, recorded: str) -> bool:
    return _same_time(given, recorded, f"{_DAY} %H:%M:%S")


def day_of_year(given: str, recorded: str) -> bool:
    """With or without the year."""
    one, other = _day_of_year(given), _day_of_year(recorded)
    return one is not None and one == other


def _day_of_year(text: str) -> str | None:
    time = _time(text, _DAY) or _time(f"1900-{text.strip()}", _DAY)
    return time.strftime("%m-%d") if time else None


def _same_time(given: str, recorded: str, pattern: str) -> bool:
    """What is no time equals nothing, not even itself: the tools compare exceptions then."""
    one, other = _time(given, pattern), _time(recorded, pattern)
    return one is not None and one == other


def _time(text: str, pattern: str) -> datetime | None:
    """A year of fewer than four digits gets zeros in front."""
    parts = text.strip().split("-")
    if len(parts) == 3:
        parts[0] = parts[0].zfill(4)
    try:
        return datetime.strptime("-".join(parts), pattern)  # noqa: DTZ007  # the tools know no time zones
    except ValueError:
        return None
