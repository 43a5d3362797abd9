"""Signing in: by a link that works once, by password."""

from __future__ import annotations

from datetime import timedelta

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import User
from curation.stages import people

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def test_a_sign_in_link_works_once_and_only_by_its_button(client: Client, viewer: User) -> None:
    address = reverse("enter", args=[people.sign_in_link(viewer)])
    assert client.get(address).status_code == 200
    assert client.get(address).status_code == 200  # a preview does not use it up
    assert client.post(address).status_code == 302
    assert client.get("/").status_code == 200
    assert Client().post(address).status_code == 410


def test_a_sign_in_link_ends_with_its_time(client: Client, viewer: User) -> None:
    token = people.sign_in_link(viewer, timedelta(seconds=-1))
    assert client.post(reverse("enter", args=[token])).status_code == 410


def test_a_made_up_link_signs_nobody_in(client: Client) -> None:
    assert client.post(reverse("enter", args=["guess"])).status_code == 410


def test_signing_in_by_password_ignores_the_case_of_the_address(client: Client, db: None) -> None:
    people.create_user("Ada@example.org", "Ada", "correct horse battery")
    answer = client.post(reverse("sign_in"), {"username": "ada@EXAMPLE.org", "password": "correct horse battery"})
    assert answer.status_code == 302
