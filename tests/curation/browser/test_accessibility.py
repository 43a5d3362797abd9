"""Every main page keeps to WCAG 2.1 AA and fits its window, light and dark, wide and narrow, whatever texts it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from curation.models import User
from tests.curation.browser import planting
from tests.curation.browser.planting import Planted
from tests.curation.permissions.test_permissions import PAGES, page_routes
from tests.curation.stages import conftest as by_hand

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.django_db(transaction=True)]

queue, planted = by_hand.queue, planting.planted

AXE = Axe().axe_script
LEVELS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
FRAGMENTS = {"run_live", "run_spending", "run_steps", "iteration_live", "iteration_results", "pool_facets", "pairs_facets"}
OTHERS = {"health", "stream", "sign_out", "dataset_download", "export_manifest", "enter", "admin_sign_in", "admin_password"}


def main_pages(planted: Planted) -> Iterator[str]:
    for route in page_routes():
        if "GET" in PAGES[route.name] and route.name not in FRAGMENTS | OTHERS:
            yield route.address(planted.names)
    iteration = f"/runs/{planted.run.pk}/iterations"
    yield f"/p/{planted.names['team']}/{planted.names['project']}/try/?again={planted.names['trial']}"
    yield from (f"{iteration}/0/", f"{iteration}/1/pool/{planted.names['sample']}/")
    yield from (f"{iteration}/1/pool/?split=heldout", f"{iteration}/2/pool/?split=heldout")  # evaluated, and not yet
    evaluations = f"evaluation={planted.names['evaluation']}&evaluation={planted.names['other']}"
    yield from (f"/evaluations/compare/?{evaluations}&strategy=direct", f"/evaluations/{planted.names['other']}/")
    yield from (f"{iteration}/1/pairs/{planted.names['sample']}/", f"{iteration}/2/pool/?q=nothing", "/nowhere/", "/join/gone/")


def faults(page: Page, width: int, scheme: Any) -> list[str]:
    """With axe in the page already."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = page.evaluate("rules => axe.run(rules).then((results) => results.violations)", LEVELS)
    nodes = [(each["id"], [node["html"][:150] for node in each["nodes"]][:4]) for each in found]
    too_wide = [f"{width}: {wider} pixels too wide"] if wider else []
    return [f"{scheme} {width}: {name}: {html}" for name, html in nodes] + too_wide


def all_faults(page: Page, address: str) -> list[str]:
    """With everything unfolded. The page stays open: what depends on width and scheme follows its style sheets."""
    page.goto(address)
    expect(page.get_by_role("heading").first).to_be_visible()
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.evaluate(AXE)
    looks = ((1440, "light"), (390, "dark"))  # colours follow from the scheme alone; the pages' own tests try all four
    return [f"{address}: {fault}" for look in looks for fault in faults(page, *look)]


def test_every_page_keeps_to_wcag_and_to_its_window(planted: Planted, browser_of: Callable[[User], Page]) -> None:
    page = browser_of(planted.owner)
    found = [fault for address in main_pages(planted) for fault in all_faults(page, address)]
    page.context.clear_cookies()
    for address in ("/sign-in/", f"/join/{planted.names['link']}/", "/join/gone/"):
        found += all_faults(page, address)
    assert not found, "\n".join(found)


def test_what_is_opened_by_hand_keeps_to_wcag(planted: Planted, browser_of: Callable[[User], Page]) -> None:
    """What if, the panel beside the list, the form for the truth, a dialog, the sheet of keys and a toast."""
    page, found = browser_of(planted.owner), []
    page.goto(f"/runs/{planted.run.pk}/iterations/2/pool/")
    page.get_by_role("heading", name="found").wait_for()
    page.keyboard.press("j")
    page.locator("#panel:not([aria-busy]) article").wait_for()
    page.keyboard.press("e")
    page.locator("#fix").get_by_role("button", name="Save the truth").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("What if").click()
    page.locator("#what-if .turns").wait_for()
    page.evaluate(AXE)
    looks = [(1440, scheme) for scheme in ("light", "dark")]
    found += [fault for look in looks for fault in faults(page, *look)]
    for opener in ("?", "Drop…"):
        page.keyboard.press(opener) if len(opener) == 1 else page.get_by_role("button", name=opener).click()
        page.get_by_role("dialog").wait_for()
        found += [fault for look in looks for fault in faults(page, *look)]
        page.keyboard.press("Escape")
    page.keyboard.press("k")
    page.locator(".toast").wait_for()
    page.locator("#panel:not([aria-busy]) article").wait_for()  # what waits for its successor is dimmed
    found += [fault for look in looks for fault in faults(page, *look)]
    assert not found, "\n".join(found)
