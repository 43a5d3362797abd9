"""The pages of a team, its members and its invitations."""

from __future__ import annotations

import re
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Invitation, Membership, Project, Role, Run, Team, User
from curation.stages import invitations, people, tokens

pytestmark = [pytest.mark.db, pytest.mark.django_db]
PASSWORD = "correct horse battery"


def page_of(client: Client, user: User, team: Team) -> str:
    client.force_login(user)
    answer = client.get(reverse("team", args=[team.slug]))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_team_page_shows_members_and_projects_to_members_only(
    client: Client, team: Team, owner: User, viewer: User, outsider: User, project: Project
) -> None:
    page = page_of(client, viewer, team)
    assert owner.email in page and reverse("project", args=[team.slug, project.slug]) in page
    assert "Invitations" not in page and "Change</button>" not in page
    assert reverse("member_remove", args=[team.slug, owner.pk]) not in page
    assert reverse("member_remove", args=[team.slug, viewer.pk]) in page  # to leave
    client.force_login(outsider)
    assert client.get(reverse("team", args=[team.slug])).status_code == 404


def test_owner_is_offered_all_but_the_end_of_the_last_owner(client: Client, team: Team, owner: User, viewer: User) -> None:
    page = page_of(client, owner, team)
    assert reverse("member_change", args=[team.slug, viewer.pk]) in page
    assert reverse("member_change", args=[team.slug, owner.pk]) not in page
    assert "the only owner stays" in page
    people.add_member(team, people.create_user("second@example.org"), Role.OWNER, None)
    assert reverse("member_change", args=[team.slug, owner.pk]) in page_of(client, owner, team)


def test_number_of_queries_does_not_grow_with_the_members(
    client: Client, team: Team, owner: User, project: Project, django_assert_num_queries: Any
) -> None:
    client.force_login(owner)
    address = reverse("team", args=[team.slug])
    with django_assert_num_queries(7):  # session, user, team, role, projects, members, invitations
        client.get(address)
    for number in range(12):
        people.add_member(team, people.create_user(f"more-{number}@example.org"), Role.VIEWER, None)
        invitations.invite(team, Role.VIEWER, owner)
    with django_assert_num_queries(7):
        client.get(address)


def test_roles_are_changed_and_members_removed_by_owners_only(
    client: Client, team: Team, owner: User, engineer: User, viewer: User
) -> None:
    change = reverse("member_change", args=[team.slug, viewer.pk])
    remove = reverse("member_remove", args=[team.slug, viewer.pk])
    client.force_login(engineer)
    assert client.post(change, {"role": "owner"}).status_code == 403
    assert client.post(remove).status_code == 403
    client.force_login(owner)
    assert client.post(change, {"role": "king"}).status_code == 422
    answer = client.post(change, {"role": "reviewer"}, follow=True)
    assert "viewer is reviewer now." in answer.content.decode()
    assert Membership.objects.get(user=viewer).role == Role.REVIEWER
    assert client.get(remove).status_code == 405
    assert client.post(remove).status_code == 302
    assert not Membership.objects.filter(user=viewer).exists()
    assert client.post(remove).status_code == 404


def test_last_owner_does_not_leave(client: Client, team: Team, owner: User) -> None:
    client.force_login(owner)
    answer = client.post(reverse("member_remove", args=[team.slug, owner.pk]))
    assert answer.status_code == 409 and "last owner" in answer.content.decode()
    assert Membership.objects.filter(user=owner).exists()


def test_removal_takes_effect_at_once_on_an_open_session_and_a_token(
    client: Client, team: Team, owner: User, engineer: User, make_run: Any
) -> None:
    run: Run = make_run()
    secret = tokens.create(engineer, "laptop", "run").secret
    address, read = reverse("run", args=[run.pk]), f"/api/v1/runs/{run.pk}"
    bearer = {"Authorization": f"Bearer {secret}"}
    client.force_login(engineer)
    assert client.get(address).status_code == 200
    assert Client(headers=bearer).get(read).status_code == 200
    people.remove_member(Membership.objects.get(user=engineer), owner)
    assert client.get(address).status_code == 404
    assert Client(headers=bearer).get(read).status_code == 404


def test_leaving_a_team_ends_at_the_projects(client: Client, team: Team, viewer: User) -> None:
    client.force_login(viewer)
    answer = client.post(reverse("member_remove", args=[team.slug, viewer.pk]), follow=True)
    assert answer.redirect_chain[-1][0] == reverse("home")
    assert "You have left Tools." in answer.content.decode()


def test_team_gets_another_name_by_its_owner(client: Client, team: Team, owner: User, engineer: User) -> None:
    address = reverse("team_name", args=[team.slug])
    client.force_login(engineer)
    assert client.post(address, {"name": "Mine"}).status_code == 403
    client.force_login(owner)
    assert client.post(address, {"name": "Ours"}).status_code == 302
    assert client.post(address, {"name": "  "}).status_code == 422
    assert Team.objects.get(pk=team.pk).name == "Ours"


def test_only_those_who_may_make_a_team(client: Client, outsider: User, settings: Any) -> None:
    client.force_login(outsider)
    assert client.get(reverse("team_new")).status_code == 403
    assert client.post(reverse("team_new"), {"name": "New"}).status_code == 403
    settings.OPEN_TEAMS = True
    assert client.get(reverse("team_new")).status_code == 200
    refused = client.post(reverse("team_new"), {"name": "!!"})
    assert refused.status_code == 422 and 'value="!!"' in refused.content.decode()
    assert client.post(reverse("team_new"), {"name": "New"})["Location"] == reverse("team", args=["new"])
    assert Membership.objects.get(user=outsider).role == Role.OWNER


def made_link(client: Client, team: Team, role: str = "reviewer", **headers: str) -> str:
    answer = client.post(reverse("invitation_new", args=[team.slug]), {"role": role, "note": "Ada"}, headers=headers)
    assert answer.status_code == 200
    found = re.search(r'value="http://testserver(/join/[^"]+/)"', answer.content.decode())
    assert found is not None
    return found[1]


def test_link_of_an_invitation_is_shown_once(client: Client, team: Team, owner: User) -> None:
    client.force_login(owner)
    link = made_link(client, team)
    page = page_of(client, owner, team)
    assert "Ada" in page and link not in page
    part = client.post(reverse("invitation_new", args=[team.slug]), {"role": "viewer"}, headers={"HX-Request": "true"})
    assert part.content.decode().startswith("<section") and "no-store" in part["Cache-Control"]


def test_invitation_that_cannot_be_says_why_beside_its_form(client: Client, team: Team, owner: User, engineer: User) -> None:
    address = reverse("invitation_new", args=[team.slug])
    client.force_login(engineer)
    assert client.post(address, {"role": "viewer"}).status_code == 403
    client.force_login(owner)
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.post(address, {"role": "king"}, headers=headers)
        assert answer.status_code == 422 and "choose one of" in answer.content.decode()


def test_somebody_signed_in_joins_by_a_button(client: Client, team: Team, owner: User, outsider: User) -> None:
    client.force_login(owner)
    link = made_link(client, team)
    assert "member of it already" in client.get(link).content.decode()
    guest = Client()
    guest.force_login(outsider)
    page = guest.get(link).content.decode()
    assert "invites you into the team <strong>Tools</strong> as <strong>reviewer</strong>" in page and outsider.email in page
    assert not Membership.objects.filter(user=outsider).exists()  # looking at it is not joining
    assert guest.post(link)["Location"] == reverse("team", args=[team.slug])
    assert Membership.objects.get(user=outsider).role == Role.REVIEWER
    assert Client().get(link).status_code == 410 == guest.post(link).status_code


def test_stranger_makes_an_account_and_is_in(client: Client, team: Team, owner: User) -> None:
    client.force_login(owner)
    link = made_link(client, team, "viewer")
    guest = Client()
    assert f"{reverse('sign_in')}?next={link}" in guest.get(link).content.decode()
    weak = guest.post(link, {"email": "new@example.org", "name": "New", "password": "12345"})
    assert weak.status_code == 422
    assert (
        "too short" in weak.content.decode()
        and "new@example.org" in weak.content.decode()
        and "12345" not in weak.content.decode()
    )
    answer = guest.post(link, {"email": "new@example.org", "name": "New", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [(reverse("team", args=[team.slug]), 302)] and answer.status_code == 200


def test_somebody_with_an_account_signs_in_on_the_way(client: Client, team: Team, owner: User) -> None:
    people.create_user("ada@example.org", "Ada", PASSWORD)
    client.force_login(owner)
    link = made_link(client, team)
    form = {"username": "ada@example.org", "password": PASSWORD, "next": link}
    assert Client().post(reverse("sign_in"), form)["Location"] == link


def test_revoked_invitation_opens_nothing(client: Client, team: Team, owner: User, engineer: User) -> None:
    client.force_login(owner)
    link = made_link(client, team)
    address = reverse("invitation_revoke", args=[team.slug, Invitation.objects.get().pk])
    client.force_login(engineer)
    assert client.post(address).status_code == 403
    client.force_login(owner)
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 409
    assert client.get(link).status_code == 410


def test_invitation_of_another_team_is_not_found(client: Client, team: Team, owner: User) -> None:
    other = people.create_team("Others", None)
    people.add_member(other, owner, Role.OWNER, None)
    invitation = invitations.invite(other, Role.VIEWER, owner).invitation
    client.force_login(owner)
    assert client.post(reverse("invitation_revoke", args=[team.slug, invitation.pk])).status_code == 404
    assert client.post(reverse("invitation_revoke", args=[other.slug, invitation.pk])).status_code == 302
