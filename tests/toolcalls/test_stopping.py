from __future__ import annotations

import pytest

from toolcalls.stopping import has_saturated


@pytest.mark.parametrize(
    ("previous", "current", "epsilon", "saturated"),
    [
        (None, 0, 0.0, True),
        (None, 1, 0.0, False),
        (100, 101, 0.0, False),
        (100, 100, 0.0, True),
        (100, 99, 0.0, True),
        (100, 105, 0.05, True),
        (100, 106, 0.05, False),
        (0, 0, 0.0, True),
    ],
)
def test_iterations_end_when_the_count_of_selected_samples_no_longer_grows(
    previous: int | None, current: int, epsilon: float, saturated: bool
) -> None:
    assert has_saturated(previous, current, epsilon) is saturated
