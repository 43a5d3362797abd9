"""Who may do what, and signing in by a link."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from curation.models import Event, Membership, Project, Role, SignInLink, Team, User
from curation.stages import people, projects
from curation.stages.errors import InputError, NotPermitted, WrongState

pytestmark = [pytest.mark.db, pytest.mark.django_db]
ALLOWED = {
    Role.VIEWER: {"owner", "engineer", "reviewer", "viewer"},
    Role.REVIEWER: {"owner", "engineer", "reviewer"},
    Role.ENGINEER: {"owner", "engineer"},
    Role.OWNER: {"owner"},
}


@pytest.mark.parametrize("role", list(Role))
def test_role_covers_those_below_it(
    team: Team, owner: User, engineer: User, reviewer: User, viewer: User, outsider: User, role: Role
) -> None:
    for user in (owner, engineer, reviewer, viewer, outsider):
        if user.name in ALLOWED[role]:
            people.require(user, team, role)
        else:
            with pytest.raises(NotPermitted):
                people.require(user, team, role)


def test_inactive_member_may_nothing(team: Team, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    with pytest.raises(NotPermitted):
        people.require(owner, team, Role.VIEWER)


def test_operator_may_everything(team: Team) -> None:
    people.require(None, team, Role.OWNER)


def test_founder_of_a_team_owns_it(outsider: User, settings: Any) -> None:
    with pytest.raises(NotPermitted, match="ask the operator"):
        people.create_team("Their Team", outsider)
    settings.OPEN_TEAMS = True
    team = people.create_team("Their Team", outsider)
    assert team.slug == "their-team"
    assert Membership.objects.get(team=team).role == Role.OWNER


def test_staff_may_make_teams_but_not_by_a_narrow_token(outsider: User) -> None:
    outsider.is_staff = True
    assert people.may_create_team(outsider)
    outsider.most = Role.ENGINEER
    assert not people.may_create_team(outsider)
    outsider.most = Role.OWNER
    assert people.may_create_team(outsider)


@pytest.mark.parametrize("name", ["", " ", "!!", "x" * 121, "a\0b", "\ud800a"])
def test_team_name_that_cannot_be_is_refused(db: None, name: str) -> None:
    with pytest.raises(InputError):
        people.create_team(name, None)


def test_team_name_is_taken_once(team: Team) -> None:
    with pytest.raises(InputError, match="choose another name"):
        people.create_team("tools", None)


def test_only_owners_add_members(team: Team, owner: User, engineer: User, outsider: User) -> None:
    with pytest.raises(NotPermitted):
        people.add_member(team, outsider, Role.VIEWER, engineer)
    people.add_member(team, outsider, Role.VIEWER, owner)
    with pytest.raises(InputError, match="member of Tools already"):
        people.add_member(team, outsider, Role.OWNER, owner)
    assert Event.objects.filter(verb="team.add_member", actor=owner).count() == 1


def test_owners_change_roles_and_names(team: Team, owner: User, engineer: User) -> None:
    membership = Membership.objects.get(user=engineer)
    with pytest.raises(NotPermitted):
        people.change_role(membership, Role.OWNER, engineer)
    with pytest.raises(InputError, match="choose one of"):
        people.change_role(membership, "king", owner)
    people.change_role(membership, Role.REVIEWER, owner)
    event = Event.objects.get(verb="team.change_role")
    assert (event.before, event.after) == ({"role": "engineer"}, {"user": engineer.pk, "role": "reviewer"})
    with pytest.raises(NotPermitted):
        people.rename_team(team, "Mine", engineer)
    people.rename_team(team, "Tool calls", owner)
    assert Team.objects.get(pk=team.pk).slug == "tools"


def test_last_owner_stays(team: Team, owner: User, engineer: User) -> None:
    membership = Membership.objects.get(user=owner)
    for leave in (lambda: people.change_role(membership, Role.VIEWER, owner), lambda: people.remove_member(membership, owner)):
        with pytest.raises(WrongState, match="last owner"):
            leave()
    other = Membership.objects.get(user=engineer)
    people.change_role(other, Role.OWNER, owner)
    User.objects.filter(pk=engineer.pk).update(is_active=False)
    with pytest.raises(WrongState, match="last owner"):
        people.remove_member(membership, owner)  # the other owner could not act
    people.remove_member(other, owner)
    assert list(team.memberships.values_list("user", flat=True)) == [owner.pk]


def test_members_leave_by_themselves_and_owners_remove(team: Team, owner: User, viewer: User, reviewer: User) -> None:
    with pytest.raises(NotPermitted):
        people.remove_member(Membership.objects.get(user=viewer), reviewer)
    people.remove_member(Membership.objects.get(user=viewer), viewer)
    gone = Membership.objects.get(user=reviewer)
    people.remove_member(gone, owner)
    with pytest.raises(NotPermitted, match="no member"):
        people.require(reviewer, team, Role.VIEWER)
    with pytest.raises(WrongState, match="any more"):
        people.remove_member(gone, owner)


def test_token_takes_nobody_out_of_a_team_unless_of_scope_admin(viewer: User, owner: User) -> None:
    viewer.most, owner.most = Role.VIEWER, Role.ENGINEER
    for by in (viewer, owner):
        with pytest.raises(NotPermitted):
            people.remove_member(Membership.objects.get(user=viewer), by)
    owner.most = Role.OWNER
    people.remove_member(Membership.objects.get(user=viewer), owner)


def test_superuser_may_everything_but_not_by_a_narrow_token(team: Team) -> None:
    operator = User.objects.create_superuser("root@example.org")
    people.require(operator, team, Role.OWNER)
    operator.most = Role.OWNER
    with pytest.raises(NotPermitted):
        people.require(operator, team, Role.VIEWER)


def test_password_is_checked_and_kept_as_a_hash(owner: User) -> None:
    with pytest.raises(InputError, match="too short"):
        people.set_password(owner, "short", owner)
    people.set_password(owner, "correct horse battery", owner)
    kept = User.objects.get(pk=owner.pk)
    assert kept.check_password("correct horse battery")
    assert "horse" not in kept.password + str(list(Event.objects.values()))


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.org", "a\0@example.org", "x" * 250 + "@example.org"])
def test_address_that_is_none_is_refused(db: None, email: str) -> None:
    with pytest.raises(InputError, match="address"):
        people.create_user(email)


def test_account_is_one_whatever_the_case_of_its_address(outsider: User) -> None:
    with pytest.raises(InputError, match="has an account already"):
        people.create_user("Outsider@Example.org")


def test_link_signs_in_once(owner: User) -> None:
    token = people.sign_in_link(owner)
    assert people.redeem(token) == owner
    assert people.redeem(token) is None


def test_link_is_kept_as_a_hash_only(owner: User) -> None:
    token = people.sign_in_link(owner)
    assert token not in str(list(SignInLink.objects.values())) + str(list(Event.objects.values()))


def test_old_unknown_and_inactive_links_sign_nobody_in(owner: User) -> None:
    assert people.redeem(people.sign_in_link(owner, timedelta(seconds=-1))) is None
    assert people.redeem("unknown") is None
    token = people.sign_in_link(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert people.redeem(token) is None


def test_project_is_found_by_its_address(project: Project, viewer: User, outsider: User) -> None:
    assert projects.find_project("tools/weather") == project
    assert projects.find_project("Tools/Weather", by=viewer) == project
    with pytest.raises(InputError, match="no project"):
        projects.find_project("tools/weather", by=outsider)
    with pytest.raises(InputError, match="there are: tools/weather"):
        projects.find_project("tools/other")
    with pytest.raises(InputError, match="write it as team/project"):
        projects.find_project("weather")


def test_project_and_team_are_made_when_asked_for(project: Project) -> None:
    assert projects.find_or_create_project("tools/weather") == project
    assert projects.find_or_create_project("tools/new").team == project.team
    assert projects.find_or_create_project("others/new").team.slug == "others"
