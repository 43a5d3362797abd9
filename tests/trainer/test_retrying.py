"""Pauses between tries: how long, how often, and what a server's Retry-After means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trainer.engines.retrying import Patience, wanted_pause

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def test_pauses_double_up_to_the_longest() -> None:
    patience = Patience(retries=9, seconds=1000)
    assert [patience.pause(n, since=0, chance=0) for n in range(1, 10)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert patience.pause(10, since=0, chance=0) is None


def test_chance_shortens_a_pause_by_up_to_half() -> None:
    patience = Patience(retries=9, seconds=1000)
    assert [patience.pause(3, since=0, chance=chance) for chance in (0.0, 0.5, 1.0)] == [4, 3, 2]


def test_no_try_begins_after_the_patience_has_ended() -> None:
    patience = Patience(retries=9, seconds=10)
    assert patience.pause(3, since=6, chance=0) == 4
    assert patience.pause(3, since=6.1, chance=0) is None
    assert patience.pause(1, since=0, chance=0, wanted=11) is None


def test_a_server_is_left_alone_for_as_long_as_it_wants() -> None:
    patience = Patience(retries=9, seconds=1000)
    assert patience.pause(1, since=0, chance=0.5, wanted=20) == 20.5
    assert patience.pause(5, since=0, chance=0, wanted=2) == 16


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        (" 12 ", 12),
        ("1.5", 1.5),
        ("-1", None),
        ("1e400", None),
        ("inf", None),
        ("9" * 400, None),
        ("soon", None),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 12:00:30 -0000", 30),
        ("Sat, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert wanted_pause(header, NOW) == seconds
