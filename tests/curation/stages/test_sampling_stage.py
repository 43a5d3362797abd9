"""Sampling and refinement: what is asked of the engine, and which rows its answers become."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from django.db import connection, transaction

from curation.models import Generation, Iteration, RefinePair, Run, SampleVersion, Shard, Verdict
from curation.stages import refinement, running, sampling, shards
from curation.stages.shards import Claim
from toolcalls.prompts import REFINE_PROMPT, run_messages, system_text
from toolcalls.records import Message, Sampling
from toolcalls.sampling import attempt_seed

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]
WRONG = '[get_weather(city="Nowhere", days=99)]'


@pytest.fixture
def begin(make_run: Callable[..., Run], make_dataset: Callable[..., Any], make_sample: Callable[..., Any], hand: Any) -> Any:
    """`begin(*samples, **settings)`: the claim of iteration 1's only sampling shard."""

    def made(*samples: Any, **choices: Any) -> Claim:
        heldout = make_sample(99, split="heldout")
        run = make_run(make_dataset([*samples, heldout]), shard_samples=64, **{"max_iterations": 1, **choices})
        running.start_run(run)
        hand.work_off(1)
        claim: Claim = hand.claim(kinds=["sampling"])
        return claim

    return made


def row(key: str, turn: int = 0) -> Any:
    return Verdict.objects.get(version__sample__key=key, turn=turn)


def test_a_request_states_everything_and_its_seeds_name_the_attempt(begin: Any, make_sample: Callable[..., Any]) -> None:
    sample = make_sample(3)
    claim = begin(sample, k=3, seed=11, temperature=0.7, max_new_tokens=20)
    (request,) = sampling.requests(claim)
    version = SampleVersion.objects.get(sample__key="sample-3")
    assert request.id == str(version.pk)
    assert request.messages == run_messages(sample, claim.settings)
    assert request.seeds == tuple(attempt_seed(11, 1, version.sha256, 0, attempt) for attempt in range(3))
    assert request.sampling == Sampling(temperature=0.7, max_new_tokens=20)


@pytest.mark.parametrize(("prompts", "system"), [("fixed", "figure 5"), ("keep", "the source's own")])
def test_the_system_prompt_follows_the_settings(begin: Any, make_sample: Callable[..., Any], prompts: str, system: str) -> None:
    sample = make_sample(3, system="the source's own")
    (request,) = sampling.requests(begin(sample, prompts=prompts))
    assert request.messages[0] == Message("system", system_text(sample) if system == "figure 5" else system)


def test_every_attempt_is_judged_and_counted(begin: Any, hand: Any, make_sample: Callable[..., Any]) -> None:
    claim = begin(make_sample(0), make_sample(1), k=3)
    texts = {0: '[get_weather(city="Rome", days=1)]', 1: '[get_weather(city="Rome", days=2)]', 2: WRONG}
    hand.skill = lambda iteration, sample, turn, attempt: texts[attempt] if sample.id == "sample-0" else WRONG
    hand.do(claim)
    hit, miss = row("sample-0"), row("sample-1")
    assert (hit.attempts, hit.exact_hits, hit.approximate_hits, hit.first_hit, hit.reason) == (3, 1, 2, 0, "")
    assert (miss.exact_hits, miss.approximate_hits, miss.first_hit, miss.reason) == (0, 0, None, "param_mismatch")
    assert (miss.reasons, miss.other_answer, miss.other_count) == ({"param_mismatch": 3}, WRONG, 3)
    assert (hit.category, hit.calls, hit.checkpoint_id, hit.comparator) == ("simple", 1, None, "2:schema_defaults,tolerance=1")
    stored = Generation.objects.filter(version_id=hit.version_id).order_by("attempt")
    assert [(one.text, one.max_param_diff) for one in stored] == [(texts[0], 0), (texts[1], 1), (texts[2], 2)]
    assert stored[0].calls == [{"name": "get_weather", "arguments": {"city": "Rome", "days": 1}}]
    asked = {request.id: request.seeds for request in sampling.requests(claim)}
    assert tuple(one.seed for one in stored) == asked[str(hit.version_id)]


def test_answers_that_postgres_cannot_hold_are_stored_as_it_can(begin: Any, hand: Any, make_sample: Callable[..., Any]) -> None:
    hand.skill = lambda iteration, sample, turn, attempt: ['[f(a="\\u0000", b=1e999)]', "nul \x00 and \ud800 half"][attempt]
    hand.do(begin(make_sample(0)))
    assert Generation.objects.get(attempt=1).text == "nul \ufffd and \ufffd half"
    assert Generation.objects.filter(attempt=0).exists()


def test_a_truth_that_calls_nothing_is_counted_but_not_selected(begin: Any, hand: Any, make_sample: Callable[..., Any]) -> None:
    hand.skill = lambda *_: "Sorry, I have no tool for that."
    hand.do(begin(make_sample(0, truth=None), make_sample(1)))
    verdict = row("sample-0")
    assert (verdict.excluded, verdict.approximate_hits) == (True, 2)
    assert not Verdict.objects.selected().exists()
    hand.work_off()
    assert not RefinePair.objects.filter(version=verdict.version).exists()


def test_such_a_truth_is_selected_where_any_no_call_is_a_hit(begin: Any, hand: Any, make_sample: Callable[..., Any]) -> None:
    hand.skill = lambda *_: "Sorry, I have no tool for that."
    hand.do(begin(make_sample(0, truth=None), make_sample(1), no_call_policy="any_no_call"))
    assert [verdict.version.sample.key for verdict in Verdict.objects.selected()] == ["sample-0"]


def test_a_refinement_shows_the_first_answer_as_it_was_written(begin: Any, hand: Any, make_sample: Callable[..., Any]) -> None:
    sample = make_sample(0)
    hand.skill = lambda iteration, sample, turn, attempt: f"  answer {attempt} "
    claim = begin(sample)
    hand.do(claim)
    (request,) = refinement.requests(hand.claim(kinds=["refinement"]))
    first, asked = Message("assistant", "  answer 0 "), Message("user", REFINE_PROMPT)
    assert request.messages == (*run_messages(sample, claim.settings), first, asked)
    assert not set(request.seeds) & set(sampling.requests(claim)[0].seeds)


def test_pairs_say_whether_the_first_answer_was_the_truth(begin: Any, hand: Any, make_sample: Callable[..., Any]) -> None:
    texts = {
        "sample-0": '[get_weather(city="Rome", days=1)]',
        "sample-1": '[get_weather(days=1, city="Oslo")]',
        "sample-2": WRONG,
        "sample-3": "",
    }
    hand.skill = lambda iteration, sample, turn, attempt: texts[sample.id]
    hand.do(begin(*map(make_sample, range(4))))
    claim = hand.claim(kinds=["refinement"])
    assert len(refinement.requests(claim)) == 3
    hand.do(claim)
    pairs = {pair.version.sample.key: pair for pair in RefinePair.objects.all()}
    flags = {key: (pair.usable, pair.identical_exact, pair.identical_text) for key, pair in pairs.items()}
    assert flags == {
        "sample-0": (True, True, True),
        "sample-1": (True, True, False),
        "sample-2": (True, False, False),
        "sample-3": (False, False, False),
    }
    assert Verdict.objects.refine().count() == 3
    iteration = Iteration.objects.get(number=1)
    assert (iteration.selected_direct, iteration.selected_refine) == (2, 2)
    assert (iteration.identical_exact, iteration.identical_text, iteration.pool) == (2, 1, 4)


def test_a_shard_without_a_usable_first_answer_needs_no_engine(begin: Any, hand: Any, make_sample: Callable[..., Any]) -> None:
    hand.skill = lambda *_: ""
    hand.do(begin(make_sample(0)))
    claim = hand.claim(kinds=["refinement"])
    assert refinement.requests(claim) == []
    refinement.store(claim, {})
    assert not RefinePair.objects.get().usable


def test_only_selected_samples_are_refined_where_the_scope_says_so(
    begin: Any, hand: Any, make_sample: Callable[..., Any]
) -> None:
    hand.skill = lambda iteration, sample, turn, attempt: '[get_weather(city="Rome", days=1)]'
    hand.do(begin(make_sample(0), make_sample(5), refine_scope="selected", tolerance=0))
    claim = hand.claim(kinds=["refinement"])
    assert claim.versions == (row("sample-0").version_id,)


def test_a_greedy_first_answer_is_asked_for_apart_and_counts_as_no_attempt(
    begin: Any, hand: Any, make_sample: Callable[..., Any]
) -> None:
    claim = begin(make_sample(0), first_answer="greedy")
    direct, greedy = sampling.requests(claim)
    assert (int(greedy.id), len(greedy.seeds), greedy.sampling.temperature) == (-int(direct.id), 1, 0.0)
    answers = hand.answers(claim, [direct], 0)
    hand.skill = lambda *_: "the greedy one"
    sampling.store(claim, answers | hand.answers(claim, [greedy], 0))
    assert row("sample-0").attempts == 2
    assert Generation.objects.get(attempt=sampling.GREEDY_ATTEMPT).text == "the greedy one"
    (request,) = refinement.requests(hand.claim(kinds=["refinement"]))
    assert request.messages[-2].content == "the greedy one"


def test_generations_lie_in_their_iterations_partition(begin: Any, hand: Any, make_sample: Callable[..., Any]) -> None:
    claim = begin(make_sample(0))
    hand.do(claim)
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM curation_generation")
        assert cursor.fetchall() == [(f"curation_generation_{claim.iteration_id}",)]
    with transaction.atomic():
        sampling.ensure_partition(Iteration.objects.get(pk=claim.iteration_id))
    assert shards.claim_next("hand") is not None


def test_an_iteration_opens_while_another_run_is_writing(
    make_run: Callable[..., Run], make_dataset: Callable[..., Any], hand: Any
) -> None:
    revision = make_dataset()
    running.start_run(make_run(revision, max_iterations=1))
    hand.work_off(1 + 1)
    running.start_run(make_run(revision, max_iterations=1))
    written = threading.Event()
    opened = threading.Event()

    def write() -> None:
        with transaction.atomic():
            hand_row = Generation.objects.order_by("version_id", "attempt").values().first()
            Generation.objects.create(**{**hand_row, "attempt": 77})
            written.set()
            opened.wait(10)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    written.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    hand.do(hand.claim(kinds=["evaluation"]))
    assert Shard.objects.filter(stage__kind="sampling", state="pending").count() == 3
    opened.set()
    writer.join()
