"""The admin site under the policy that every page has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from curation.models import Membership, Run, Team, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"


def test_operator_works_at_the_admin_site_without_a_word_from_the_policy(
    live_server: Any, page: Page, team: Team, owner: User, make_run: Callable[..., Run], complaints: list[str]
) -> None:
    User.objects.create_superuser("root@example.org", PASSWORD)
    run = make_run()
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("E-mail").fill("root@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()
    for path in ("user/", "user/add/", f"user/{owner.pk}/password/", f"run/{run.pk}/change/", "engine/add/", "event/"):
        page.goto(f"{live_server.url}/admin/curation/{path}")

    page.goto(f"{live_server.url}/admin/curation/team/{team.pk}/change/")
    page.get_by_text("Add another Membership").click()
    page.locator("select[name='memberships-1-user']").select_option(label="root@example.org")
    page.locator("select[name='memberships-1-role']").select_option("viewer")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert Membership.objects.filter(team=team, user__email="root@example.org", role="viewer").exists()

    page.goto(f"{live_server.url}/admin/curation/run/")
    page.locator("input.action-select").check()
    page.get_by_label("Action:").select_option("pause")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text(f"Not done: run {run.pk} is ready")).to_be_visible()
    assert complaints == []
