"""What the pages of evaluations ask of the database does not grow with the items."""

from __future__ import annotations

from typing import Any

import pytest

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from bench.web.evaluated import SIZES, items, seed_evaluations, traced
from bench.web.evaluation_kinds import evaluation_kinds
from curation.models import Base, Engine, Evaluation, Project, User

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def asked(client: Client, evaluations: Any) -> dict[tuple[str, str], int]:
    """The most queries of a request, by page and by what of it is asked for."""
    found: dict[tuple[str, str], int] = {}
    for kind in evaluation_kinds(evaluations):
        for request in kind.requests[:2]:
            headers = {"HX-Request": "true", "HX-Target": request.htmx} if request.htmx else {}
            with CaptureQueriesContext(connection) as queries:
                assert client.get(request.path, headers=headers).status_code == 200
            page = resolve(request.path.partition("?")[0]).url_name, request.htmx
            found[page] = max(found.get(page, 0), len(queries))
    return found


def test_pages_take_as_many_queries_for_many_items_as_for_few(
    client: Client, project: Project, base: Base, engine: Engine, viewer: User
) -> None:
    client.force_login(viewer)
    few = asked(client, seed_evaluations(project, base, engine, share=0.02))
    many = asked(client, seed_evaluations(project, base, engine, share=0.06))
    assert many == few
    assert len(many) == 6 and max(many.values()) <= 10


def test_the_invented_benchmark_has_the_size_of_bfcl_and_both_kinds_of_gains(
    project: Project, base: Base, engine: Engine
) -> None:
    assert sum(SIZES.values()) == 3641
    first, second = seed_evaluations(project, base, engine, share=0.01)
    assert first.total == second.total == len(list(items(0, 0.01)))
    assert first.direct_right < second.direct_right
    again = [traced(item, 0.55, 0) for item in items(0, 0.01)]
    assert sum(one.right[0] for one in again) == first.direct_right
    figures = Evaluation.objects.get(pk=first.pk).figures["refinement"]
    assert figures["fixes"] and figures["breaks"]
