"""Trying a model in a browser: from a sample's question to its answers, which come by themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from curation.models import Run, User
from curation.stages import trying
from curation.stages.trial_turns import Turn
from tests.curation.stages import conftest as by_hand

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.django_db(transaction=True)]

queue = by_hand.queue


def test_answers_come_turn_by_turn_and_what_was_unfolded_stays(
    storage: Path, make_run: Callable[..., Run], engineer: User, browser_of: Callable[[User], Page], complaints: list[str]
) -> None:
    run, page = make_run(), browser_of(engineer)
    page.goto(f"/p/{run.project.team.slug}/{run.project.slug}/")
    page.get_by_role("link", name="Try it").click()
    page.get_by_role("link", name="What is the weather in Tunis").click()
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("status").first).to_contain_text("Queued")
    page.locator("summary", has_text="Tools").click()
    page.wait_for_timeout(1500)
    expect(page.get_by_text("Weather of a city.")).to_be_visible()
    asked = trying.claim_next("hand")
    assert asked is not None
    expect(page.get_by_role("status").first).to_contain_text("Loading the model")
    trying.loaded(asked)
    wrong, right = (Turn(f"[get_weather(city='{city}', days=1)]", "stop", 90, 12, 0.5) for city in ("Rome", "Tunis"))
    trying.store(asked, [wrong])
    expect(page.get_by_text("near: 1 parameter off")).to_be_visible()
    trying.complete(asked, [wrong, right, right], agreed=True)
    expect(page.get_by_text("A2 agrees with A1")).to_be_visible()
    expect(page.get_by_text("equals the truth")).to_have_count(2)
    page.get_by_role("link", name="Ask again").click()
    expect(page.get_by_label("Message")).to_have_value("What is the weather in Tunis for 1 days?")
    assert not complaints
