"""Teams, their members, people's accounts, and signing in by a link."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.text import slugify

from curation.announcements import CHANNEL
from curation.models import Membership, Role, SignInLink, Team, User
from curation.stages import events
from curation.stages.digests import digest
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.naming import plain_name

LINK_LIFETIME = timedelta(hours=24)


def require(user: User | None, team: Team, role: str) -> None:
    """Raises NotPermitted unless the user's role in the team covers `role`.

    None is the operator's command or the loop: always may, as does a superuser, who can put themselves into any team.
    """
    if user is None or (user.is_superuser and user.is_active and user.most is None):
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


def may_create_team(user: User) -> bool:
    """Staff may, and with OPEN_TEAMS everybody; of requests by API token only those of scope admin."""
    return (user.is_staff or settings.OPEN_TEAMS) and user.most in (None, Role.OWNER)


@transaction.atomic
def create_team(name: str, owner: User | None) -> Team:
    """A team with its first owner; None when the operator makes it for others. Raises InputError when the name is taken."""
    if owner is not None and not may_create_team(owner):
        raise NotPermitted(f"{owner} may not make teams here; ask the operator of this site for one")
    team = Team(name=plain_name(name, "the team's name", 120), slug=slug_of(name, "team"))
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as error:
        raise InputError(f"team {team.slug!r} exists; choose another name") from error
    events.record("team.create", team, team=team, actor=owner, after={"name": team.name})
    if owner is not None:
        Membership.objects.create(team=team, user=owner, role=Role.OWNER)
        events.record("team.add_member", team, team=team, actor=owner, after={"user": owner.pk, "role": Role.OWNER})
    return team


@transaction.atomic
def rename_team(team: Team, name: str, by: User | None) -> None:
    """Another name for people; the team's address stays, so links stay good."""
    require(by, team, Role.OWNER)
    before, team.name = team.name, plain_name(name, "the team's name", 120)
    Team.objects.filter(pk=team.pk).update(name=team.name)
    events.record("team.rename", team, team=team, actor=by, before={"name": before}, after={"name": team.name})


@transaction.atomic
def add_member(team: Team, user: User, role: str, by: User | None) -> Membership:
    """Owners add members. Raises InputError when the user is one already."""
    require(by, team, Role.OWNER)
    membership = join(team, user, _role(role))
    events.record("team.add_member", team, team=team, actor=by, after={"user": user.pk, "role": role})
    return membership


@transaction.atomic
def change_role(membership: Membership, role: str, by: User | None) -> None:
    """Owners change roles. Raises WrongState when the team would be left without an owner who can act."""
    require(by, membership.team, Role.OWNER)
    before = _locked(membership)
    if _role(role) != Role.OWNER:
        _keep_an_owner(membership)
    Membership.objects.filter(pk=membership.pk).update(role=role)
    membership.role = role
    record = {"user": membership.user_id, "role": role}
    events.record("team.change_role", membership.team, team=membership.team, actor=by, before={"role": before}, after=record)


@transaction.atomic
def remove_member(membership: Membership, by: User | None) -> None:
    """Owners remove members, and a member may leave. Their sessions and tokens lose the team at once: each request asks anew.

    Raises WrongState when the team would be left without an owner who can act.
    """
    if by is None or by.pk != membership.user_id or by.most is not None:
        require(by, membership.team, Role.OWNER)
    before = _locked(membership)
    _keep_an_owner(membership)
    Membership.objects.filter(pk=membership.pk).delete()
    record = {"user": membership.user_id, "role": before}
    events.record("team.remove_member", membership.team, team=membership.team, actor=by, before=record)


def join(team: Team, user: User, role: Role) -> Membership:
    """Add a membership for a stage that has asked who may. Raises InputError for a member of the team."""
    try:
        with transaction.atomic():
            made: Membership = Membership.objects.create(team=team, user=user, role=role)
    except IntegrityError as error:
        raise InputError(f"{user} is a member of {team} already") from error
    return made


def _locked(membership: Membership) -> str:
    """The role that the member has now. Changes of one team's members wait for each other from here on."""
    Team.objects.select_for_update(no_key=True).get(pk=membership.team_id)
    held = Membership.objects.filter(pk=membership.pk).values_list("role", flat=True).first()
    if held is None:
        raise WrongState(f"{membership.user} is no member of {membership.team} any more")
    return str(held)


def _keep_an_owner(leaving: Membership) -> None:
    owners = Membership.objects.filter(team=leaving.team_id, role=Role.OWNER, user__is_active=True)
    if owners.filter(pk=leaving.pk).exists() and not owners.exclude(pk=leaving.pk).exists():
        raise WrongState(f"{leaving.user} is the last owner of {leaving.team}; make another member an owner first")


def _role(role: str) -> Role:
    if role not in Role.values:
        raise InputError(f"role {role!r}: choose one of {', '.join(Role.values)}")
    return Role(role)


@transaction.atomic
def create_user(email: str, name: str = "", password: str | None = None) -> User:
    """A person who can sign in; without a password only by a link. Raises InputError when the address is taken."""
    _check_email(email)
    try:
        with transaction.atomic():
            user: User = User.objects.create_user(email, password, name=plain_name(name, "the name", 120, least=0))
    except IntegrityError as error:
        raise InputError(f"{email} has an account already; choose another address") from error
    events.record("user.create", user, after={"name": name})
    return user


def _check_email(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise InputError(f"{email[:80]!r} is no e-mail address") from error
    if len(email) > 254:
        raise InputError("the e-mail address is longer than 254 letters; use a shorter one")


@transaction.atomic
def rename(user: User, name: str) -> None:
    """How a person is called on the pages; without a name by the address."""
    before, user.name = user.name, plain_name(name, "the name", 120, least=0)
    User.objects.filter(pk=user.pk).update(name=user.name)
    events.record("user.rename", user, actor=user, before={"name": before}, after={"name": user.name})


def check_password(password: str, user: User) -> None:
    """Raises InputError, one line per fault, for a password that AUTH_PASSWORD_VALIDATORS refuse."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InputError("\n".join(error.messages)) from error


@transaction.atomic
def set_password(user: User, password: str | None, by: User | None = None) -> None:
    """A new password, or None for an account that only links let in. The account's other sessions end with it."""
    if password is not None:
        check_password(password, user)
    user.set_password(password)
    User.objects.filter(pk=user.pk).update(password=user.password)
    _end_streams(user)
    events.record("user.set_password", user, actor=by)


@transaction.atomic
def signed_in(user: User, way: str) -> None:
    """Note that a person has come in, by "password" or "link"."""
    events.record("user.sign_in", user, actor=user, after={"by": way})


def signed_out(user: User) -> None:
    """A person has gone: nothing more is told to pages that they left open. Those of other browsers connect anew."""
    _end_streams(user)


def _end_streams(user: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps({"member": user.pk, "verb": "session"})])


@transaction.atomic
def save_account(user: User, changed: Collection[str], by: User) -> None:
    """Save an account that an operator has made, or of which an operator has `changed` these fields."""
    if not by.is_superuser:
        raise NotPermitted(f"{by} is no operator of this installation; accounts are edited by one")
    verb = "user.change" if user.pk else "user.create"
    user.save()
    events.record(verb, user, actor=by, after={"changed": sorted(set(changed) - {"password1", "password2"})})


@transaction.atomic
def sign_in_link(user: User, lifetime: timedelta = LINK_LIFETIME, by: User | None = None) -> str:
    """The token of a link that signs its user in once. It is shown this once: the database keeps its sha256 only."""
    if by is not None and not by.is_superuser:
        raise NotPermitted(f"{by} is no operator of this installation; links that sign others in are made by one")
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, token_sha256=digest(token), expires_at=timezone.now() + lifetime)
    events.record("user.link", user, actor=by, after={"lifetime_seconds": lifetime.total_seconds()})
    return token


@transaction.atomic
def redeem(token: str) -> User | None:
    """Use a link up and return its user; None when it is unknown, used, over, or its user is not active any more."""
    now = timezone.now()
    links = SignInLink.objects.filter(token_sha256=digest(token), used_at=None, expires_at__gt=now, user__is_active=True)
    if links.update(used_at=now) != 1:
        return None
    user = User.objects.get(sign_in_links__token_sha256=digest(token))
    signed_in(user, "link")
    return user


def slug_of(name: str, what: str) -> str:
    """The name as it stands in addresses, at most 50 letters. Raises InputError when nothing of it can."""
    slug = slugify(name)[:50].strip("-_")
    if not slug:
        raise InputError(f"{what} name {name!r} has no letter or digit of a–z and 0–9; choose one that has")
    return slug
