"""What goes on while a file is being imported."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest

from django.db import connection, transaction

from curation.models import DatasetRevision, Membership, Project, Run, User
from curation.stages import invitations, people, tokens
from curation.stages.importing import import_dataset
from toolcalls.exporting import sample_line

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def beside(project: Project, make_sample: Callable[..., Any]) -> Callable[..., None]:
    """`beside(call)`: the call returns while an import into a data set of its own, or into that of `name`, is under way."""

    def run(call: Callable[[], object], name: str = "other", by: User | None = None) -> None:
        done = threading.Event()

        def make() -> None:
            try:
                call()
                done.set()
            finally:
                connection.close()

        with transaction.atomic():
            import_dataset(project, name, io.BytesIO(sample_line(make_sample(20)).encode()), append=True, by=by)
            calling = threading.Thread(target=make)
            calling.start()
            came = done.wait(10)
        calling.join(20)
        assert came

    return run


def test_a_run_on_the_data_set_is_made(
    beside: Callable[..., None], make_dataset: Callable[..., DatasetRevision], make_run: Callable[..., Run]
) -> None:
    revision = make_dataset()
    beside(lambda: make_run(revision), "weather")
    assert Run.objects.get().revision == revision


def test_a_member_is_removed_and_another_invited(beside: Callable[..., None], owner: User, viewer: User) -> None:
    leaving = Membership.objects.get(user=viewer)

    def change() -> None:
        people.remove_member(leaving, owner)
        invitations.invite(leaving.team, "viewer", owner)

    beside(change)
    assert not Membership.objects.filter(user=viewer).exists()


def test_who_imports_makes_a_token(beside: Callable[..., None], engineer: User) -> None:
    beside(lambda: tokens.create(engineer, "mine", "read"), by=engineer)
    assert tokens.standing(engineer).get().name == "mine"
