"""A query parameter names a filter of ours or nothing: what Django would take for a lookup is a 422 and no query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.models import Run, User

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

WORDS = (
    "id",
    "pk",
    "iteration",
    "sample",
    "version",
    "run",
    "project",
    "team",
    "memberships",
    "user",
    "password",
    "outcome",
    "contains",
)
NAMES = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=4).map("__".join),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=30),
)
ADDRESSES = ("/iterations/1/pool", "/iterations/1/pairs/facets", "/iterations/1/export/pool", "/events", "/decisions", "")


KNOWN = {"outcome", "change", "hits", "decision", "category", "calls", "tool", "language", "q", "order", "after", "limit"} | {
    "verb",
    "by",
    "sample",
    "standing",
}
BOUNDED = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def test_name_that_is_none_of_ours_is_422_and_nothing_else(
    by_token: Callable[..., Any], viewer: User, run: Run, django_assert_max_num_queries: Any, settings: Any
) -> None:
    settings.API_RATE = settings.API_RATE._replace(requests=10**6)
    api = by_token(viewer)

    @BOUNDED
    @given(name=NAMES, value=st.text(st.characters(codec="utf-8"), max_size=10), address=st.sampled_from(ADDRESSES))
    def refused(name: str, value: str, address: str) -> None:
        if name in KNOWN:
            return
        with django_assert_max_num_queries(0):
            response = api.get(f"/runs/{run.pk}{address}", {name: value})
        assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
        assert [(one["in"], one["name"]) for one in response.json()["errors"]] == [("query", name)]

    refused()
