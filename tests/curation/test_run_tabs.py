"""The tabs of a run, and how figures are written on its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from curation.access import iteration_of, run_of
from curation.models import Iteration, Run, User
from curation.pages.run_tabs import NAMES, run_tabs
from curation.templatetags.numbers import count, duration, points

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def test_a_run_without_iterations_has_no_tabs_of_one(make_run: Callable[..., Run], viewer: User) -> None:
    tabs = run_tabs(run_of(viewer, make_run().pk), "overview")
    assert [tab.label for tab in tabs.tabs] == ["Overview", "Exports", "Events"]


def test_without_an_iteration_the_tabs_lead_to_the_latest(
    make_run: Callable[..., Run], viewer: User, django_assert_num_queries: Any
) -> None:
    run = run_of(viewer, make_run().pk)
    for number in (0, 1, 2):
        Iteration.objects.create(run=run, number=number, state="done")
    with django_assert_num_queries(1):
        tabs = run_tabs(run, "events")
    assert [tab.url for tab in tabs.tabs if "iterations/2/" in tab.url] == [
        f"/runs/{run.pk}/iterations/2/", f"/runs/{run.pk}/iterations/2/pool/", f"/runs/{run.pk}/iterations/2/pairs/"
    ]  # fmt: skip
    assert [tab.label for tab in tabs.tabs if tab.current] == ["Events"]


@pytest.mark.parametrize("current", NAMES)
def test_with_an_iteration_the_tabs_ask_the_database_nothing(
    make_run: Callable[..., Run], viewer: User, django_assert_num_queries: Any, current: str
) -> None:
    made = Iteration.objects.create(run=make_run(), number=0)
    iteration = iteration_of(viewer, made.run_id, 0)
    with django_assert_num_queries(0):
        tabs = run_tabs(iteration.run, current, iteration)
    assert [tab.current for tab in tabs.tabs] == [name == current for name in NAMES]


def test_a_tab_that_does_not_exist_is_the_callers_fault(make_run: Callable[..., Run]) -> None:
    with pytest.raises(ValueError, match="no tab 'pools'"):
        run_tabs(make_run(), "pools")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0.2, "< 1 s"),
        (42.4, "42 s"),
        (59.6, "1 min 00 s"),
        (190, "3 min 10 s"),
        (7500, "2 h 05 min"),
        (273600, "3 d 4 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_counts_have_commas_and_changes_their_sign() -> None:
    assert (count(1234567), count(None)) == ("1,234,567", "–")
    assert (points(0.0312), points(-0.01), points(None)) == ("+3.1", "-1.0", "")
