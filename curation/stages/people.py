"""Teams, their members, and signing in by a link."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from curation.models import Membership, Role, SignInLink, Team, User
from curation.stages import events
from curation.stages.errors import InputError, NotPermitted

LINK_LIFETIME = timedelta(hours=24)


def require(user: User | None, team: Team, role: str) -> None:
    """Raises NotPermitted unless the user's role in the team covers `role`. None is the operator or the loop: always may."""
    if user is None:
        return
    held = Membership.objects.filter(team=team, user=user, user__is_active=True).values_list("role", flat=True).first()
    if held is None:
        raise NotPermitted(f"{user} is no member of {team}; an owner of the team can add you")
    if not Role(held).covers(Role(role)):
        raise NotPermitted(f"{user} is {held} of {team}; this needs the role {role}, which an owner of the team can give")
    if user.most is not None and not Role(user.most).covers(Role(role)):
        raise NotPermitted(
            f"this API token stands for the role {user.most} at most; this needs {role}: make a token of a wider scope"
        )


@transaction.atomic
def create_team(name: str, owner: User | None) -> Team:
    """A team with its first owner; None when the operator makes it for others. Raises InputError when the name is taken."""
    team = Team(name=name.strip(), slug=slug_of(name, "team"))
    if Team.objects.filter(slug=team.slug).exists():
        raise InputError(f"team {team.slug!r} exists; choose another name")
    team.save()
    events.record("team.create", team, team=team, actor=owner, after={"name": team.name})
    if owner is not None:
        Membership.objects.create(team=team, user=owner, role=Role.OWNER)
        events.record("team.add_member", team, team=team, actor=owner, after={"user": owner.pk, "role": Role.OWNER})
    return team


@transaction.atomic
def add_member(team: Team, user: User, role: str, by: User | None) -> Membership:
    """Owners add members. Raises InputError when the user is one already."""
    require(by, team, Role.OWNER)
    try:
        with transaction.atomic():
            membership = Membership.objects.create(team=team, user=user, role=role)
    except IntegrityError as error:
        raise InputError(f"{user} is a member of {team} already") from error
    events.record("team.add_member", team, team=team, actor=by, after={"user": user.pk, "role": role})
    return membership


@transaction.atomic
def create_user(email: str, name: str = "", password: str | None = None) -> User:
    """A person who can sign in; without a password only by a link. Raises InputError when the address is taken."""
    if User.objects.filter(email__iexact=email).exists():
        raise InputError(f"{email} has an account already; choose another address")
    user = User.objects.create_user(email, password, name=name)
    events.record("user.create", user, after={"name": name})
    return user


@transaction.atomic
def sign_in_link(user: User, lifetime: timedelta = LINK_LIFETIME) -> str:
    """The token of a link that signs its user in once. It is shown this once: the database keeps its sha256 only."""
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, token_sha256=_digest(token), expires_at=timezone.now() + lifetime)
    events.record("user.link", user, after={"lifetime_seconds": lifetime.total_seconds()})
    return token


@transaction.atomic
def redeem(token: str) -> User | None:
    """Use a link up and return its user; None when it is unknown, used, over, or its user is not active any more."""
    now = timezone.now()
    links = SignInLink.objects.filter(token_sha256=_digest(token), used_at=None, expires_at__gt=now, user__is_active=True)
    if links.update(used_at=now) != 1:
        return None
    user = User.objects.get(sign_in_links__token_sha256=_digest(token))
    events.record("user.sign_in", user, actor=user)
    return user


def slug_of(name: str, what: str) -> str:
    """The name as it stands in addresses, at most 50 letters. Raises InputError when nothing of it can."""
    slug = slugify(name)[:50].strip("-_")
    if not slug:
        raise InputError(f"{what} name {name!r} has no letter or digit of a–z and 0–9; choose one that has")
    return slug


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
