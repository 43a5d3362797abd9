"""Two people in two browsers, on one run: each sees what the other decides, and loses nothing by it; who is removed is out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from curation.models import Decision, Membership, Run, Team, User
from curation.models import Sample as SampleRow
from curation.stages import events
from tests.curation.stages import conftest as by_hand

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.django_db(transaction=True)]

hand, queue, reviewed_run = by_hand.hand, by_hand.queue, by_hand.reviewed_run


def open_sample(page: Page, run: Run, key: str) -> None:
    sample = SampleRow.objects.get(key=key).pk
    page.goto(f"/runs/{run.pk}/iterations/1/pool/?order=id#s{sample}")
    page.reload()  # another fragment alone would not load the page anew
    expect(page.locator(f'#panel:not([aria-busy]) article[data-sample="{sample}"]')).to_be_visible()


def press(page: Page, key: str, says: str) -> None:
    """A decision by a key, and the toast that confirms it."""
    page.keyboard.press(key)
    expect(page.locator(".toast").last).to_contain_text(says)


def chip(page: Page, key: str) -> Any:
    return page.locator(f'.verdict[data-sample="{SampleRow.objects.get(key=key).pk}"] .chip.decision')


def standing() -> dict[str, tuple[str, str]]:
    """Key → what stands, and whose it is."""
    rows = Decision.objects.standing().values_list("sample__key", "kind", "by__email")
    return {key: (kind, email.partition("@")[0]) for key, kind, email in rows}


def test_two_people_decide_and_undo_only_what_is_theirs(
    storage: Any,
    browser_of: Callable[[User], Page],
    reviewed_run: Run,
    owner: User,
    reviewer: User,
    complaints: list[str],
) -> None:
    first, second = browser_of(owner), browser_of(reviewer)
    open_sample(first, reviewed_run, "sample-3")
    open_sample(second, reviewed_run, "sample-4")
    press(first, "d", "sample-3: dropped")
    press(second, "d", "sample-4: dropped")
    for page in (first, second):
        page.reload()
        expect(chip(page, "sample-3")).to_have_text("Dropped")
        expect(chip(page, "sample-4")).to_have_text("Dropped")
    open_sample(first, reviewed_run, "sample-3")
    press(first, "u", "undone")
    assert standing() == {"sample-4": ("drop", "reviewer")}

    open_sample(first, reviewed_run, "sample-5")
    open_sample(second, reviewed_run, "sample-5")  # both look at it while nobody has decided
    press(first, "d", "sample-5: dropped")
    press(second, "k", "sample-5: kept")
    assert standing()["sample-5"] == ("keep", "reviewer")
    first.reload()
    open_sample(first, reviewed_run, "sample-5")
    expect(first.locator(".standing")).to_contain_text("Kept by reviewer")
    open_sample(second, reviewed_run, "sample-5")
    press(second, "u", "undone")
    assert standing()["sample-5"] == ("drop", "owner")
    open_sample(second, reviewed_run, "sample-5")
    expect(second.locator(".standing")).to_contain_text("Dropped by owner")
    assert complaints == []


def test_an_undo_that_comes_late_leaves_what_was_decided_since(
    storage: Any, browser_of: Callable[[User], Page], reviewed_run: Run, owner: User, reviewer: User
) -> None:
    first, second = browser_of(owner), browser_of(reviewer)
    open_sample(first, reviewed_run, "sample-3")
    open_sample(second, reviewed_run, "sample-3")
    press(first, "d", "sample-3: dropped")
    press(second, "k", "sample-3: kept")
    first.locator(".toast").get_by_role("button", name="Undo").click()
    expect(first.locator(".toast").last).to_contain_text("decided otherwise since")
    assert standing() == {"sample-3": ("keep", "reviewer")}


def test_who_is_removed_hears_and_sees_nothing_any_more(
    storage: Any, browser_of: Callable[[User], Page], reviewed_run: Run, team: Team, owner: User, reviewer: User
) -> None:
    theirs = browser_of(reviewer)
    theirs.goto(f"/runs/{reviewed_run.pk}/")
    expect(theirs.locator("html[data-stream=open]")).to_be_attached()
    with theirs.expect_request("**/live/"):  # a member is told of what happens
        events.record("run.resume", reviewed_run)
    beside = theirs.context.new_page()
    open_sample(beside, reviewed_run, "sample-3")

    page = browser_of(owner)
    page.goto(f"/t/{team.slug}/")
    with theirs.expect_event("requestfinished", lambda request: "/stream/" in request.url):
        page.get_by_role("button", name="Remove reviewer").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
        expect(page.get_by_text("reviewer is no member of Tools any more.")).to_be_visible()
    assert not Membership.objects.filter(user=reviewer).exists()

    asked: list[str] = []
    theirs.on("request", lambda request: asked.append(request.url))
    expect(theirs.locator("html[data-stream=open]")).to_be_attached()  # it connects anew, and hears nothing of the team
    events.record("run.pause", reviewed_run)
    theirs.wait_for_timeout(1500)
    assert [url for url in asked if "/stream/" not in url] == []
    beside.keyboard.press("d")
    expect(beside.locator(".toast.error")).to_contain_text("404")
    assert standing() == {}
    for path in (f"/runs/{reviewed_run.pk}/", f"/runs/{reviewed_run.pk}/iterations/1/pool/", f"/t/{team.slug}/"):
        response = theirs.goto(path)
        assert response is not None
        assert response.status == 404
