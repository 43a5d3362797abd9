"""The run page as a browser shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from curation.models import Evaluation, Iteration, Run, Stage, User
from curation.stages import people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def signed_in(live_server: Any, page: Page, viewer: User) -> Page:
    """A browser that used a one-time link."""
    page.goto(f"{live_server.url}/enter/{people.sign_in_link(viewer)}/")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    return page


def test_a_run_is_watched_live_without_a_word_from_the_policy(
    live_server: Any, signed_in: Page, make_run: Callable[..., Run], complaints: list[str]
) -> None:
    run = make_run()
    base = Iteration.objects.create(run=run, number=0)
    stage = Stage.objects.create(iteration=base, kind="evaluation", position=0, state="running")
    Run.objects.filter(pk=run.pk).update(state="running")
    signed_in.goto(f"{live_server.url}/runs/{run.pk}/")
    expect(signed_in.get_by_text("Nothing to draw yet")).to_be_visible()

    Evaluation.objects.create(iteration=base, comparator="1", total=200, direct_right=80, adaptive_right=84, mean_turns=1.4)
    Stage.objects.filter(pk=stage.pk).update(state="done")
    expect(signed_in.get_by_role("img", name="held-out accuracy 40.0 % direct")).to_be_visible()
    expect(signed_in.get_by_role("cell", name="40.0 %")).to_be_visible()

    Run.objects.filter(pk=run.pk).update(state="completed", why="all iterations are done")
    expect(signed_in.get_by_text("all iterations are done")).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_never_scrolls_sideways(live_server: Any, signed_in: Page, make_run: Callable[..., Run], width: int) -> None:
    run = make_run()
    Iteration.objects.create(run=run, number=0)
    signed_in.set_viewport_size({"width": width, "height": 900})
    signed_in.goto(f"{live_server.url}/runs/{run.pk}/")
    expect(signed_in.get_by_role("heading", level=1)).to_be_visible()
    assert signed_in.evaluate("document.documentElement.scrollWidth") <= width
