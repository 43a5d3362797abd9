"""Two people at the same moment: one invitation, the last two owners, the last token that is allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from django.db import connection

from curation.models import Membership, Role, Team, User
from curation.stages import invitations, people, tokens
from curation.stages.errors import InputError, WrongState

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


def at_once(*calls: Callable[[], object]) -> list[str]:
    """What became of each call, begun together, in order of their names."""
    start, ends = threading.Barrier(len(calls)), list[str]()

    def run(call: Callable[[], object]) -> None:
        start.wait()
        try:
            call()
            ends.append("done")
        except (InputError, WrongState) as error:
            ends.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ends)


def test_one_invitation_lets_one_of_two_in(team: Team, owner: User, outsider: User) -> None:
    other = people.create_user("other@example.org")
    token = invitations.invite(team, Role.VIEWER, owner).token
    ends = at_once(lambda: invitations.accept(token, outsider), lambda: invitations.accept(token, other))
    assert ends == ["WrongState", "done"]
    assert Membership.objects.filter(team=team, role=Role.VIEWER).count() == 1


def test_two_owners_who_leave_together_leave_one_behind(team: Team, owner: User) -> None:
    other = people.create_user("other@example.org")
    second = people.add_member(team, other, Role.OWNER, owner)
    first = Membership.objects.get(user=owner)
    assert at_once(lambda: people.remove_member(first, owner), lambda: people.remove_member(second, other)) == [
        "WrongState",
        "done",
    ]
    assert Membership.objects.filter(team=team, role=Role.OWNER).count() == 1


def test_two_accounts_of_one_address_are_one(db: None) -> None:
    ends = at_once(lambda: people.create_user("ada@example.org"), lambda: people.create_user("ADA@example.org"))
    assert ends == ["InputError", "done"]


def test_two_tokens_do_not_pass_the_bound_together(owner: User) -> None:
    for number in range(tokens.MOST_TOKENS - 1):
        tokens.create(owner, f"number {number}", "read")
    ends = at_once(lambda: tokens.create(owner, "one", "read"), lambda: tokens.create(owner, "other", "read"))
    assert ends == ["InputError", "done"]
