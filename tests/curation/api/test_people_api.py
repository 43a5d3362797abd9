"""Teams, members, invitations and tokens by REST; and what no token may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from curation.models import ApiToken, Membership, User

pytestmark = pytest.mark.django_db

CSRF = {"X-CSRFToken": "a" * 32}


@pytest.fixture
def signed_in(by_session: Callable[..., Any]) -> Callable[..., Any]:
    """`signed_in(owner)`: a session whose writes carry the CSRF token."""

    def make(user: User) -> Any:
        api = by_session(user)
        api.client.cookies["csrftoken"] = CSRF["X-CSRFToken"]
        api.headers |= CSRF
        return api

    return make


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("get", "/me/tokens", None),
        ("post", "/me/tokens", {"name": "another", "scope": "admin"}),
        ("delete", "/me/tokens/1", None),
        ("patch", "/me", {"name": "x"}),
        ("post", "/invitations/accept", {"token": "x"}),
    ],
)
def test_token_may_not(by_token: Callable[..., Any], owner: User, method: str, address: str, body: Any) -> None:
    api = by_token(owner, "admin")
    refused = getattr(api, method)(address, body) if method != "get" else api.get(address)
    assert (refused.status_code, ApiToken.objects.count()) == (403, 1)
    assert "sign in" in refused.json()["detail"]


def test_token_is_made_shown_once_and_revoked_by_session(
    signed_in: Callable[..., Any], by_token: Callable[..., Any], viewer: User
) -> None:
    api = signed_in(viewer)
    made = api.post("/me/tokens", {"name": "nightly", "scope": "read", "days": 7}).json()
    by_it = by_token(viewer)
    by_it.headers["Authorization"] = f"Bearer {made['token']}"
    assert by_it.get("/me").json()["most"] == "viewer"
    listed = api.get("/me/tokens").json()["items"]
    assert made["id"] in [one["id"] for one in listed] and "token" not in listed[0]
    assert api.delete(f"/me/tokens/{made['id']}").status_code == 204
    assert by_it.get("/me").status_code == 401


def test_token_of_another_cannot_be_revoked(
    signed_in: Callable[..., Any], by_token: Callable[..., Any], owner: User, viewer: User
) -> None:
    by_token(viewer)
    token = ApiToken.objects.get()
    assert signed_in(owner).delete(f"/me/tokens/{token.pk}").status_code == 404


def test_invitation_brings_a_member_in_whose_role_then_changes(
    signed_in: Callable[..., Any], by_token: Callable[..., Any], owner: User, outsider: User
) -> None:
    api = by_token(owner)
    made = api.post("/teams/tools/invitations", {"role": "viewer", "note": "for the script"}).json()
    token = made["link"].rstrip("/").rpartition("/")[2]
    joined = signed_in(outsider).post("/invitations/accept", {"token": token}).json()
    assert (joined["user"], joined["role"]) == (outsider.pk, "viewer")
    changed = api.patch(f"/teams/tools/members/{outsider.pk}", {"role": "reviewer"}).json()
    listed = {one["user"]: one["role"] for one in api.get("/teams/tools/members").json()["items"]}
    assert changed["role"] == listed[outsider.pk] == "reviewer"
    assert api.get("/teams/tools/invitations").json()["items"] == []
    assert api.delete(f"/teams/tools/members/{outsider.pk}").status_code == 204
    assert not Membership.objects.filter(user=outsider).exists()


def test_invitations_are_the_owners_alone(by_token: Callable[..., Any], engineer: User, owner: User) -> None:
    assert by_token(owner).post("/teams/tools/invitations", {"role": "viewer"}).status_code == 201
    api = by_token(engineer)
    assert api.get("/teams/tools/invitations").status_code == 403
    assert api.post("/teams/tools/invitations", {"role": "owner"}).status_code == 403


def test_last_owner_stays(by_token: Callable[..., Any], owner: User) -> None:
    assert by_token(owner).delete(f"/teams/tools/members/{owner.pk}").status_code == 409


def test_team_is_renamed_by_its_owner(by_token: Callable[..., Any], owner: User, viewer: User) -> None:
    assert by_token(viewer).patch("/teams/tools", {"name": "Mine"}).status_code == 403
    assert by_token(owner).patch("/teams/tools", {"name": "Toolmakers"}).json()["name"] == "Toolmakers"


def test_teams_and_projects_of_others_are_not_listed(
    by_token: Callable[..., Any], outsider: User, viewer: User, project: Any
) -> None:
    assert [one["slug"] for one in by_token(viewer).get("/projects").json()["items"]] == ["weather"]
    api = by_token(outsider)
    assert (api.get("/projects").json()["items"], api.get("/teams").json()["items"]) == ([], [])
    assert api.get("/teams/tools/members").status_code == 404
