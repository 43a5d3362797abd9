"""Teams, their members, and invitations into them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Query, Router, Schema, Status
from pydantic import Field

from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse

from curation.access import team_of
from curation.api.account import RoleName
from curation.api.paging import Page, Slice, newest_first, page_by
from curation.api.persons import Person
from curation.api.reading import Given
from curation.api.signing import SessionOnly, me
from curation.models import Invitation, Membership, Role, Team
from curation.stages import invitations, people

router = Router()


class TeamOut(Schema):
    slug: str
    name: str
    created_at: datetime


class TeamName(Given):
    name: str


class MemberOut(Schema):
    user: int
    name: str
    email: str
    role: RoleName
    created_at: datetime

    @staticmethod
    def resolve_user(membership: Membership) -> int:
        return int(membership.user_id)

    @staticmethod
    def resolve_name(membership: Membership) -> str:
        return str(membership.user.name)

    @staticmethod
    def resolve_email(membership: Membership) -> str:
        return str(membership.user.email)


class NewRole(Given):
    role: RoleName


class InvitationOut(Schema):
    id: int
    role: RoleName
    note: str
    created_by: Person | None
    created_at: datetime
    expires_at: datetime


class MadeInvitation(InvitationOut):
    link: str = Field(description="shown this once; it lets in whoever opens it first")


class NewInvitation(Given):
    role: RoleName
    note: str = Field("", description="for whom")


class Acceptance(Given):
    token: str = Field(max_length=200, description="the last part of the link")


@router.get("/teams", response=Page[TeamOut])
def list_teams(request: HttpRequest, by: Query[Slice]) -> Any:
    """One's teams, the newest first."""
    return newest_first(Team.objects.filter(memberships__user=me(request)), by)


@router.post("/teams", response={201: TeamOut})
def create_team(request: HttpRequest, given: TeamName) -> Any:
    """A team whose owner one is. Who may: staff, and with OPEN_TEAMS everybody."""
    return Status(201, people.create_team(given.name, me(request)))


@router.get("/teams/{slug:team}", response=TeamOut)
def read_team(request: HttpRequest, team: str) -> Any:
    """One of the teams that one is a member of."""
    return team_of(me(request), team)


@router.patch("/teams/{slug:team}", response=TeamOut)
def rename_team(request: HttpRequest, team: str, given: TeamName) -> Any:
    """Owners rename teams; the address stays."""
    found = team_of(me(request), team)
    people.rename_team(found, given.name, me(request))
    return found


@router.get("/teams/{slug:team}/members", response=Page[MemberOut])
def list_members(request: HttpRequest, team: str, by: Query[Slice]) -> Any:
    """In the order of their ids."""
    members = Membership.objects.filter(team=team_of(me(request), team)).select_related("user")
    return page_by(members, "user_id", by.after, by.limit)


@router.patch("/teams/{slug:team}/members/{int:user}", response=MemberOut)
def change_role(request: HttpRequest, team: str, user: int, given: NewRole) -> Any:
    """Owners change roles."""
    membership = _membership(request, team, user)
    people.change_role(membership, given.role, me(request))
    return membership


@router.delete("/teams/{slug:team}/members/{int:user}", response={204: None})
def remove_member(request: HttpRequest, team: str, user: int) -> Any:
    """Owners remove members; by session, anybody may leave."""
    people.remove_member(_membership(request, team, user), me(request))
    return Status(204, None)


@router.get("/teams/{slug:team}/invitations", response=Page[InvitationOut])
def list_invitations(request: HttpRequest, team: str, by: Query[Slice]) -> Any:
    """Owners see the invitations that are still open, the newest first."""
    found = team_of(me(request), team)
    people.require(me(request), found, Role.OWNER)
    return newest_first(invitations.standing().filter(team=found), by)


@router.post("/teams/{slug:team}/invitations", response={201: MadeInvitation})
def create_invitation(request: HttpRequest, team: str, given: NewInvitation) -> Any:
    """Owners invite."""
    made = invitations.invite(team_of(me(request), team), given.role, me(request), given.note)
    shown = {name: getattr(made.invitation, name) for name in InvitationOut.model_fields}
    link = settings.SITE_URL.rstrip("/") + reverse("join", args=[made.token])
    return Status(201, {**shown, "link": link})


@router.delete("/teams/{slug:team}/invitations/{int:invitation}", response={204: None})
def revoke_invitation(request: HttpRequest, team: str, invitation: int) -> Any:
    """Owners revoke invitations that nobody has used."""
    found = Invitation.objects.filter(team=team_of(me(request), team), pk=invitation).select_related("team").first()
    if found is None:
        raise Http404("the team has no such invitation")
    invitations.revoke(found, me(request))
    return Status(204, None)


@router.post("/invitations/accept", response=MemberOut, auth=[SessionOnly()])
def accept_invitation(request: HttpRequest, given: Acceptance) -> Any:
    """Join the team that a link lets into."""
    return invitations.accept(given.token, me(request))


def _membership(request: HttpRequest, team: str, user: int) -> Membership:
    members = Membership.objects.filter(team=team_of(me(request), team), user=user)
    found: Membership | None = members.select_related("user", "team").first()
    if found is None:
        raise Http404("the team has no such member")
    return found
