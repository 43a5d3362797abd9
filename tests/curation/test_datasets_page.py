"""Data sets: their list, a revision's samples found by filter and by word, and the download that imports as the same again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import DatasetRevision, Project, User
from curation.stages.importing import import_dataset
from curation.stages.revision_lines import revision_lines
from toolcalls.records import Message, Sample

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def revision(make_dataset: Callable[..., DatasetRevision], make_sample: Callable[..., Sample]) -> DatasetRevision:
    """Forty samples to train on, one of them Chinese, and two held out; one calls nothing."""
    samples = [make_sample(number) for number in range(38)]
    samples += [make_sample(38, truth=None), make_sample(39, messages=(Message("user", "罗马天气怎么样"),), language="zh")]
    samples += [make_sample(number, split="heldout") for number in (40, 41)]
    return make_dataset(samples)


@pytest.fixture
def page(client: Client, revision: DatasetRevision, viewer: User) -> Callable[..., str]:
    """`page(split="train")`: the data set's page as a viewer has it."""
    client.force_login(viewer)

    def get(status: int = 200, **query: object) -> str:
        answer = client.get(reverse("dataset", args=[revision.dataset_id]), query)
        assert answer.status_code == status
        return answer.content.decode()

    return get


def shown(page: str) -> int:
    return page.count('<details class="sample">')


def test_list_shows_each_data_set_with_its_last_revision(
    client: Client, revision: DatasetRevision, project: Project, viewer: User, outsider: User
) -> None:
    address = reverse("datasets", args=[project.team.slug, project.slug])
    client.force_login(viewer)
    page = client.get(address).content.decode()
    assert reverse("dataset", args=[revision.dataset_id]) in page
    assert "no_call" in page and "zh" in page and "Upload a file" not in page
    client.force_login(outsider)
    assert client.get(address).status_code == 404


def test_list_takes_as_many_queries_for_many_as_for_one(
    client: Client,
    revision: DatasetRevision,
    make_dataset: Callable[..., DatasetRevision],
    project: Project,
    viewer: User,
    django_assert_max_num_queries: Any,
) -> None:
    address = reverse("datasets", args=[project.team.slug, project.slug])
    client.force_login(viewer)
    with django_assert_max_num_queries(9) as few:
        client.get(address)
    for number in range(3):
        make_dataset(name=f"more {number}")
    with django_assert_max_num_queries(len(few)):
        client.get(address)
    with django_assert_max_num_queries(len(few) - 1):  # what a revision is made of is counted once
        client.get(address)


def test_samples_come_in_pages_in_the_revision_s_order(page: Callable[..., str]) -> None:
    first = page()
    assert shown(first) == 30 and "after=29" in first
    second = page(revision=1, after=29)
    assert shown(second) == 12 and "First page" in second and "after=" not in second
    assert "sample-29<" in first and "sample-30<" in second


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"split": "heldout"}, 2),
        ({"category": "no_call"}, 1),
        ({"language": "zh"}, 1),
        ({"language": "-", "split": "train", "after": "29"}, 9),
        ({"q": "oslo 2 days"}, 1),
        ({"q": "天气"}, 1),
        ({"q": "zanzibar"}, 0),
        ({"q": "!?"}, 0),
        ({"q": "get_weather", "split": "heldout"}, 2),
    ],
)
def test_samples_are_found_by_filter_and_by_word(page: Callable[..., str], query: dict[str, str], count: int) -> None:
    assert shown(page(**query)) == count


def test_facets_are_counted_under_the_other_choices(page: Callable[..., str]) -> None:
    text = " ".join(page(split="heldout").split())
    assert 'simple <span class="soft">2</span>' in text
    assert "no_call" not in text
    assert 'train <span class="soft">40</span>' in text


@pytest.mark.parametrize(
    "query",
    [
        {"split": "test"},
        {"after": "x"},
        {"after": "9" * 12},
        {"sample__dataset__project": "1"},
        {"category": "a\0"},
        {"q": "x" * 201},
    ],
)
def test_a_query_that_cannot_be_is_refused_in_words(page: Callable[..., str], query: dict[str, str]) -> None:
    page(422, **query)


def test_a_revision_that_is_not_there_is_not_found(page: Callable[..., str]) -> None:
    page(404, revision="2")
    page(404, revision="x")


def test_an_older_revision_shows_its_own_samples(page: Callable[..., str], revision: DatasetRevision, make_dataset: Any) -> None:
    newer = make_dataset(train=4, heldout=0)
    assert newer.number == 2
    assert shown(page()) == 4
    assert shown(page(revision=1)) == 30


def test_a_sample_is_shown_with_its_tools_and_truth_as_text(
    client: Client, viewer: User, make_dataset: Callable[..., DatasetRevision], make_sample: Callable[..., Sample]
) -> None:
    evil = "<script>alert(1)</script>"
    tool = {"name": "f", "description": evil, "parameters": {"x": {"type": ["string", "null"], "description": 5}, "y": 3}}
    other = {"name": "g", "parameters": "none"}
    sample = make_sample(0, messages=(Message("user", evil),), tools=(tool, other), other=evil, truth=())
    made = make_dataset([sample, make_sample(1, split="heldout", other=evil)])
    client.force_login(viewer)
    text = client.get(reverse("dataset", args=[made.dataset_id])).content.decode()
    assert evil not in text and "&lt;script&gt;" in text
    assert "get_weather" in text and "&quot;Oslo&quot;" in text


def test_a_download_imports_as_the_same_revision(
    client: Client, revision: DatasetRevision, project: Project, viewer: User, outsider: User
) -> None:
    address = reverse("dataset_download", args=[revision.dataset_id, 1])
    client.force_login(viewer)
    answer = client.get(address)
    assert answer["Content-Disposition"] == 'attachment; filename="weather-r1.jsonl"'
    content = b"".join(answer.streaming_content)
    again = import_dataset(project, "again", io.BytesIO(content), format="whetstone")
    assert again.revision.sha256 == revision.sha256
    assert (again.revision.train, again.revision.heldout) == (40, 2)
    client.force_login(outsider)
    assert client.get(address).status_code == 404


def test_lines_are_complete_beyond_one_block(make_dataset: Callable[..., DatasetRevision], make_samples: Any) -> None:
    samples = make_samples(1201, 2)
    revision = make_dataset(samples)
    lines = b"".join(revision_lines(revision)).decode().splitlines()
    assert len(lines) == 1203
    assert [json.loads(line)["id"] for line in lines] == [sample.id for sample in samples]


def test_another_team_s_data_set_is_not_found(client: Client, revision: DatasetRevision, outsider: User) -> None:
    client.force_login(outsider)
    assert client.get(reverse("dataset", args=[revision.dataset_id])).status_code == 404
