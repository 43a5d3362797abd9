"""Exports by REST: the rows of the page, streamed, and a manifest of exactly what was sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from curation.models import Export, Run, TrainingSet, User
from curation.stages import review

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


def lines(response: Any) -> tuple[bytes, list[dict[str, Any]]]:
    assert (response.status_code, response["Content-Type"]) == (200, "application/jsonl"), response
    sent = b"".join(response.streaming_content)
    response.close()
    return sent, [json.loads(line) for line in sent.splitlines()]


def test_pool_is_exported_as_filtered_with_its_manifest(
    by_token: Callable[..., Any], viewer: User, run: Run, samples: dict[int, int]
) -> None:
    api, chosen = by_token(viewer, "read"), {"outcome": ["exact", "approximate"]}
    response = api.get(f"/runs/{run.pk}/iterations/1/export/pool", chosen)
    sent, rows = lines(response)
    page = api.get(f"/runs/{run.pk}/iterations/1/pool", chosen).json()["items"]
    assert len(rows) == len(page) == 2
    shown = api.get(f"/runs/{run.pk}/exports/{response['Whetstone-Export']}").json()
    assert (shown["state"], shown["rows"], shown["sha256"]) == ("complete", 2, hashlib.sha256(sent).hexdigest())
    assert shown["manifest"]["revision_sha256"] == run.revision.sha256
    assert shown["filters"] == {"outcome": ["approximate", "exact"]}
    listed = api.get(f"/runs/{run.pk}/exports").json()["items"]
    assert [one["id"] for one in listed] == [shown["id"]] and "manifest" not in listed[0]


def test_pairs_are_exported(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    _, rows = lines(by_token(viewer).get(f"/runs/{run.pk}/iterations/1/export/pairs", {"hits": [1, 2]}))
    assert len(rows) == 3


def test_training_set_is_exported_as_it_was_frozen(
    by_token: Callable[..., Any], viewer: User, engineer: User, run: Run, hand: Any
) -> None:
    review.approve(run.iterations.get(number=1), engineer)
    hand.work_off()
    frozen = TrainingSet.objects.get(iteration__number=1)
    sent, rows = lines(by_token(viewer).get(f"/runs/{run.pk}/iterations/1/export/training-set"))
    assert len(rows) == frozen.direct + frozen.refine
    assert hashlib.sha256(sent).hexdigest() == frozen.file_sha256


def test_nothing_begins_for_a_refused_export(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    api, address = by_token(viewer), f"/runs/{run.pk}/iterations/1/export"
    assert api.get(f"{address}/training-set").status_code == 422  # nothing is frozen yet
    assert api.get(f"{address}/pool", {"after": "x"}).status_code == 422
    assert api.get(f"{address}/training-set", {"format": "csv"}).status_code == 422
    assert not Export.objects.exists()


def test_revision_is_downloaded_as_it_was_imported(by_token: Callable[..., Any], viewer: User, run: Run) -> None:
    _, rows = lines(by_token(viewer).get(f"/datasets/{run.dataset_id}/revisions/1/download"))
    assert len(rows) == 12 and rows[0]["id"] == "sample-0"
