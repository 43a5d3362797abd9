"""The form of an evaluation by itself, and pages of published outputs, which nobody refined."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Base, Benchmark, DatasetRevision, Engine, Evaluation, Run, User
from curation.stages import published
from tests.curation.evaluations.made_up import items, right, wrong

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def address(benchmark: Benchmark) -> str:
    project = benchmark.revision.dataset.project
    return reverse("evaluation_new", args=[project.team.slug, project.slug])


def test_an_engineer_has_a_base_evaluated(
    client: Client, address: str, benchmark: Benchmark, base: Base, engine: Engine, engineer: User
) -> None:
    client.force_login(engineer)
    page = client.get(f"{address}?model=base:tiny").content.decode()
    assert 'value="base:tiny" selected' in page and f'<option value="{benchmark.pk}">BFCL' in page
    typed = {"model": "base:tiny", "engine": "scripted", "revision": str(benchmark.pk), "turns": "10", "name": "Ten"}
    answer = client.post(address, typed)
    run = Run.objects.get()
    assert answer["Location"] == reverse("run", args=[run.pk])
    assert (run.purpose, run.state, run.choices.refine_turns, run.name) == ("evaluation", "running", 10, "Ten")
    assert (run.revision_id, run.created_by) == (benchmark.pk, engineer)
    assert client.get(answer["Location"]).status_code == 200
    listed = client.get(reverse("benchmarks", args=[run.project.team.slug, run.project.slug])).content.decode()
    assert "Under way" in listed and ">Ten</a>" in listed


def test_a_held_out_split_can_be_chosen_too(
    client: Client, address: str, make_dataset: Callable[..., DatasetRevision], base: Base, engine: Engine, engineer: User
) -> None:
    client.force_login(engineer)
    split = make_dataset()
    page = client.get(f"{address}?revision={split.pk}").content.decode()
    assert "Held-out splits" in page and f'<option value="{split.pk}" selected>{split}, {split.heldout} held out' in page
    client.post(address, {"model": "base:tiny", "engine": "scripted", "revision": str(split.pk), "turns": "10"})
    made = Run.objects.latest("pk")
    assert (made.purpose, made.revision, made.state) == ("evaluation", split, "running")


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"model": "base:none"}, "no base"), ({"revision": "0"}, "choose a revision"), ({"turns": "x"}, "a whole number expected")],
)
def test_what_cannot_be_evaluated_is_said_on_the_form(
    client: Client, address: str, benchmark: Benchmark, base: Base, engine: Engine, engineer: User, changed: Any, words: str
) -> None:
    client.force_login(engineer)
    typed = {"model": "base:tiny", "engine": "scripted", "revision": str(benchmark.pk), "turns": "7", **changed}
    answer = client.post(address, typed)
    assert answer.status_code == 422 and words in answer.content.decode() and not Run.objects.exists()


def test_published_outputs_have_direct_answers_alone(
    client: Client, benchmark: Benchmark, viewer: User, tmp_path: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    file = tmp_path / "BFCL_v4_multiple_result.json"
    texts = {item.id: right(item) if place % 3 else wrong(item, place) for place, item in enumerate(items())}
    lines = [json.dumps({"id": name, "result": text}) for name, text in texts.items()]
    file.write_text("\n".join(lines[:-1]))
    with django_capture_on_commit_callbacks(execute=True):
        published.store_outputs(benchmark.revision.dataset.project, benchmark, file, missing="leave_out")
    found = Evaluation.objects.get()
    client.force_login(viewer)
    page = client.get(reverse("evaluation", args=[found.pk])).content.decode()
    assert "By category" in page and "Direct against adaptive" not in page and "Broken" not in page and "Overall, direct" in page
    assert "1 item has no output" in page and "is left out of every figure" in page
    listed = client.get(reverse("evaluation_items", args=[found.pk]), {"direct": "wrong"}).content.decode()
    assert "direct wrong" in listed and "adaptive" not in listed
    item = found.iteration.evaluation_items.first()
    shown = client.get(reverse("evaluation_item", args=[found.pk, item.version.sample_id])).content.decode()
    assert "Adaptive self-refine stops" not in shown
    results = client.get(reverse("benchmarks", args=["tools", "weather"])).content.decode()
    assert "published outputs" in results and "n\u00a0=" not in results
