"""Oneself: who one is, and one's API tokens, which only a session may make, list and revoke."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from django.http import Http404, HttpRequest

from curation.api.paging import Page, Slice, newest_first
from curation.api.reading import Given
from curation.api.signing import SessionOnly, me
from curation.models import ApiToken, Membership, Scope, User
from curation.stages import people, tokens

router = Router()

RoleName = Literal["owner", "engineer", "reviewer", "viewer"]
ScopeName = Literal["read", "review", "run", "admin"]
assert set(ScopeName.__args__) == set(Scope.values)  # type: ignore[attr-defined]


class TeamOfMine(Schema):
    slug: str
    name: str
    role: RoleName

    @staticmethod
    def resolve_slug(membership: Membership) -> str:
        return str(membership.team.slug)

    @staticmethod
    def resolve_name(membership: Membership) -> str:
        return str(membership.team.name)


class Me(Schema):
    id: int
    email: str
    name: str
    most: RoleName | None = Field(description="what the token of this request allows at most; null for a session")
    teams: list[TeamOfMine]

    @staticmethod
    def resolve_teams(user: User) -> Any:
        return Membership.objects.filter(user=user.pk).select_related("team").order_by("team__name")


class NewName(Given):
    name: str


class TokenOut(Schema):
    id: int
    name: str
    scope: ScopeName
    hint: str = Field(description="how the token begins")
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="to the minute")


class MadeToken(TokenOut):
    token: str = Field(description="shown this once")


class NewToken(Given):
    name: str
    scope: ScopeName = "read"
    days: int = Field(tokens.DAYS, ge=1, le=tokens.MOST_DAYS)


@router.get("/me", response=Me)
def read_me(request: HttpRequest) -> Any:
    """Oneself, and one's roles; a token's scope may allow less."""
    return me(request)


@router.patch("/me", response=Me, auth=[SessionOnly()])
def rename_me(request: HttpRequest, given: NewName) -> Any:
    """How one is called on the pages; empty: by the address."""
    people.rename(me(request), given.name)
    return me(request)


@router.get("/me/tokens", response=Page[TokenOut], auth=[SessionOnly()])
def list_tokens(request: HttpRequest, by: Query[Slice]) -> Any:
    """One's tokens that are not revoked, the newest first."""
    return newest_first(tokens.standing(me(request)), by)


@router.post("/me/tokens", response={201: MadeToken}, auth=[SessionOnly()])
def create_token(request: HttpRequest, given: NewToken) -> Any:
    """A token for scripts. Its secret is in the answer, this once."""
    made = tokens.create(me(request), given.name, given.scope, given.days)
    shown = {name: getattr(made.token, name) for name in TokenOut.model_fields}
    return Status(201, {**shown, "token": made.secret})


@router.delete("/me/tokens/{int:token}", response={204: None}, auth=[SessionOnly()])
def revoke_token(request: HttpRequest, token: int) -> Any:
    """End a token now."""
    found = ApiToken.objects.filter(user=me(request), pk=token).first()
    if found is None:
        raise Http404("you have no such token")
    tokens.revoke(found, me(request))
    return Status(204, None)
