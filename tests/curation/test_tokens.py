"""API tokens: what they let one do, how long, and what is kept of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from django.utils import timezone

from curation import access
from curation.models import ApiToken, Event, Membership, Role, Scope, Team, User
from curation.stages import people, tokens
from curation.stages.errors import InputError, NotPermitted, WrongState

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def test_token_stands_for_its_user(owner: User) -> None:
    token, secret = tokens.create(owner, " laptop ", Scope.REVIEW, 30)
    assert secret.startswith("wst_") and secret.startswith(token.hint)
    assert token.name == "laptop"
    assert tokens.authenticate(secret) == owner
    assert token.expires_at - timezone.now() == pytest.approx(timedelta(days=30), abs=timedelta(minutes=1))


def test_token_is_kept_as_a_hash_only(owner: User) -> None:
    _, secret = tokens.create(owner, "laptop", Scope.READ)
    assert secret not in str(list(ApiToken.objects.values())) + str(list(Event.objects.values()))


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("read", ["viewer"]),
        ("review", ["reviewer", "viewer"]),
        ("run", ["engineer", "reviewer", "viewer"]),
        ("admin", list(Role)),
    ],
)
def test_right_of_a_token_is_the_lesser_of_scope_and_role(team: Team, owner: User, scope: str, allowed: list[str]) -> None:
    user = tokens.authenticate(tokens.create(owner, "laptop", scope).secret)
    assert user is not None
    assert [role for role in Role if access.may(user, team, role)] == allowed
    for role in Role:
        if role in allowed:
            people.require(user, team, role)
        else:
            with pytest.raises(NotPermitted, match="API token"):
                people.require(user, team, role)


def test_wide_scope_lends_no_right_that_the_role_lacks(team: Team, viewer: User) -> None:
    user = tokens.authenticate(tokens.create(viewer, "laptop", Scope.ADMIN).secret)
    assert user is not None and access.role_in(user, team) == Role.VIEWER


def test_token_loses_what_its_user_loses_at_once(team: Team, engineer: User) -> None:
    secret = tokens.create(engineer, "laptop", Scope.RUN).secret
    Membership.objects.filter(user=engineer).update(role=Role.VIEWER)
    user = tokens.authenticate(secret)
    assert user is not None and access.role_in(user, team) == Role.VIEWER
    Membership.objects.filter(user=engineer).delete()
    assert access.role_in(user, team) is None


def test_revoked_old_and_unknown_tokens_are_nobodys(owner: User) -> None:
    token, secret = tokens.create(owner, "laptop", Scope.READ)
    other = tokens.create(owner, "old", Scope.READ)
    ApiToken.objects.filter(pk=other.token.pk).update(expires_at=timezone.now())
    tokens.revoke(token, owner)
    assert [tokens.authenticate(text) for text in (secret, other.secret, "wst_guess", "", "wst_\u00e9")] == [None] * 5
    with pytest.raises(WrongState, match="already"):
        tokens.revoke(token, owner)
    assert list(Event.objects.filter(subject_kind="apitoken", actor=owner).values_list("verb", flat=True)) == [
        "token.create",
        "token.create",
        "token.revoke",
    ]


def test_token_of_an_inactive_user_is_nobodys(owner: User) -> None:
    secret = tokens.create(owner, "laptop", Scope.READ).secret
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert tokens.authenticate(secret) is None


def test_last_use_is_noted_once_a_minute(owner: User) -> None:
    token, secret = tokens.create(owner, "laptop", Scope.READ)
    assert token.last_used_at is None
    tokens.authenticate(secret)
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    tokens.authenticate(secret)
    token.refresh_from_db()
    assert token.last_used_at == first
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=first - timedelta(minutes=2))
    tokens.authenticate(secret)
    token.refresh_from_db()
    assert token.last_used_at is not None and token.last_used_at >= first


@pytest.mark.parametrize(
    ("name", "scope", "days"),
    [(" ", "read", 90), ("x" * 81, "read", 90), ("a\0b", "read", 90), ("a", "all", 90), ("a", "read", 0), ("a", "read", 366)],
)
def test_token_that_cannot_be_is_refused(owner: User, name: str, scope: str, days: int) -> None:
    with pytest.raises(InputError):
        tokens.create(owner, name, scope, days)
    assert not ApiToken.objects.exists()


def test_token_makes_no_token(owner: User) -> None:
    user = tokens.authenticate(tokens.create(owner, "laptop", Scope.ADMIN).secret)
    assert user is not None
    with pytest.raises(NotPermitted, match="sign in"):
        tokens.create(user, "heir", Scope.READ)


def test_only_its_owner_and_the_operator_revoke_a_token(owner: User, viewer: User) -> None:
    token = tokens.create(viewer, "laptop", Scope.READ).token
    with pytest.raises(NotPermitted):
        tokens.revoke(token, owner)
    operator = User.objects.create_superuser("root@example.org")
    tokens.revoke(token, operator)
    assert not tokens.standing(viewer).exists()


def test_number_of_tokens_is_bounded_but_revoking_makes_room(owner: User) -> None:
    made = [tokens.create(owner, f"number {number}", Scope.READ).token for number in range(tokens.MOST_TOKENS)]
    with pytest.raises(InputError, match="revoke one"):
        tokens.create(owner, "one more", Scope.READ)
    tokens.revoke(made[0], owner)
    tokens.create(owner, "one more", Scope.READ)
