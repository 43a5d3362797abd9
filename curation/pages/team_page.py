"""The page of a team: its members, projects and open invitations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curation.access import role_in
from curation.models import Invitation, Membership, Project, Role, Team, User
from curation.pages.roles import ROLES, Choice
from curation.stages import invitations


@dataclass(frozen=True, slots=True)
class MemberRow:
    membership: Membership
    is_self: bool
    last_owner: bool  # who can neither leave nor get another role

    @property
    def user(self) -> User:
        return self.membership.user


@dataclass(frozen=True, slots=True)
class InvitationsPart:
    """What templates/curation/teams/_invitations.html needs; `link` only right after one was made."""

    team: Team
    open: Sequence[Invitation]
    roles: tuple[Choice, ...] = ROLES
    link: str = ""
    made: Invitation | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TeamPage:
    team: Team
    may_manage: bool
    may_create: bool  # projects
    members: tuple[MemberRow, ...]
    projects: Sequence[Project]
    invitations: InvitationsPart | None  # for owners
    roles: tuple[Choice, ...] = ROLES


def team_page(team: Team, user: User, part: InvitationsPart | None = None) -> TeamPage:
    """Four queries, and one more for an owner, whatever the number of members. `part` is what has been asked for already."""
    role = role_in(user, team)
    manages = role == Role.OWNER
    return TeamPage(
        team=team,
        may_manage=manages,
        may_create=role is not None and role.covers(Role.ENGINEER),
        members=_members(team, user),
        projects=list(Project.objects.filter(team=team).select_related("team").order_by("name", "pk")),
        invitations=(part or invitations_part(team)) if manages else None,
    )


def invitations_part(team: Team) -> InvitationsPart:
    return InvitationsPart(team, list(invitations.standing().filter(team=team)))


def _members(team: Team, user: User) -> tuple[MemberRow, ...]:
    found = Membership.objects.filter(team=team).select_related("user", "team").order_by("user__name", "user__email")
    ordered = sorted(found, key=lambda one: list(Role).index(Role(one.role)))
    owners = [one.pk for one in ordered if one.role == Role.OWNER and one.user.is_active]
    return tuple(MemberRow(one, one.user_id == user.pk, owners == [one.pk]) for one in ordered)
