"""The page that an invitation's link leads to."""

from __future__ import annotations

from dataclasses import dataclass

from curation.models import Invitation, Membership, Role, User
from curation.pages.roles import MAY
from curation.stages import invitations


@dataclass(frozen=True, slots=True)
class JoinPage:
    token: str
    invitation: Invitation
    may: str  # what the role may do
    is_member: bool


def join_page(token: str, user: User) -> JoinPage | None:
    """None when the link lets nobody in."""
    invitation = invitations.find(token)
    if invitation is None:
        return None
    member = user.is_authenticated and Membership.objects.filter(team=invitation.team_id, user=user).exists()
    return JoinPage(token, invitation, MAY[Role(invitation.role)], member)
