"""One's own account: name, password, API tokens."""

from __future__ import annotations

import re
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import ApiToken, Team, User
from curation.stages import people, tokens

pytestmark = [pytest.mark.db, pytest.mark.django_db]
PASSWORD, OTHER = "correct horse battery", "staple and paper clip"
FORM = {"name": "nightly", "scope": "read", "days": "30"}


@pytest.fixture
def ada(team: Team) -> User:
    user = people.create_user("ada@example.org", "Ada", PASSWORD)
    people.add_member(team, user, "engineer", None)
    return user


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def test_account_page_shows_teams_and_leads_there_from_the_bar(signed_in: Client, team: Team) -> None:
    page = signed_in.get(reverse("account")).content.decode()
    assert reverse("team", args=[team.slug]) in page and "engineer" in page
    assert f'href="{reverse("account")}"' in page
    assert "New team" not in page


def test_number_of_queries_does_not_grow_with_the_tokens(signed_in: Client, ada: User, django_assert_num_queries: Any) -> None:
    for number in range(8):
        tokens.create(ada, f"token {number}", "read")
    with django_assert_num_queries(4):  # session, user, memberships, tokens
        signed_in.get(reverse("account"))


def test_name_is_changed(signed_in: Client, ada: User) -> None:
    assert "You are shown as Ada L." in signed_in.post(reverse("account_name"), {"name": "Ada L"}, follow=True).content.decode()
    assert signed_in.post(reverse("account_name"), {"name": "x" * 121}).status_code == 422
    ada.refresh_from_db()
    assert ada.name == "Ada L"


def change(client: Client, old: str, new: str, again: str | None = None) -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new if again is None else again}
    return client.post(reverse("account_password"), form)


def test_new_password_keeps_this_session_and_ends_the_others(signed_in: Client, ada: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(ada)
    assert change(signed_in, PASSWORD, OTHER).status_code == 302
    assert signed_in.get(reverse("account")).status_code == 200
    assert elsewhere.get(reverse("account")).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password(OTHER)


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        ("wrong", OTHER, OTHER, "old password was entered incorrectly"),
        (PASSWORD, OTHER, "else", "didn’t match"),
        (PASSWORD, "password", "password", "too common"),
        (PASSWORD, "4815162342", "4815162342", "entirely numeric"),
    ],
)
def test_password_that_will_not_do_is_refused(signed_in: Client, ada: User, old: str, new: str, again: str, words: str) -> None:
    answer = change(signed_in, old, new, again)
    assert answer.status_code == 422 and words in answer.content.decode()
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_account_without_a_password_gets_its_first_without_the_old(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(reverse("account")).content.decode()
    assert "You have none yet" in page and "old_password" not in page
    assert client.post(reverse("account_password"), {"new_password1": OTHER, "new_password2": OTHER}).status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password(OTHER)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_secret_of_a_token_is_shown_once_and_works(signed_in: Client, ada: User, headers: dict[str, str]) -> None:
    answer = signed_in.post(reverse("token_new"), FORM, headers=headers)
    found = re.search(r'value="(wst_[^"]+)"', answer.content.decode())
    assert answer.status_code == 200 and found is not None and "no-store" in answer["Cache-Control"]
    assert tokens.authenticate(found[1]) == ada
    assert "http://testserver/api/v1/projects" in answer.content.decode()
    assert Client(headers={"Authorization": f"Bearer {found[1]}"}).get("/api/v1/projects").status_code == 200
    page = signed_in.get(reverse("account")).content.decode()
    assert found[1] not in page and found[1][:10] in page


@pytest.mark.parametrize("wrong", [{"days": "366"}, {"days": "-1"}, {"days": "x"}, {"days": ""}, {"scope": "all"}, {"name": " "}])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_token_that_cannot_be_says_why(signed_in: Client, wrong: dict[str, str], headers: dict[str, str]) -> None:
    answer = signed_in.post(reverse("token_new"), {**FORM, **wrong}, headers=headers)
    assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_token_is_revoked_by_its_owner_only(signed_in: Client, ada: User, owner: User) -> None:
    token, secret = tokens.create(ada, "laptop", "read")
    stranger = Client()
    stranger.force_login(owner)
    assert stranger.post(reverse("token_revoke", args=[token.pk])).status_code == 404
    assert signed_in.get(reverse("token_revoke", args=[token.pk])).status_code == 405
    assert signed_in.post(reverse("token_revoke", args=[token.pk])).status_code == 302
    assert tokens.authenticate(secret) is None
    assert "laptop" not in signed_in.get(reverse("account")).content.decode().split('id="tokens"')[1].split("<form")[0]


def test_strangers_have_no_account_page(client: Client, db: None) -> None:
    for name in ("account", "account_name", "account_password", "token_new"):
        assert client.post(reverse(name))["Location"].startswith(reverse("sign_in"))
