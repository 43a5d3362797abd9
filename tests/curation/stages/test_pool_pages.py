"""The pool, a sample and a refine pair as pages: what they show, to whom, and at what cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from curation.models import DatasetRevision, Evaluation, EvaluationItem, Generation, Iteration, Run, Sample, User
from curation.stages import commenting, correcting, review, running
from toolcalls.answers import Call
from toolcalls.rendering import render

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]
Get = Callable[..., str]


def answers(iteration: int, sample: Any, turn: int, attempt: int) -> str:
    """sample-0 is right but for its third refinement; sample-1 is one day off, then with another city too; the rest fails."""
    if sample.truth is None:
        return "No."
    (call, number) = (sample.truth[0], int(sample.id.removeprefix("sample-")))
    if number == 0 and not (turn and attempt == 2):
        return render(sample.truth)
    if number == 1:
        changed = {**call.arguments, "days": 9, **({"city": "Bergen"} if attempt else {})}
        return render([replace(call, arguments=changed)]) if not turn or attempt else render(sample.truth)
    return "I <b>cannot</b>." if number == 2 else render([Call("other_tool", {"x": 1})])


@pytest.fixture
def iteration(make_run: Any, make_dataset: Any, make_hand: Any) -> Iteration:
    run: Run = make_run(make_dataset(train=8, heldout=3), max_iterations=2, review="required", k=3)
    running.start_run(run)
    make_hand(skill=answers).work_off()
    return Iteration.objects.select_related("run__project__team").get(run=run, number=1)


@pytest.fixture
def get(iteration: Iteration, reviewer: User) -> Get:
    """`get("pool/?hits=1")`: the page below the iteration as a reviewer sees it; with `target`, the fragment for htmx."""

    def read(path: str, *, by: User = reviewer, status: int = 200, target: str = "") -> str:
        client = Client()
        client.force_login(by)
        headers = {"HX-Request": "true", "HX-Target": target} if target else {}
        response = client.get(f"/runs/{iteration.run_id}/iterations/1/{path}", headers=headers)
        assert response.status_code == status, response.content.decode()[:500]
        return response.content.decode()

    return read


def pk(number: int) -> int:
    return Sample.objects.values_list("pk", flat=True).get(key=f"sample-{number}")


def test_the_pool_shows_what_was_asked_and_how_it_went(get: Get) -> None:
    page = get("pool/")
    assert "What is the weather in Rome for 1 days?" in page
    assert "get_weather(days: 1 → 9, city: " not in page  # the most frequent other answer comes first
    assert page.count('class="verdict ') == 8
    assert "I &lt;b&gt;cannot&lt;/b&gt;." in page
    assert "<b>cannot" not in page


def test_a_fragment_is_the_list_alone(get: Get) -> None:
    fragment = get("pool/?outcome=exact", target="list")
    assert "<html" not in fragment
    assert fragment.count('class="verdict ') == 1
    assert 'aria-label="Remove Verdict: exact"' in fragment
    rows = get("pool/", target="more")
    assert rows.count('class="verdict ') == 8
    assert 'class="chosen"' not in rows


def test_a_fragment_is_not_taken_for_the_page_at_its_address(iteration: Iteration, reviewer: User) -> None:
    client = Client()
    client.force_login(reviewer)
    varies = client.get(f"/runs/{iteration.run_id}/iterations/1/pool/").headers["Vary"]
    assert {"HX-Request", "HX-Target", "Cookie"} <= set(varies.split(", "))


def test_facets_count_tools_of_the_longest_names_that_can_be_imported(
    make_run: Any, make_dataset: Any, make_sample: Any, make_hand: Any, reviewer: User
) -> None:
    name = "t" * 256
    tool = {"name": name, "parameters": {"type": "object", "properties": {}}}
    odd = make_sample(1, truth=(Call(name, {}),), tools=(tool,))
    run = make_run(make_dataset([make_sample(0), odd, make_sample(2, split="heldout")]), max_iterations=1, review="required")
    running.start_run(run)
    make_hand(skill=answers).work_off()
    client = Client()
    client.force_login(reviewer)
    page = client.get(f"/runs/{run.pk}/iterations/1/pool/facets/")
    assert page.status_code == 200 and f"tool={name}" in page.content.decode()
    assert client.get(f"/runs/{run.pk}/iterations/1/pool/?tool={name}").status_code == 200


def test_the_pool_asks_as_many_queries_for_two_rows_as_for_eight(get: Get, iteration: Iteration) -> None:
    counts = []
    for path in ("pool/?hits=3", "pool/", "pool/?q=weather"):
        with CaptureQueriesContext(
            connection,
        ) as told:
            get(path)
        counts.append(len(told))
        assert not any("curation_generation" in query["sql"] for query in told.captured_queries)
    assert counts[0] == counts[1] == counts[2] - 1  # a search asks first how much it finds


def test_facets_lead_to_what_they_count(get: Get) -> None:
    facets = get("pool/facets/?category=simple")
    assert "<strong>8</strong>" in facets
    assert "outcome=wrong_tool&amp;category=simple" in facets
    assert 'name="expected" value="8"' in facets
    assert '<input type="hidden" name="category" value="simple">' in facets


def test_a_sample_shows_equal_answers_together_and_what_differs(get: Get) -> None:
    page = get(f"pool/{pk(1)}/")
    assert "1 of 3 attempts came near the truth (within 1 parameter of each call), none of them exact." in page
    assert "<b>1×</b>" in page
    assert "<b>2×</b>" in page
    assert "<del>1</del>" in page
    assert "<ins>&quot;Bergen&quot;</ins>" in page
    assert "near: 1 parameter off" in page
    assert "2 parameters off" in page
    assert page.index("near: 1 parameter off") < page.index("2 parameters off")


def test_an_answer_tells_its_dialect_and_what_the_tools_do_not_allow(get: Get, iteration: Iteration) -> None:
    write(iteration, 3, 0, 'Gladly.\n<tool_call>{"name": "get_weather", "arguments": {"city": 7, "wind": true}}</tool_call>')
    write(iteration, 3, 1, '[get_weather(city="Oslo"')
    page = get(f"pool/{pk(3)}/")
    assert "· hermes form" in page
    assert "Read past prose." in page
    assert "city: a text is needed, not 7" in page
    assert "&#x27;get_weather&#x27; has no parameter &#x27;wind&#x27;" in page
    assert "It cannot be read: cut off: " in page


def write(iteration: Iteration, number: int, attempt: int, text: str) -> None:
    """Another answer than the one that was given."""
    version = iteration.verdicts.get(sample=pk(number), turn=0).version_id
    wanted = Generation.objects.filter(iteration=iteration, version_id=version, turn=0, attempt=attempt)
    assert wanted.update(text=text, answer_key=uuid4()) == 1


def test_an_answer_in_words_is_shown_and_never_run(get: Get) -> None:
    page = get(f"pool/{pk(2)}/", target="panel")
    assert "<html" not in page
    assert "<b>3×</b>" in page
    assert "I &lt;b&gt;cannot&lt;/b&gt;." in page
    assert "the nearest calls nothing" in page


def test_neighbours_keep_to_the_filter(get: Get) -> None:
    page = get(f"pool/{pk(1)}/?outcome=approximate")
    assert 'data-before=""' in page
    assert 'data-after=""' in page
    assert "?outcome=approximate" in page


def test_a_pair_shows_what_is_to_change_and_what_came_of_it(get: Get) -> None:
    page = get(f"pairs/{pk(1)}/")
    assert "Please refine your answer." in page
    assert "<del>9</del>" in page
    assert "<ins>1</ins>" in page
    assert "small fix" in page
    assert "(Eq. 3)" in page
    assert "stop" in get("pairs/?change=stop", target="list")


def test_a_pair_that_was_right_says_how_often_it_was_broken(get: Get) -> None:
    page = get(f"pairs/{pk(0)}/")
    assert "1 of 3 broke it" in page
    assert "stop" in page
    assert "broke it" not in get(f"pairs/{pk(1)}/")


def test_a_corrected_truth_stands_beside_the_one_that_was_judged(get: Get, iteration: Iteration, reviewer: User) -> None:
    sample = Sample.objects.get(key="sample-1")
    truth = [{"name": "get_weather", "arguments": {"city": "Oslo", "days": 9}}]
    correcting.fix_truth(iteration.run, iteration, sample, truth, reviewer, "they meant nine")
    page = get(f"pool/{sample.pk}/")
    assert "The truth was corrected" in page
    assert "they meant nine" in page
    assert "Truth fixed" in page
    assert "3 of 3 attempts came near" in page


def test_comments_and_decisions_are_shown(get: Get, iteration: Iteration, reviewer: User, viewer: User) -> None:
    sample = Sample.objects.get(key="sample-1")
    commenting.comment(iteration.run, sample, "<script>alert(1)</script> odd", reviewer)
    review.decide(iteration.run, iteration, sample, 0, "drop", reviewer, "no use")
    page = get(f"pool/{sample.pk}/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; odd" in page
    assert ">no use</q>" in page
    assert 'aria-pressed="true">Drop' in page
    assert 'title="1 comment"' in get("pool/")
    seen = get(f"pool/{sample.pk}/", by=viewer)
    assert 'name="kind"' not in seen
    assert "no use" in seen


def test_held_out_samples_lead_to_the_items_of_the_evaluation(iteration: Iteration, reviewer: User) -> None:
    evaluation, client = Evaluation.objects.get(iteration__run=iteration.run, iteration__number=0), Client()
    client.force_login(reviewer)
    pool = f"/runs/{iteration.run_id}/iterations/0/pool/"
    answer = client.get(f"{pool}?split=heldout&direct=right&q=rome&after=7")
    assert answer.headers["Location"] == f"/evaluations/{evaluation.pk}/items/?direct=right&q=rome"
    listed = client.get(f"{pool}?split=heldout&direct=right", follow=True).content.decode()
    assert listed.count('class="verdict"') == 3 and "direct right" in listed
    shown = client.get(f"{pool}{pk(8)}/", follow=True).content.decode()
    assert "<h3>Truth</h3>" in shown and "the same text again" in shown and "Say something" in shown


def test_what_was_not_evaluated_yet_says_why(get: Get, iteration: Iteration) -> None:
    for path in ("pool/?split=heldout", f"pool/{pk(8)}/"):
        page = get(path)  # this iteration waits for its review: its model is not there yet
        assert "The model of this iteration has not been evaluated yet: that follows its training." in page
        assert f'<a href="/runs/{iteration.run_id}/iterations/0/pool/?split=heldout">iteration 0</a>' in page
    answered = EvaluationItem.objects.filter(iteration__number=0).first()
    answered.pk, answered.iteration = None, iteration
    answered.save()
    assert "is being evaluated: 1 of 3 samples" in get("pool/?split=heldout")
    EvaluationItem.objects.filter(pk=answered.pk).delete()
    Iteration.objects.filter(pk=iteration.pk).update(state="stopped")
    assert "Iteration 1 was stopped before its model was evaluated." in get("pool/?split=heldout")


def test_a_run_without_held_out_samples_says_so(get: Get, iteration: Iteration) -> None:
    DatasetRevision.objects.filter(pk=iteration.run.revision_id).update(heldout=0)
    assert "weather r1 has no held-out samples: there is nothing to evaluate on." in get("pool/?split=heldout")


def test_strangers_see_nothing_and_mistakes_are_named(get: Get, outsider: User) -> None:
    for path in ("pool/", "pool/facets/", "pairs/", f"pool/{pk(1)}/", f"pairs/{pk(1)}/", "pool/?split=heldout", f"pool/{pk(8)}/"):
        get(path, by=outsider, status=404)
    assert "is not known" in get("pool/?sample__key=1", status=422)
    assert "is not known" in get("pool/?split=heldout&outcome=exact", status=422)
    get("pool/?after=nonsense", status=422)
    get("pool/?change=stop", status=422)
    get("pool/999999/", status=404)
    get("pairs/999999/", status=404)
