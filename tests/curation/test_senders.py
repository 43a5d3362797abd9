"""Who is known before a body is taken: by session, by token, and nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from django.test import Client

from curation.models import User
from curation.senders import _is_known
from curation.stages import tokens

pytestmark = pytest.mark.django_db(transaction=True)


def known(*headers: tuple[str, str]) -> bool:
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "http_version": "1.1"}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in headers]
    with ThreadPoolExecutor(1) as thread:  # as the server asks: in a thread of its own, whose connection is closed
        return thread.submit(_is_known, scope).result()


def test_a_session_is_known_until_its_user_is_not_active_any_more(viewer: User, client: Client) -> None:
    client.force_login(viewer)
    cookie = ("cookie", f"sessionid={client.cookies['sessionid'].value}")
    assert known(cookie)
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    assert not known(cookie)


def test_a_token_is_known_until_it_is_revoked(viewer: User) -> None:
    made = tokens.create(viewer, "test", "read", 1)
    header = ("authorization", f"Bearer {made.secret}")
    assert known(header)
    tokens.revoke(made.token, viewer)
    assert not known(header)


@pytest.mark.parametrize(
    "header", [("cookie", "sessionid=nobody"), ("authorization", "Bearer wst_nothing"), ("authorization", "x")]
)
def test_others_are_not_known(db: None, header: tuple[str, str]) -> None:
    assert not known(header)
