"""What a stream's reader missed while it was not connected: the newest events of the teams that it may hear of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from curation.models import Event, Membership

OVERLAP = 200  # ids are given before they are committed, so some below the last one seen may be new
JUST_NOW = timedelta(seconds=10)  # between the making of a page and its stream, at most
MOST = 500  # events; whoever missed more loads all anew


def teams_of(user_id: int) -> frozenset[int]:
    """The teams whose announcements a user may hear; none for a user who is not active."""
    held = Membership.objects.filter(user=user_id, user__is_active=True)
    return frozenset(held.values_list("team_id", flat=True))


def missed(teams: Collection[int], after: int | None) -> list[Event] | None:
    """Events of the teams since the id `after`, oldest first, some of them perhaps seen already; None: too many.

    Without `after` the events of just now. One query, along the index of each team.
    """
    if not teams:
        return []
    newest = [_newest(team, after) for team in teams]
    found = sorted(newest[0].union(*newest[1:], all=True), key=lambda event: event.pk)
    return None if len(found) > MOST else found


def _newest(team: int, after: int | None) -> QuerySet[Event]:
    events = Event.objects.filter(team=team).only("id", "team_id", "run_id", "verb").order_by("-id")
    since = events.filter(at__gt=timezone.now() - JUST_NOW) if after is None else events.filter(pk__gt=after - OVERLAP)
    return since[: MOST + 1]
