"""Invitations: a link that lets whoever opens it first into a team, with a role. The database keeps its sha256 only."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import NamedTuple

from django.db import models, transaction
from django.utils import timezone

from curation.models import Invitation, Membership, Role, Team, User
from curation.stages import events, people
from curation.stages.digests import digest
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.naming import plain_name

LIFETIME = timedelta(days=7)
GONE = "this invitation has been used or revoked, or its time is over; ask for a new one"
MOST_OPEN = 200  # of one team at a time


class NewInvitation(NamedTuple):
    invitation: Invitation
    token: str


def standing() -> models.QuerySet[Invitation]:
    """Invitations that still let somebody in. One ends, too, when its maker is no owner of the team any more."""
    maker = Membership.objects.filter(
        team=models.OuterRef("team"), user=models.OuterRef("created_by"), role=Role.OWNER, user__is_active=True
    )
    by_operator = models.Q(created_by=None) | models.Q(created_by__is_superuser=True, created_by__is_active=True)
    unused = Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    return unused.filter(by_operator | models.Exists(maker)).select_related("team", "created_by").order_by("-id")


@transaction.atomic
def invite(team: Team, role: str, by: User | None, note: str = "") -> NewInvitation:
    """A link into the team with `role`; `note` says for whom. Owners invite, so no role is above their own."""
    people.require(by, team, Role.OWNER)
    if role not in Role.values:
        raise InputError(f"role {role!r}: choose one of {', '.join(Role.values)}")
    note = plain_name(note, "the note", 120, least=0)
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)  # two requests at once count one after the other
    if standing().filter(team=team).count() >= MOST_OPEN:
        raise InputError(f"{team} has {MOST_OPEN} open invitations; revoke those that nobody will use")
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        team=team, role=role, note=note, token_sha256=digest(token), created_by=by, expires_at=timezone.now() + LIFETIME
    )
    events.record("invitation.create", invitation, team=team, actor=by, after={"role": role, "note": note})
    return NewInvitation(invitation, token)


def find(token: str) -> Invitation | None:
    """The invitation that the link stands for; None when it is unknown, used, revoked or over."""
    return standing().filter(token_sha256=digest(token)).first()


@transaction.atomic
def accept(token: str, user: User) -> Membership:
    """Join the team: uses the link up. Raises WrongState when it is not good any more, InputError for a member of the team."""
    if user.most is not None:
        raise NotPermitted("an API token joins no team: open the link where you are signed in")
    invitation = find(token)
    used = Invitation.objects.filter(pk=invitation.pk if invitation else None, accepted_at=None, revoked_at=None)
    if invitation is None or used.update(accepted_by=user, accepted_at=timezone.now()) != 1:
        raise WrongState(GONE)
    membership = people.join(invitation.team, user, Role(invitation.role))
    joined = {"user": user.pk, "role": invitation.role}
    events.record("invitation.accept", invitation, team=invitation.team, actor=user, after=joined)
    return membership


@transaction.atomic
def register(token: str, email: str, name: str, password: str) -> User:
    """Make an account for whoever holds the link, and join. Raises InputError, one line per fault; nothing is used up then."""
    if find(token) is None:  # first, so that nobody without a link learns who has an account
        raise WrongState(GONE)
    email = email.strip()
    people.check_password(password, User(email=email, name=name))
    user = people.create_user(email, name, password)
    accept(token, user)
    return user


@transaction.atomic
def revoke(invitation: Invitation, by: User | None) -> None:
    """End a link before anybody used it. Raises WrongState when it has been used or revoked."""
    people.require(by, invitation.team, Role.OWNER)
    open_still = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    if not open_still.update(revoked_at=timezone.now()):
        raise WrongState("this invitation has been used or revoked already")
    before = {"role": invitation.role, "note": invitation.note}
    events.record("invitation.revoke", invitation, team=invitation.team, actor=by, before=before)
