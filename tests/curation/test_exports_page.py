"""The exports page: what it offers is what comes, on record, and by script as by button."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Export, Iteration, RefinePair, RevisionEntry, Run, TrainingSet, User, Verdict
from curation.pages.export_examples import EXAMPLES
from curation.stages import assembly

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Run:
    """Its first iteration selected every sample, three as refine pairs too; its second goes on."""
    made = make_run()
    iteration = Iteration.objects.create(run=made, number=1, state="done")
    entries = RevisionEntry.objects.filter(revision=made.revision, version__sample__split="train").order_by("position")
    for place, (version, sample) in enumerate(entries.values_list("version_id", "version__sample_id")):
        for turn in (0, 1) if place < 3 else (0,):
            outcome = "exact" if place else "approximate"
            Verdict.objects.create(
                iteration=iteration, version_id=version, sample_id=sample, outcome=outcome, turn=turn, attempts=2,
                exact_hits=min(place, 1), approximate_hits=1, comparator="1", category="simple",
            )  # fmt: skip
        RefinePair.objects.create(
            iteration=iteration,
            version_id=version,
            first_answer="[f()]",
            usable=True,
            identical_exact=False,
            identical_text=False,
        )
    assembly.freeze(iteration)
    Iteration.objects.create(run=made, number=2)
    return made


@pytest.fixture
def address(run: Run) -> str:
    return reverse("run_exports", args=[run.pk])


def download(client: Client, address: str, **fields: object) -> list[dict[str, Any]]:
    answer = client.post(address, fields)
    assert answer.status_code == 200, answer.content
    content = b"".join(answer.streaming_content)
    export = Export.objects.get(pk=answer["Whetstone-Export"])
    assert (export.state, export.sha256) == ("complete", hashlib.sha256(content).hexdigest())
    return [json.loads(line) for line in content.splitlines()]


def test_a_training_set_is_offered_with_its_counts_and_hash_and_comes_as_frozen(
    client: Client, run: Run, address: str, viewer: User
) -> None:
    client.force_login(viewer)
    frozen = TrainingSet.objects.get()
    page = client.get(address).content.decode()
    assert f"{frozen.direct} direct + {frozen.refine} refine" in page and frozen.sha256 in page
    rows = download(client, address, iteration=1, kind="training_set", format="trl")
    assert len(rows) == frozen.direct + frozen.refine
    assert set(rows[0]) == {"prompt", "completion"}
    page = client.get(address).content.decode()
    assert "Training set of iteration 1, trl" in page and Export.objects.get().sha256 in page


def test_a_filtered_pool_is_offered_as_the_pool_asked_for_it(client: Client, run: Run, address: str, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(address, {"iteration": 1, "kind": "pool", "outcome": "exact", "q": "days"}).content.decode()
    assert "iteration 1, filtered: 7 rows" in page
    wanted = page.partition('class="panel wanted"')[2].partition("</section>")[0]
    fields = {html.unescape(name): html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', wanted)}
    assert fields.pop("csrfmiddlewaretoken")
    assert fields == {"iteration": "1", "kind": "pool", "format": "whetstone", "outcome": "exact", "q": "days"}
    rows = download(client, address, **fields)
    assert [row["verdict"]["outcome"] for row in rows] == ["exact"] * 7
    assert "outcome=exact&amp;q=days" in client.get(address).content.decode()


def test_script_and_button_give_the_same_bytes(client: Client, run: Run, address: str, viewer: User) -> None:
    client.force_login(viewer)
    page = html.unescape(client.get(address, {"iteration": 1, "kind": "pool", "outcome": "exact"}).content.decode())
    urls = re.findall(r'curl -OJ -H "Authorization: Bearer \$WHETSTONE_TOKEN" "http://127.0.0.1:8000(/[^"]+)"', page)
    assert len(urls) == 6  # the filtered pool, three of iteration 1, two of iteration 2
    by_script = b"".join(client.get(urls[0]).streaming_content)
    by_button = client.post(address, {"iteration": 1, "kind": "pool", "format": "whetstone", "outcome": "exact"})
    assert by_script == b"".join(by_button.streaming_content)
    for url in urls[1:4]:
        assert client.get(url).status_code == 200


@pytest.mark.parametrize(("kind", "place"), [("training_set", 0), ("training_set", 1), ("pool", 2), ("pairs", 3)])
def test_the_line_that_is_shown_has_the_fields_of_a_real_one(
    client: Client, run: Run, address: str, viewer: User, kind: str, place: int
) -> None:
    client.force_login(viewer)
    example = EXAMPLES[place]
    form = "trl" if place == 1 else "whetstone"
    row = download(client, address, iteration=1, kind=kind, format=form)[0]
    shown = json.loads(re.sub(r", …|…", "", example.line))
    assert example.kind == kind
    assert set(shown) == set(row)
    assert set(shown.get("verdict", {})) <= set(row.get("verdict", {}))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "training_set", "format": "csv"},
        {"kind": "moon", "format": "whetstone"},
        {"kind": "training_set", "format": "trl", "outcome": "exact"},
        {"kind": "pool", "format": "whetstone", "sample__dataset": "1"},
        {"kind": "pool", "format": "whetstone", "change": "stop"},
        {"kind": "training_set", "format": "trl", "iteration": "2"},
        {"kind": "pool", "format": "whetstone", "iteration": "x"},
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(client: Client, address: str, viewer: User, fields: dict[str, str]) -> None:
    client.force_login(viewer)
    assert client.post(address, {"iteration": 1, **fields}).status_code == 422
    assert not Export.objects.exists()


def test_an_address_that_asks_for_what_is_not_there_is_refused(client: Client, address: str, viewer: User) -> None:
    client.force_login(viewer)
    for query in ({"kind": "moon", "iteration": 1}, {"kind": "pool", "iteration": 9}, {"a": 1}, {"before": "x"}):
        assert client.get(address, query).status_code == 422


def test_a_manifest_is_a_file_of_the_run_s_own_export(
    client: Client, run: Run, address: str, viewer: User, make_run: Callable[..., Run], outsider: User
) -> None:
    client.force_login(viewer)
    download(client, address, iteration=1, kind="pairs", format="whetstone")
    export = Export.objects.get()
    answer = client.get(reverse("export_manifest", args=[run.pk, export.pk]))
    assert json.loads(answer.content) == export.manifest
    assert "attachment" in answer["Content-Disposition"]
    other = make_run(run.revision)
    assert client.get(reverse("export_manifest", args=[other.pk, export.pk])).status_code == 404
    client.force_login(outsider)
    assert client.get(reverse("export_manifest", args=[run.pk, export.pk])).status_code == 404
    assert client.get(address).status_code == 404
    assert client.post(address, {"iteration": 1, "kind": "pool", "format": "whetstone"}).status_code == 404


def test_the_queries_do_not_grow_with_the_exports(
    client: Client, run: Run, address: str, viewer: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(viewer)
    with django_assert_max_num_queries(10) as few:
        client.get(address)
    iteration = Iteration.objects.get(number=1)
    Export.objects.bulk_create(Export(iteration=iteration, kind="pool", format="whetstone") for _ in range(40))
    with django_assert_max_num_queries(len(few)):
        page = client.get(address).content.decode()
    oldest = Export.objects.order_by("-id")[29].pk
    assert f"before={oldest}" in page
    assert client.get(address, {"before": oldest}).content.decode().count("its manifest") == 10


@pytest.mark.parametrize(("name", "query", "rows"), [("pool", {"outcome": "exact", "q": "days"}, 7), ("pairs", {}, 3)])
def test_the_list_of_a_filter_leads_to_its_export(
    client: Client, run: Run, viewer: User, name: str, query: dict[str, str], rows: int
) -> None:
    client.force_login(viewer)
    page = client.get(reverse(name, args=[run.pk, 1]), query).content.decode()
    link = re.search(r'class="export" href="([^"]+)"', page)
    assert link
    assert f"{', filtered' if query else ''}: {rows} rows" in client.get(html.unescape(link[1])).content.decode()
