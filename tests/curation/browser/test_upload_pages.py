"""From a file to a data set in a browser, with the import in its own process; and that these pages keep to WCAG AA."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from curation.models import Dataset, Iteration, Project, Run, User
from curation.stages import events, people
from toolcalls.exporting import sample_line
from toolcalls.records import Sample

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def signed_in(live_server: Any, page: Page, engineer: User) -> Page:
    page.goto(f"{live_server.url}/enter/{people.sign_in_link(engineer)}/")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    return page


@pytest.fixture
def storage(live_environ: dict[str, str], tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads lie, for this process and for the one that imports."""
    for name, value in {**live_environ, "UPLOADS_ROOT": str(tmp_path / "uploads"), "WHETSTONE_VAR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    settings.UPLOADS_ROOT, settings.VAR = tmp_path / "uploads", tmp_path
    return tmp_path


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found.response["violations"]]


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_a_file_is_uploaded_seen_and_imported(
    signed_in: Page, storage: Path, project: Project, make_samples: Callable[..., list[Sample]], complaints: list[str]
) -> None:
    page = signed_in
    file = storage / "weather.jsonl"
    file.write_text("".join(sample_line(sample) + "\n" for sample in make_samples(2000, 50)) + "nonsense\n")
    page.reload()
    page.get_by_role("link", name="Weather", exact=True).click()
    page.get_by_role("link", name="Import a data set").click()
    page.get_by_label("File").set_input_files(file)
    expect(page.get_by_label("Data set")).to_have_value("weather")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="What is in it")).to_be_visible()
    page.get_by_text("What is the weather in Rome for 1 days?").first.click()
    expect(page.get_by_role("heading", name="Conversation").first).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Format of the rows").select_option("openai")
    expect(page.get_by_text("There is no sample in it in this form.")).to_be_visible()
    page.get_by_label("Format of the rows").select_option("auto")
    expect(page.get_by_role("heading", name="The first 5")).to_be_visible()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("1 of 2051 rows cannot be used")).to_be_visible(timeout=60_000)
    assert not Dataset.objects.exists()
    page.get_by_label("leave out rows that cannot be used").check()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="Revision 1")).to_be_visible(timeout=60_000)
    assert violations(page) == []
    page.get_by_role("link", name="Revision 1").click()
    expect(page.get_by_text("2,000 to train on · 50 held out")).to_be_visible()
    page.get_by_label("Search the samples").fill("oslo 3 days")
    page.keyboard.press("Enter")
    expect(page.get_by_text("What is the weather in Oslo for 3 days?", exact=True)).to_be_visible()
    assert complaints == []


def test_these_pages_keep_to_wcag_aa_at_both_widths(
    live_server: Any, signed_in: Page, make_run: Callable[..., Run], engineer: User, complaints: list[str]
) -> None:
    run = make_run(by=engineer)
    iteration = Iteration.objects.create(run=run, number=1)
    events.record("review.decide_all", iteration, actor=engineer, after={"kind": "drop", "count": 3, "turn": 0, "iteration": 1})
    place = f"/p/{run.project.team.slug}/{run.project.slug}/"
    addresses = ["/", "/projects/new/", place, f"{place}datasets/", f"{place}upload/", f"{place}events/"]
    addresses += [f"/datasets/{run.dataset_id}/", f"/runs/{run.pk}/exports/", f"/runs/{run.pk}/events/"]
    for size in ({"width": 1440, "height": 900}, {"width": 390, "height": 844}):
        signed_in.set_viewport_size(size)
        for address in addresses:
            signed_in.goto(live_server.url + address)
            for summary in signed_in.locator("summary").all()[:2]:
                summary.click()
            assert violations(signed_in) == [], address
            assert sideways(signed_in) == 0, (address, size)
    assert complaints == []
