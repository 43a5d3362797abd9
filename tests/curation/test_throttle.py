"""Guessing passwords: how often, and what is said then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse

from curation import throttle
from curation.models import Event, User
from curation.stages import people

pytestmark = [pytest.mark.db, pytest.mark.django_db]
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def nothing_counted(settings: Any) -> Iterator[None]:
    """And hashes that cost nothing, for these are hundreds of guesses."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def ada(db: None) -> User:
    return people.create_user("ada@example.org", "Ada", PASSWORD)


def guess(client: Client, email: str, password: str = "wrong", **fields: str) -> Any:
    return client.post(reverse("sign_in"), {"username": email, "password": password}, **fields)


def test_tenth_guess_is_the_last_and_the_right_password_does_not_help(client: Client, ada: User) -> None:
    for number in range(throttle.MOST_OF_BOTH):
        assert guess(client, ada.email if number % 2 else " ADA@example.org").status_code == 200
    refused = guess(client, ada.email, PASSWORD)
    assert refused.status_code == 429
    assert refused["Retry-After"] == str(throttle.WINDOW)
    assert throttle.REFUSAL in refused.content.decode()
    assert "_auth_user_id" not in client.session
    assert guess(client, ada.email, PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 302  # from elsewhere she comes in


def test_refusal_is_the_same_for_an_address_without_an_account(client: Client, ada: User) -> None:
    wrong = [guess(client, email).content.decode() for email in (ada.email, "nobody@example.org")]
    User.objects.filter(pk=ada.pk).update(is_active=False)
    wrong.append(guess(client, ada.email, PASSWORD).content.decode())
    for text in wrong:
        assert "This e-mail address and this password do not belong together." in text
    for email in (ada.email, "nobody@example.org"):
        for _ in range(throttle.MOST_OF_BOTH):
            guess(client, email)
        assert guess(client, email).status_code == 429


def test_signing_in_forgets_the_guesses_before_it(client: Client, ada: User) -> None:
    for _ in range(throttle.MOST_OF_BOTH - 1):
        guess(client, ada.email)
    assert guess(client, ada.email, PASSWORD).status_code == 302
    assert Event.objects.get(verb="user.sign_in").after == {"by": "password"}
    client.logout()
    for _ in range(throttle.MOST_OF_BOTH):
        assert guess(client, ada.email).status_code == 200


def test_one_address_does_not_try_everybody(client: Client, ada: User) -> None:
    for number in range(throttle.MOST_OF_ONE):
        assert guess(client, f"user-{number}@example.org").status_code == 200
    assert guess(client, ada.email, PASSWORD).status_code == 429
    assert guess(client, ada.email, PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_one_account_is_not_tried_from_everywhere(client: Client, ada: User) -> None:
    for number in range(throttle.MOST_OF_ONE):
        assert guess(client, ada.email, REMOTE_ADDR=f"192.0.2.{number}").status_code == 200
    assert guess(client, ada.email, REMOTE_ADDR="198.51.100.1").status_code == 429


@pytest.mark.parametrize(
    ("header", "sent", "socket", "address"),
    [
        ("", "203.0.113.9", "192.0.2.1", "192.0.2.1"),  # a visitor's own header counts for nothing
        ("X-Real-IP", "203.0.113.9", "192.0.2.1", "203.0.113.9"),
        ("X-Real-IP", "1.2.3.4, 203.0.113.9", "192.0.2.1", "203.0.113.9"),  # the last is the proxy's word
        ("X-Real-IP", "", "192.0.2.1", "192.0.2.1"),
        ("", "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "", "", ""),
    ],
)
def test_address_is_the_proxy_s_word_or_the_socket_s(settings: Any, header: str, sent: str, socket: str, address: str) -> None:
    settings.CLIENT_ADDRESS_HEADER = header
    request = RequestFactory().get("/", headers={"X-Real-IP": sent}, REMOTE_ADDR=socket)
    assert throttle.address_of(request) == address


def test_admin_site_has_no_door_without_the_throttle(client: Client, viewer: User) -> None:
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == f"{reverse('sign_in')}?next=%2Fadmin%2F"
    assert client.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 405
    client.force_login(viewer)
    assert client.get("/admin/", follow=True).status_code == 403
    client.force_login(User.objects.create_superuser("root@example.org"))
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/password_change/")["Location"] == reverse("account")


def test_guessing_the_present_password_in_a_session_is_counted_too(client: Client, ada: User) -> None:
    client.force_login(ada)
    wrong = {"old_password": "wrong", "new_password1": PASSWORD + "!", "new_password2": PASSWORD + "!"}
    for _ in range(throttle.MOST_OF_BOTH):
        assert client.post(reverse("account_password"), wrong).status_code == 422
    assert client.post(reverse("account_password"), {**wrong, "old_password": PASSWORD}).status_code == 429
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)
