"""Figure 2 as geometry: what is drawn is what the rows say."""

from __future__ import annotations

from typing import Any

import pytest

from curation.pages.figure import BOTTOM, HEIGHT, figure


def row(iteration: int, direct: int | None = None, refine: int | None = None, accuracy: float | None = None) -> dict[str, Any]:
    interval = None if accuracy is None else (max(0.0, accuracy - 0.05), min(1.0, accuracy + 0.05))
    return {
        "iteration": iteration,
        "selected_direct": direct,
        "selected_refine": refine,
        "heldout_direct": accuracy,
        "heldout_direct_interval": interval,
        "heldout_adaptive": accuracy,
        "heldout_adaptive_interval": interval,
    }


def test_nothing_is_drawn_before_the_first_figure() -> None:
    assert figure([]) is None
    assert figure([row(0)]) is None


def test_bars_are_proportional_to_the_counts() -> None:
    drawn = figure([row(0, accuracy=0.3), row(1, 100, 50, 0.4), row(2, 200, 100, 0.4)])
    assert drawn is not None
    one, two = drawn.bars
    assert two.direct_height == pytest.approx(2 * one.direct_height, rel=0.01)
    assert one.refine_height == pytest.approx(one.direct_height / 2, rel=0.02)
    assert one.direct_y + one.direct_height == pytest.approx(HEIGHT - BOTTOM, abs=0.2)
    assert one.refine_y + one.refine_height == pytest.approx(one.direct_y, abs=0.2)


def test_iteration_zero_has_points_and_no_bar() -> None:
    drawn = figure([row(0, accuracy=0.3), row(1, 10, 5, 0.35)])
    assert drawn is not None
    assert len(drawn.bars) == 1
    assert [len(line.points) for line in drawn.lines] == [2, 2]
    assert "Iteration 0, held-out accuracy 30.0 % direct." in drawn.summary


def test_higher_accuracy_is_drawn_higher_and_inside_its_interval() -> None:
    drawn = figure([row(0, accuracy=0.3), row(1, 10, 5, 0.5)])
    assert drawn is not None
    low, high = drawn.lines[0].points
    assert high.y < low.y
    assert all(point.high_y < point.y < point.low_y for point in (low, high))


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_extreme_accuracies_stay_inside_the_drawing(accuracy: float) -> None:
    drawn = figure([row(0, accuracy=accuracy)])
    assert drawn is not None
    point = drawn.lines[0].points[0]
    assert 0 <= point.high_y <= point.low_y <= HEIGHT
    assert len(drawn.accuracy_ticks) >= 2


def test_an_iteration_that_selects_nothing_draws_a_flat_bar() -> None:
    drawn = figure([row(0, accuracy=0.1), row(1, 0, 0)])
    assert drawn is not None
    assert drawn.bars[0].direct_height == 0
