"""Personal tokens for the REST API: made, used, revoked. The secret is shown once; the database keeps its sha256 only."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import NamedTuple

from django.db import models, transaction
from django.utils import timezone

from curation.models import ApiToken, Scope, User
from curation.stages import events
from curation.stages.digests import digest
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.naming import plain_name

PREFIX = "wst_"
HINT = 10  # characters of the secret that its owner is shown again: the prefix and 36 of 256 bits
DAYS, MOST_DAYS = 90, 365
MOST_TOKENS = 50  # of one person at a time
USE_NOTED_EVERY = timedelta(minutes=1)


class NewToken(NamedTuple):
    token: ApiToken
    secret: str


def standing(user: User) -> models.QuerySet[ApiToken]:
    """The user's tokens that are not revoked, those past their time included, newest first."""
    return ApiToken.objects.filter(user=user, revoked_at=None).order_by("-id")


@transaction.atomic
def create(user: User, name: str, scope: str, days: int = DAYS) -> NewToken:
    """A token that lasts `days`. Raises InputError for what cannot be, NotPermitted to a request made by token."""
    if user.most is not None:
        raise NotPermitted("an API token makes no tokens: sign in and make it on your account page")
    name = plain_name(name, "the token's name", 80)
    _check(scope, days)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two requests at once count one after the other
    now = timezone.now()
    if standing(user).filter(expires_at__gt=now).count() >= MOST_TOKENS:
        raise InputError(f"you have {MOST_TOKENS} tokens already; revoke one that you do not use")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        scope=scope,
        hint=secret[:HINT],
        token_sha256=digest(secret),
        expires_at=now + timedelta(days=days),
    )
    events.record("token.create", token, actor=user, after={"name": name, "scope": scope, "days": days})
    return NewToken(token, secret)


def authenticate(secret: str) -> User | None:
    """The token's user, lessened to its scope (`user.most`). None when it is unknown, revoked, over, or its user inactive."""
    now = timezone.now()
    valid = ApiToken.objects.filter(revoked_at=None, expires_at__gt=now, user__is_active=True)
    token = valid.filter(token_sha256=digest(secret)).select_related("user").first()
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    user: User = token.user
    user.most = Scope(token.scope).role
    return user


@transaction.atomic
def revoke(token: ApiToken, by: User | None) -> None:
    """End a token now. Its owner may, and the site's operator (None, or a superuser). Raises WrongState when it has been done."""
    if by is not None and by.pk != token.user_id and not by.is_superuser:
        raise NotPermitted("this is another person's API token; its owner can revoke it")
    if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        raise WrongState(f"the token {token.name} has been revoked already")
    events.record("token.revoke", token, actor=by, before={"name": token.name, "scope": token.scope})
    token.refresh_from_db()


def _check(scope: str, days: int) -> None:
    if scope not in Scope.values:
        raise InputError(f"scope {scope!r}: choose one of {', '.join(Scope.values)}")
    if not 1 <= days <= MOST_DAYS:
        raise InputError(f"a token lasts 1 to {MOST_DAYS} days, not {days}")
