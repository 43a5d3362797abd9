"""Who may do what, and signing in by a link."""

from __future__ import annotations

from datetime import timedelta

import pytest

from curation.models import Event, Membership, Project, Role, SignInLink, Team, User
from curation.stages import people, projects
from curation.stages.errors import InputError, NotPermitted

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


def test_founder_of_a_team_owns_it(outsider: User) -> None:
    team = people.create_team("Their Team", outsider)
    assert team.slug == "their-team"
    assert Membership.objects.get(team=team).role == Role.OWNER


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
