"""The page of one's own account: name, password, teams, API tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from curation.models import ApiToken, Membership, User
from curation.pages.roles import SCOPES, Choice
from curation.stages.people import may_create_team
from curation.stages.tokens import DAYS, MOST_DAYS, standing


@dataclass(frozen=True, slots=True)
class TokensPart:
    """What templates/curation/account/_tokens.html needs; `secret` only right after a token was made."""

    tokens: Sequence[ApiToken]
    now: datetime
    scopes: tuple[Choice, ...] = SCOPES
    days: int = DAYS
    most_days: int = MOST_DAYS
    secret: str = ""
    made: ApiToken | None = None
    curl: str = ""  # an example of its use
    problem: str = ""
    name: str = ""  # as typed, when that was refused


@dataclass(frozen=True, slots=True)
class AccountPage:
    user: User
    memberships: Sequence[Membership]
    may_create_team: bool
    password_form: Any  # a form of Django's
    tokens: TokensPart


def account_page(user: User, password_form: Any, part: TokensPart | None = None) -> AccountPage:
    """Two queries. `part` is what has been asked for already."""
    memberships = Membership.objects.filter(user=user).select_related("team").order_by("team__name")
    return AccountPage(user, list(memberships), may_create_team(user), password_form, part or tokens_part(user))


def tokens_part(user: User, **more: Any) -> TokensPart:
    return TokensPart(list(standing(user)), timezone.now(), **more)
