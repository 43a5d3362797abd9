"""Invitations: who makes them, what they open, how often and how long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from django.utils import timezone

from curation.models import Event, Invitation, Membership, Role, Team, User
from curation.stages import invitations, people
from curation.stages.errors import InputError, NotPermitted, WrongState

pytestmark = [pytest.mark.db, pytest.mark.django_db]
PASSWORD = "correct horse battery"


def test_invitation_lets_one_person_in_with_its_role(team: Team, owner: User, outsider: User) -> None:
    invitation, token = invitations.invite(team, Role.REVIEWER, owner, " Ada ")
    assert invitation.note == "Ada"
    assert invitation.expires_at - timezone.now() == pytest.approx(timedelta(days=7), abs=timedelta(minutes=1))
    assert invitations.find(token) == invitation
    assert invitations.accept(token, outsider).role == Role.REVIEWER
    assert invitations.find(token) is None
    with pytest.raises(WrongState, match="ask for a new one"):
        invitations.accept(token, people.create_user("late@example.org"))
    events = Event.objects.filter(subject_kind="invitation", team=team).values_list("verb", "actor")
    assert list(events) == [("invitation.create", owner.pk), ("invitation.accept", outsider.pk)]


def test_invitation_is_kept_as_a_hash_only(team: Team, owner: User) -> None:
    token = invitations.invite(team, Role.VIEWER, owner).token
    assert token not in str(list(Invitation.objects.values())) + str(list(Event.objects.values()))


def test_only_owners_invite_and_revoke(team: Team, owner: User, engineer: User, outsider: User) -> None:
    for by in (engineer, outsider):
        with pytest.raises(NotPermitted):
            invitations.invite(team, Role.VIEWER, by)
    invitation, token = invitations.invite(team, Role.VIEWER, owner)
    with pytest.raises(NotPermitted):
        invitations.revoke(invitation, engineer)
    invitations.revoke(invitation, owner)
    assert invitations.find(token) is None
    with pytest.raises(WrongState, match="already"):
        invitations.revoke(invitation, owner)


def test_member_does_not_use_an_invitation_up(team: Team, owner: User, viewer: User, outsider: User) -> None:
    token = invitations.invite(team, Role.ENGINEER, owner).token
    with pytest.raises(InputError, match="member of Tools already"):
        invitations.accept(token, viewer)
    assert Membership.objects.get(user=viewer).role == Role.VIEWER
    assert invitations.accept(token, outsider).role == Role.ENGINEER


def test_old_and_made_up_links_let_nobody_in(team: Team, owner: User, outsider: User) -> None:
    token = invitations.invite(team, Role.VIEWER, owner).token
    Invitation.objects.update(expires_at=timezone.now())
    for guess in (token, "guess", "", "\ud800"):
        with pytest.raises(WrongState):
            invitations.accept(guess, outsider)


@pytest.mark.parametrize("end", ["demoted", "removed", "inactive"])
def test_invitation_ends_with_its_makers_right(team: Team, owner: User, engineer: User, end: str) -> None:
    membership = Membership.objects.get(user=engineer)
    people.change_role(membership, Role.OWNER, owner)
    token = invitations.invite(team, Role.OWNER, engineer).token
    assert invitations.find(token) is not None
    if end == "demoted":
        people.change_role(membership, Role.ENGINEER, owner)
    elif end == "removed":
        people.remove_member(membership, owner)
    else:
        User.objects.filter(pk=engineer.pk).update(is_active=False)
    assert invitations.find(token) is None


def test_stranger_makes_an_account_by_a_link(team: Team, owner: User) -> None:
    token = invitations.invite(team, Role.VIEWER, owner).token
    user = invitations.register(token, " new@example.org ", "New", PASSWORD)
    assert (user.email, user.name, user.check_password(PASSWORD)) == ("new@example.org", "New", True)
    assert Membership.objects.get(user=user).role == Role.VIEWER


@pytest.mark.parametrize(
    ("email", "name", "password"),
    [
        ("new@example.org", "New", "12345"),
        ("newcomer@example.org", "New", "newcomer@example.org"),
        ("owner@EXAMPLE.org", "New", PASSWORD),
        ("nobody", "New", PASSWORD),
        ("new@example.org", "N" * 121, PASSWORD),
    ],
)
def test_account_that_cannot_be_uses_nothing_up(team: Team, owner: User, email: str, name: str, password: str) -> None:
    token = invitations.invite(team, Role.VIEWER, owner).token
    with pytest.raises(InputError):
        invitations.register(token, email, name, password)
    assert not User.objects.filter(email=email).exists()
    assert invitations.find(token) is not None


def test_nothing_is_said_or_made_without_a_good_link(owner: User) -> None:
    for email in ("new@example.org", owner.email):
        with pytest.raises(WrongState, match="ask for a new one"):
            invitations.register("guess", email, "New", PASSWORD)
    assert list(User.objects.all()) == [owner]


def test_token_joins_no_team(team: Team, owner: User, outsider: User) -> None:
    token = invitations.invite(team, Role.VIEWER, owner).token
    outsider.most = Role.OWNER
    with pytest.raises(NotPermitted, match="signed in"):
        invitations.accept(token, outsider)


@pytest.mark.parametrize(("role", "note"), [("king", ""), ("viewer", "x" * 121), ("viewer", "a\0b")])
def test_invitation_that_cannot_be_is_refused(team: Team, owner: User, role: str, note: str) -> None:
    with pytest.raises(InputError):
        invitations.invite(team, role, owner, note)
    assert not Invitation.objects.exists()


def test_open_invitations_of_a_team_are_bounded(team: Team, owner: User) -> None:
    for _ in range(invitations.MOST_OPEN):
        last = invitations.invite(team, Role.VIEWER, owner).invitation
    with pytest.raises(InputError, match="revoke those"):
        invitations.invite(team, Role.VIEWER, owner)
    invitations.revoke(last, owner)
    invitations.invite(team, Role.VIEWER, owner)
