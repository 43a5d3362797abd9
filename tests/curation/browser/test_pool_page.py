"""Reviewing in a browser: the keys, the filter as the address, decisions on many, and that the pages keep to WCAG AA."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from bench.web.seeding import Seeded, seed
from curation.models import Decision, SampleVersion, User, Verdict
from curation.stages import people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def seeded(db: None) -> Seeded:
    return seed(samples=150, k=4, iterations=2, owner="owner@example.org")


@pytest.fixture
def pool(live_server: Any, page: Page, seeded: Seeded) -> Page:
    """The pool of the last iteration, as an owner of the team sees it."""
    user = User.objects.get(email="owner@example.org")
    page.goto(f"{live_server.url}/enter/{people.sign_in_link(user)}/")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    page.goto(f"{live_server.url}/runs/{seeded.run}/iterations/2/pool/")
    expect(page.locator("#count")).to_have_text("150 samples")
    return page


def shown(page: Page) -> int:
    """The sample that the panel shows."""
    return int(page.locator("#panel article").get_attribute("data-sample") or 0)


def settled(page: Page, sample: int) -> None:
    """Waits until the panel shows this sample."""
    expect(page.locator(f'#panel:not([aria-busy]) article[data-sample="{sample}"]')).to_be_visible()


def nth(page: Page, place: int) -> int:
    return int(page.locator("#rows > .verdict").nth(place).get_attribute("data-sample") or 0)


def standing(sample: int) -> str | None:
    return Decision.objects.standing().filter(sample=sample).values_list("kind", flat=True).first()


def test_a_reviewer_decides_by_keyboard(pool: Page, complaints: list[str]) -> None:
    pool.goto(f"{pool.url}?decision=none")
    expect(pool.locator("#count")).to_have_text("147 samples")
    first, second, third = (nth(pool, place) for place in range(3))
    pool.keyboard.press("k")  # nothing is shown, so nothing is decided
    pool.keyboard.press("j")
    settled(pool, first)
    pool.keyboard.press("d")
    settled(pool, second)  # and on to the next
    pool.keyboard.press("k")
    settled(pool, third)
    pool.keyboard.press("ArrowUp")
    settled(pool, second)
    expect(pool.locator(".standing")).to_contain_text("Kept")
    assert (standing(first), standing(second), standing(third)) == ("drop", "keep", None)
    pool.keyboard.press("u")
    expect(pool.locator(".standing")).to_have_count(0)
    assert standing(second) is None
    pool.keyboard.press("c")
    expect(pool.locator("#comment")).to_be_focused()
    pool.keyboard.type("d and k are letters here")
    pool.keyboard.press("Escape")
    assert standing(second) == "discuss"
    pool.keyboard.press("?")
    expect(pool.get_by_role("dialog", name="Keys")).to_be_visible()
    pool.keyboard.press("d")  # a sheet is open
    pool.keyboard.press("Escape")
    assert standing(second) == "discuss"
    assert complaints == []


def test_the_filter_is_the_address(pool: Page, complaints: list[str]) -> None:
    chosen = pool.locator("#facets").get_by_role("link", name=re.compile("^simple"))
    count = int(chosen.locator(".number").inner_text())
    chosen.click()
    expect(pool.locator("#count")).to_have_text(f"{count} samples")
    assert "category=simple" in pool.url
    pool.keyboard.press("/")
    pool.keyboard.type("rome ")
    expect(pool.get_by_role("link", name="Remove Search: rome")).to_be_visible()
    assert "q=rome" in pool.url
    found = pool.locator("#rows > .verdict").count()
    pool.reload()
    expect(pool.locator("#rows > .verdict")).to_have_count(found)
    pool.get_by_role("link", name="Clear all").click()
    expect(pool.locator("#count")).to_have_text("150 samples")
    pool.go_back()
    expect(pool.locator("#rows > .verdict")).to_have_count(found)
    assert complaints == []


def test_going_on_loads_more(pool: Page) -> None:
    expect(pool.locator("#rows > .verdict")).to_have_count(30)
    pool.locator("#more a").click()
    expect(pool.locator("#rows > .verdict")).to_have_count(60)
    assert len({nth(pool, place) for place in range(60)}) == 60


def test_many_are_dropped_and_taken_back(pool: Page, complaints: list[str]) -> None:
    before = dict(Verdict.objects.filter(turn=0).values_list("pk", "decision"))
    pool.locator("#facets").get_by_role("link", name=re.compile("^parallel_multiple")).click()
    expect(pool.get_by_role("link", name="Remove Category: parallel_multiple")).to_be_visible()
    expect(pool.locator("#facets .bulk h2").first).to_contain_text("found")
    expect(pool.locator("#facets [aria-current]")).to_contain_text("parallel_multiple")
    total = int(pool.locator("#facets .total strong").inner_text())
    pool.get_by_role("button", name="Drop…").click()
    dialog = pool.get_by_role("dialog", name=f"Drop {total} samples?")
    dialog.get_by_label("Why").fill("too hard")
    dialog.get_by_role("button", name=f"Drop {total}").click()
    expect(pool.locator(".toast")).to_contain_text("dropped")
    expect(dialog).to_be_hidden()
    dropped = Verdict.objects.filter(turn=0, iteration__number=2, category="parallel_multiple")
    assert set(dropped.values_list("decision", flat=True)) == {"drop"}
    expect(pool.locator("#rows .chip.decision.bad")).to_have_count(min(30, total))
    pool.locator(".toast").get_by_role("button", name="Undo").click()
    expect(pool.locator(".toast")).to_contain_text("undone")
    assert dict(Verdict.objects.filter(turn=0).values_list("pk", "decision")) == before
    assert complaints == []


def test_a_question_about_many_is_not_lost_to_counts_that_come_late(pool: Page, complaints: list[str]) -> None:
    expect(pool.get_by_role("button", name="Drop…")).to_be_enabled()
    late: list[Route] = []
    pool.route(re.compile(r"/pool/\?.*category=simple"), lambda route: late.append(route))  # noqa: PLW0108 - a bound method has no room for Playwright's mark
    pool.locator("#facets").get_by_role("link", name=re.compile("^simple")).click()
    pool.get_by_role("button", name="Drop…").click()
    dialog = pool.get_by_role("dialog", name="Drop 150 samples?")
    dialog.get_by_label("Why").fill("half a thought")
    with pool.expect_response(re.compile(r"/facets/\?.*category=simple")):
        late.pop().continue_()
    expect(pool.get_by_role("link", name="Remove Category: simple")).to_be_visible()
    expect(dialog.get_by_label("Why")).to_have_value("half a thought")
    dialog.get_by_role("button", name="Cancel").click()
    expect(pool.locator("#facets [aria-current]")).to_contain_text("simple")
    expect(pool.get_by_role("button", name="Drop…")).to_be_enabled()
    assert complaints == []


def test_the_truth_is_edited_by_its_schema(pool: Page, seeded: Seeded, complaints: list[str]) -> None:
    pool.goto(f"{pool.url}?category=simple&decision=none")
    sample = nth(pool, 0)
    pool.keyboard.press("j")
    settled(pool, sample)
    pool.keyboard.press("e")
    form = pool.locator("#fix")
    form.get_by_label("city*").fill("Nowhere")
    form.get_by_label("Why").fill("they said so")
    form.get_by_role("button", name="Save the truth").click()
    expect(pool.get_by_text("The truth was corrected")).to_be_visible()
    expect(pool.locator(".corrected")).to_contain_text("Nowhere")
    version = SampleVersion.objects.get(sample=sample, number=2)
    assert version.content["truth"][0]["arguments"]["city"] == "Nowhere"
    assert standing(sample) == "fix"
    assert complaints == []


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found.response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    pool: Page, live_server: Any, seeded: Seeded, width: int, scheme: Any
) -> None:
    pool.emulate_media(color_scheme=scheme)
    pool.set_viewport_size({"width": width, "height": 900})
    sample = (
        Verdict.objects.filter(iteration=seeded.iterations[1], turn=1, outcome="param_mismatch").values_list("sample").first()
    )
    (heldout,) = SampleVersion.objects.filter(sample__split="heldout").values_list("sample")[0]
    assert sample is not None
    base = f"{live_server.url}/runs/{seeded.run}/iterations/2"
    addresses = ("pool/", "pairs/", f"pool/{sample[0]}/", f"pairs/{sample[0]}/", "pool/?outcome=exact&q=please")
    for path in addresses:
        pool.goto(f"{base}/{path}")
        if path.endswith("s/") and width > 1000:
            pool.keyboard.press("j")
            settled(pool, nth(pool, 0))
        assert violations(pool) == [], path
        assert pool.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, path
    for path in ("pool/?split=heldout", f"pool/{heldout}/"):
        pool.goto(f"{live_server.url}/runs/{seeded.run}/iterations/1/{path}")
        assert violations(pool) == [], path


def test_what_if_is_asked_by_sliders(pool: Page, complaints: list[str]) -> None:
    """By the keyboard here; a drag is the same event. axe looks at it with the other things that are opened by hand."""
    asked: list[str] = []
    pool.on("request", lambda request: asked.append(request.url) if "/what-if/" in request.url else None)
    fold = pool.locator(".what-if-fold")
    expect(fold.locator("#what-if .waiting")).to_be_hidden()
    assert asked == []  # nothing is counted before it is opened
    fold.get_by_text("What if").click()
    status = pool.locator(".asked")
    expect(status).to_contain_text("all 4 attempts, at most 1 differing parameter in a call: the run itself")
    fold.get_by_role("slider", name="Attempts").press("ArrowLeft")
    fold.get_by_role("slider", name="Tolerance").press("ArrowLeft")
    expect(status).to_contain_text("the first 3 of 4 attempts, exact answers alone")
    expect(fold.locator("output")).to_have_text(["3", "0"])
    lost = fold.get_by_role("link", name=re.compile("List the .* lost")).first
    number = re.sub(r"\D", "", lost.inner_text())
    lost.click()
    expect(pool.get_by_role("link", name=f"Direct, lost: {number}")).to_have_attribute("aria-current", "true")
    expect(pool.locator("tbody tr")).to_have_count(min(50, int(number)))
    pool.get_by_role("slider", name="Attempts").press("Home")
    expect(status).to_contain_text("the first of 4 attempts")
    assert "k=1" in pool.url and "change=lost" in pool.url
    assert complaints == []
