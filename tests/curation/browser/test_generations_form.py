"""Answers from elsewhere, sent on a run's page in a browser and imported in a process of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from curation.models import Engine, Run, User
from curation.stages import registering, running

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.django_db(transaction=True)]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


@pytest.fixture
def engine(db: None) -> Engine:
    return registering.register_engine("elsewhere", "imported")


@pytest.fixture
def run(storage: Path, make_run: Callable[..., Run], make_dataset: Callable[..., Any]) -> Run:
    """Waits for two attempts at each of two samples."""
    made = make_run(make_dataset(train=2, heldout=0), k=2)
    running.start_run(made)
    return made


def faults(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found] + ["too wide"] * bool(wider)


def test_a_file_is_sent_on_the_run_s_page_and_told_of(
    run: Run, engineer: User, browser_of: Callable[[User], Page], tmp_path: Path, complaints: list[str]
) -> None:
    page = browser_of(engineer)
    page.goto(f"/runs/{run.pk}/")
    panel = page.locator("#generations")
    expect(panel.get_by_text("The direct turn waits: 0 of 4 attempts are here.")).to_be_visible()
    file = tmp_path / "out.jsonl"
    file.write_text('{"id": "sample-0", "result": "[f()]"}\n{"id": "nobody", "result": ""}\n')
    panel.get_by_label("File of answers").set_input_files(file)
    panel.get_by_role("button", name="Import").click()
    expect(panel.get_by_text("line 2: sample 'nobody' is not in this iteration's pool")).to_be_visible(timeout=30_000)
    panel.get_by_label("File of answers").set_input_files(file)
    panel.get_by_label("leave out lines").check()
    panel.get_by_role("button", name="Import").click()
    expect(panel.get_by_text("1 answer imported, 1 line left out.")).to_be_visible(timeout=30_000)
    expect(panel.get_by_text("1 of 4 attempts are here")).to_be_visible()
    page.goto(f"/runs/{run.pk}/generations/")
    panel.get_by_text("Why lines were left out").click()
    for width, scheme in ((1440, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert faults(page) == []
    panel.get_by_role("button", name="Nothing more comes").click()
    expect(page.get_by_role("heading", name=run.name)).to_be_visible()
    expect(panel.get_by_text("waits for no generations")).to_be_visible()
    assert complaints == []
