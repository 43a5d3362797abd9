"""Delays between restarts."""

from __future__ import annotations

from curation.services.programs import LONGEST_DELAY, SETTLED, BackOff


def test_delay_doubles_with_each_failure_up_to_its_limit() -> None:
    back_off = BackOff()
    delays = [back_off.delay_after(ran=0.1) for _ in range(9)]
    assert delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert delays[-1] == LONGEST_DELAY


def test_delay_is_short_again_after_a_long_run() -> None:
    back_off = BackOff()
    for _ in range(5):
        back_off.delay_after(ran=0.1)
    assert back_off.delay_after(ran=SETTLED) == 0.5
    assert back_off.delay_after(ran=0.1) == 1.0
