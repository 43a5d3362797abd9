"""The demonstration's people: who they are, and how one signs in as each."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from django.test import Client

from curation.demo import cast
from curation.models import Membership, Role, Team

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def demo(make_model_folder: Callable[..., Path]) -> cast.Cast:
    make_model_folder(cast.CHECKPOINT)
    return cast.assemble()


def test_demo_has_a_team_with_an_owner_and_a_reviewer(demo: cast.Cast) -> None:
    team = Team.objects.get(slug="demo")
    roles = dict(Membership.objects.filter(team=team).values_list("user", "role"))
    assert roles == {demo.owner.pk: Role.OWNER, demo.reviewer.pk: Role.REVIEWER}
    assert cast.assemble() == demo  # asked twice it is the same


def test_printed_links_sign_in_as_the_owner_and_as_the_reviewer(demo: cast.Cast) -> None:
    for line, word, user in zip(demo.ways_in("http://site"), ("owner", "reviewer"), (demo.owner, demo.reviewer), strict=True):
        found = re.fullmatch(rf"Sign in as the {word}, .*: http://site(/enter/\S+/)", line)
        assert found is not None
        client = Client()
        client.post(found[1])
        assert client.session["_auth_user_id"] == str(user.pk)
