"""Teams, invitations and the account as a browser shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from curation.models import ApiToken, Membership, Project, Role, Team, User
from curation.stages import invitations, people, tokens

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"


@pytest.fixture
def enter(live_server: Any, page: Page) -> Callable[[User], Page]:
    """`enter(owner)`: the browser, signed in by a link."""

    def enter(user: User) -> Page:
        page.goto(f"{live_server.url}/enter/{people.sign_in_link(user)}/")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("link", name=str(user), exact=True)).to_be_visible()
        return page

    return enter


def test_owner_invites_and_a_stranger_joins(
    live_server: Any, enter: Callable[[User], Page], chromium: Browser, team: Team, owner: User, complaints: list[str]
) -> None:
    page = enter(owner)
    page.goto(f"{live_server.url}/t/{team.slug}/")
    page.get_by_label("For whom").fill("Ada <b>of</b> data")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The invitation's link").input_value()
    expect(page.get_by_role("cell", name="Ada <b>of</b> data", exact=True)).to_be_visible()

    stranger = chromium.new_context().new_page()
    stranger.goto(link)
    expect(stranger.get_by_text("owner invites you into the team Tools as reviewer")).to_be_visible()
    stranger.get_by_label("E-mail").fill("ada@example.org")
    stranger.get_by_label("Name").fill("Ada")
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Make the account and join").click()
    expect(stranger.get_by_role("heading", name="Tools")).to_be_visible()
    assert Membership.objects.get(user__email="ada@example.org").role == Role.REVIEWER
    stranger.context.close()
    assert complaints == []


def test_owner_changes_a_role_and_removes_after_a_question(
    live_server: Any, enter: Callable[[User], Page], team: Team, owner: User, viewer: User
) -> None:
    page = enter(owner)
    page.goto(f"{live_server.url}/t/{team.slug}/")
    change = page.get_by_role("button", name="Change")
    expect(change).not_to_be_visible()  # until there is something to change
    page.get_by_label("Role of viewer").select_option("engineer")
    change.click()
    expect(page.get_by_text("viewer is engineer now.")).to_be_visible()

    page.get_by_role("button", name="Remove viewer").click()
    question = page.get_by_role("dialog", name="Remove this member?")
    question.get_by_role("button", name="Cancel").click()
    expect(question).not_to_be_visible()
    assert Membership.objects.filter(user=viewer).exists()
    page.get_by_role("button", name="Remove viewer").click()
    question.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("viewer is no member of Tools any more.")).to_be_visible()
    assert not Membership.objects.filter(user=viewer).exists()


def test_token_is_made_copied_and_revoked(
    live_server: Any, enter: Callable[[User], Page], owner: User, complaints: list[str]
) -> None:
    page = enter(owner)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{live_server.url}/account/")
    page.get_by_role("textbox", name="Name").fill("nightly")
    page.get_by_label("Scope").select_option("run")
    page.get_by_role("button", name="New token").click()
    secret = page.get_by_label("The new token").input_value()
    assert tokens.authenticate(secret) == owner
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.reload()
    assert secret not in page.content()

    page.get_by_role("button", name="Revoke nightly").click()
    page.get_by_role("dialog", name="Revoke this token?").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The token nightly is revoked.")).to_be_visible()
    assert ApiToken.objects.get().revoked_at is not None
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_of_people_fit_and_are_accessible(
    live_server: Any,
    enter: Callable[[User], Page],
    team: Team,
    owner: User,
    viewer: User,
    project: Project,
    width: int,
    scheme: Any,
) -> None:
    page = enter(owner)
    tokens.create(owner, "nightly export of the training sets", "read")
    token = invitations.invite(team, Role.REVIEWER, owner, "Ada").token
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    for path in (f"/t/{team.slug}/", "/account/", f"/join/{token}/"):
        page.goto(f"{live_server.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    page.get_by_role("button", name="Sign out").click()
    for path in ("/sign-in/", f"/join/{token}/", "/join/gone/"):
        page.goto(f"{live_server.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert [one["id"] for one in Axe().run(page).response["violations"]] == []
