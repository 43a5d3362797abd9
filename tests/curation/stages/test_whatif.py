"""What if: another k or tolerance of an iteration, by a query that must say what toolcalls' own selection says."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from itertools import product
from typing import Any

import pytest

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse

from curation.models import Generation, Iteration, Run, User, Verdict
from curation.models.verdicts import UNKNOWN
from curation.pages import whatif_page
from curation.stages import correcting, judging, pool, review, running, selection, undoing, whatif
from curation.stages.approaches import approach_of, read
from curation.stages.errors import InputError
from curation.stages.refinement import generation
from curation.stages.saturation import Bounds, saturation
from curation.stages.whatif import NO_PAIR, Question
from toolcalls.answers import Call
from toolcalls.records import Judgement, Sample
from toolcalls.rendering import render
from toolcalls.selection import judge, verdict

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

K = 4
SAMPLES = 24  # every sixth of them calls nothing
TOLERANCES = (0, 1, 2, 5)


def by_chance(seed: int) -> Callable[[int, Sample, int, int], str]:
    """Writes whatever a model may write, rightly or not; many samples have their first hit late or never."""

    def write(iteration: int, sample: Sample, turn: int, attempt: int) -> str:
        chance = random.Random(f"{seed} {sample.id} {turn} {attempt}")
        if sample.truth is None:
            return chance.choice(["No tool can do that.", "", '[get_weather(city="Rome", days=1)]'])
        (call,) = sample.truth
        wrong = dict(call.arguments)
        for name in chance.sample(["city", "days", "unit"], chance.randint(1, 3)):
            wrong[name] = "wrong"
        near, twice = render([Call(call.name, wrong)]), render([call, call])
        return chance.choice([render([call]), near, near, twice, '[other_tool(x="1")]', "[broken(", "I do not know.", ""])

    return write


@pytest.fixture
def make_iteration(make_run: Callable[..., Run], make_dataset: Any, make_sample: Any, make_hand: Any) -> Callable[..., Iteration]:
    """`make_iteration(refine_scope="selected")`: sampled and refined by chance, waiting for its review."""

    def make(seed: int = 0, **choices: Any) -> Iteration:
        samples = [make_sample(n, **({} if n % 6 else {"truth": None})) for n in range(SAMPLES)]
        samples += [make_sample(n, split="heldout") for n in range(SAMPLES, SAMPLES + 2)]
        run = make_run(make_dataset(samples), k=K, max_iterations=2, review="required", shard_samples=8, **choices)
        running.start_run(run)
        make_hand(skill=by_chance(seed)).work_off()
        return run.iterations.select_related("run__project__team").get(number=1)

    return make


@pytest.fixture
def iteration(make_iteration: Callable[..., Iteration]) -> Iteration:
    return make_iteration()


@dataclass
class Oracle:
    """What toolcalls says of the stored texts of every verdict that a selection counts, judged anew."""

    iteration: Iteration

    def __post_init__(self) -> None:
        run, of = self.iteration.run, Verdict.objects.filter(iteration=self.iteration)
        self.verdicts = list(of.exclude(sample__in=pool.dropped_samples(run)).exclude(pool.outdated(run)).order_by("pk"))
        self.comparator = pool.comparator_of(run.choices)
        samples = pool.load({each.version_id for each in self.verdicts})
        self.attempts = {each.pk: self._attempts(each, samples[each.version_id].sample) for each in self.verdicts}

    def _attempts(self, of: Verdict, sample: Sample) -> list[tuple[Any, Any]]:
        rows = Generation.objects.filter(iteration=self.iteration, version_id=of.version_id, turn=of.turn, attempt__gte=0)
        attempts = [generation(row) for row in rows.order_by("attempt")]
        return [(one, judge(one, sample, self.comparator, "any_no_call")) for one in attempts]

    def outcomes(self, question: Question) -> dict[Verdict, str]:
        """As the selection would have it, with the first k attempts alone."""
        found = {each: self._outcome(each, question) for each in self.verdicts}
        if self.iteration.run.choices.refine_scope == "all":
            return found
        direct = {each.version_id for each, outcome in found.items() if not each.turn and outcome in whatif.HITS}
        return {each: NO_PAIR if each.turn and each.version_id not in direct else out for each, out in found.items()}

    def _outcome(self, of: Verdict, question: Question) -> str:
        first = self.attempts[of.pk][: question.k]
        found = verdict([one for one, _ in first], [said for _, said in first], self.comparator, question.tolerance, k=question.k)
        return judging.outcome(found, excluded=of.excluded)


def check(iteration: Iteration) -> None:
    """Every k and tolerance, counted, and listed."""
    oracle, stored = Oracle(iteration), whatif.Stored(iteration)
    for tolerance, turn in product(TOLERANCES, (0, 1)):
        by_k = [_check(oracle, stored, Question(k, tolerance), turn) for k in range(1, K + 1)]
        assert list(stored.answer(Question(1, tolerance)).turns[turn].by_k) == by_k


def _check(oracle: Oracle, stored: whatif.Stored, question: Question, turn: int) -> int:
    """How many are selected."""
    told = {each: now for each, now in oracle.outcomes(question).items() if each.turn == turn}
    answer = stored.answer(question).turns[turn]
    moves = Counter((each.outcome, now) for each, now in told.items())
    assert {(before, now): n for before, to in answer.counts.items() for now, n in to.items()} == moves, question
    assert answer.before == sum(each.outcome in whatif.HITS for each in told)
    assert answer.now == sum(now in whatif.HITS for now in told.values())
    changed = [
        (each.pk, now) for each, now in told.items() if now != UNKNOWN and (each.outcome in whatif.HITS) != (now in whatif.HITS)
    ]
    listed = stored.changes(question, turn=turn, limit=1000)
    assert [(each.id, each.outcome) for each in listed] == changed, question
    for change in whatif.CHANGES:
        assert stored.changes(question, turn=turn, change=change) == [each for each in listed if each.change == change]
        assert getattr(answer, change) == sum(each.change == change for each in listed)
    return answer.now


@pytest.mark.parametrize(
    ("seed", "choices"),
    [
        (1, {}),
        (2, {"refine_scope": "selected"}),
        (3, {"first_answer": "greedy", "no_call_policy": "any_no_call"}),
        (4, {"tolerance": 0, "refine_scope": "selected"}),
        (5, {"tolerance": 2, "nested": True}),
        (6, {"sampling_mode": "until_hit"}),
    ],
)
def test_every_question_is_answered_as_the_selection_would_answer_it(
    make_iteration: Callable[..., Iteration], seed: int, choices: dict[str, Any]
) -> None:
    check(make_iteration(seed, **choices))


def test_what_people_dropped_and_corrected_is_counted_as_the_selection_counts_it(
    iteration: Iteration, reviewer: User, make_sample: Any
) -> None:
    own = whatif.own_question(iteration)
    chosen = Verdict.objects.filter(iteration=iteration).selected().direct().order_by("pk")
    dropped, kept, corrected, taken_back = (each.sample for each in chosen[:4])
    review.decide(iteration.run, iteration, dropped, 0, "drop", reviewer)
    review.decide(iteration.run, iteration, kept, 0, "keep", reviewer)
    bern = [{"name": "get_weather", "arguments": {"city": "Bern", "days": 9}}]
    correcting.fix_truth(iteration.run, iteration, corrected, bern, reviewer)
    fixed = correcting.fix_truth(iteration.run, iteration, taken_back, bern, reviewer)
    undoing.undo_event(fixed.made_by, reviewer)
    answer, counted = whatif.Stored(iteration).answer(own), selection.count(iteration)
    assert [turn.before for turn in answer.turns] == [turn.now for turn in answer.turns] == [counted.direct, counted.refine]
    assert answer.left_out == 4  # both turns of the sample that was dropped, and of the one with another truth
    check(iteration)


@pytest.mark.parametrize("mode", ["all", "until_hit"])
def test_whether_the_run_would_have_ended_is_told_by_the_counts_of_both_iterations(
    make_run: Callable[..., Run], make_hand: Any, client: Client, owner: User, mode: str
) -> None:
    run = make_run(k=2, max_iterations=3, shard_samples=8, sampling_mode=mode)
    running.start_run(run)
    make_hand(skill=later_but_fewer).work_off()
    first, second = (run.iterations.select_related("run").get(number=number) for number in (1, 2))
    assert first.selected is not None and second.selected is not None
    begun = whatif.Stored(first).answer(Question(2, 1)).saturation
    assert begun is not None and begun.previous is None and (begun.before, begun.now) == (False, False)
    own, less = (whatif.Stored(second).answer(question).saturation for question in (Question(2, 1), Question(1, 1)))
    assert own is not None and less is not None
    assert (own.before, own.now) == (False, False) and own.previous is not None
    assert (own.previous.least, own.current.least) == (first.selected, second.selected)
    assert (less.before, less.now) == (False, True) and less.current.least < first.selected
    client.force_login(owner)
    page = client.get(reverse("what_if", args=[run.pk, 2]), {"k": 1}).content.decode()
    assert "ends with iteration 2" in page and "unlike by its own k" in page
    said = client.get(f"/api/v1/runs/{run.pk}/iterations/2/what-if", {"k": 1}).json()["saturation"]
    assert said["now"] is True and said["current"] == {"least": less.current.least, "most": less.current.most}
    out = StringIO()
    call_command("what_if", str(run.pk), "2", "--k", "1", stdout=out)
    assert "the run ends here" in out.getvalue() and "by its own k and tolerance the run goes on" in out.getvalue()


def later_but_fewer(iteration: int, sample: Sample, turn: int, attempt: int) -> str:
    """Iteration 1 hits three samples at once, iteration 2 five, of them only two with attempt 0; the next nothing."""
    number = int(sample.id.removeprefix("sample-"))
    hit = number < 3 if iteration == 1 else number < (2 if attempt == 0 else 5) and iteration == 2
    return render(sample.truth or ()) if hit and not turn else "I do not know."


def test_what_is_not_stored_may_leave_open_whether_the_run_ends() -> None:
    known, perhaps = Bounds(5, 5), Bounds(4, 6)
    assert saturation(5, known, 6, perhaps, 0.0).now is None
    assert saturation(5, known, 6, Bounds(6, 9), 0.0).now is False
    assert saturation(5, perhaps, 4, Bounds(3, 4), 0.0).now is True
    assert saturation(5, known, 6, Bounds(6, 6), 0.25).now is True
    assert saturation(None, None, 0, Bounds(0, 0), 0.0).now is True


def test_an_iteration_that_is_counted_is_read_once(iteration: Iteration, django_assert_max_num_queries: Any) -> None:
    whatif.Stored(iteration)
    with django_assert_max_num_queries(5) as asked:
        whatif.Stored(iteration)
    assert sum("GROUP BY" in each["sql"] for each in asked.captured_queries) == 1  # of what people dropped or corrected


def test_older_verdicts_are_filled_in_as_the_stages_fill_them(make_iteration: Callable[..., Iteration]) -> None:
    make_iteration(6, tolerance=11), make_iteration(7, first_answer="greedy")
    lines = dict(Verdict.objects.order_by("pk").values_list("pk", "approach"))
    assert {"0:0/4"} < set(lines.values())
    with_gap, *_ = Verdict.objects.filter(turn=0).order_by("pk")
    rows = Generation.objects.filter(iteration=with_gap.iteration_id, version_id=with_gap.version_id, turn=0, attempt__gte=0)
    rows.filter(attempt=1).delete()
    left = list(rows.order_by("attempt"))
    lines[with_gap.pk] = approach_of((row.attempt for row in left), left, 11)
    assert lines[with_gap.pk].endswith("/1")
    MigrationExecutor(connection).migrate([("curation", "0009_censored_verdicts")])
    call_command("migrate", "curation", verbosity=0)
    assert dict(Verdict.objects.order_by("pk").values_list("pk", "approach")) == lines


@pytest.mark.parametrize(
    ("differences", "line"),
    [
        ({}, "/0"),
        ({0: "wrong_tool", 1: "unparsable", 2: 3, 3: 3, 4: "too_long", 5: 0, 6: 1}, "0:wrong_tool,2:3,5:0/7"),
        ({0: 12, 1: 10, 2: 2}, "0:10,2:2/3"),
        ({0: "truncated", 2: 1, 5: 0}, "0:truncated,2:1,5:0/1"),  # attempts 1, 3 and 4 are not there
        ({1: 0}, "1:0/0"),
    ],
)
def test_a_line_names_the_attempts_that_came_nearer(differences: dict[int, Any], line: str) -> None:
    judgements = [
        Judgement(None, None, found, "", False) if isinstance(found, str) else Judgement(None, found, "", "", False)
        for found in differences.values()
    ]
    assert approach_of(differences, judgements, 1) == line
    first = next((attempt for attempt, found in differences.items() if isinstance(found, int) and found <= 1), None)
    assert read(line).first_hit(1) == first


def test_a_line_stays_short_whatever_is_sampled() -> None:
    found = [Judgement(None, 99 - number, "", "", False) for number in range(100)]
    line = approach_of(range(100), found, 99)
    assert len(line) < 500
    assert (read(line).first_hit(0), read(line).nearest(10)) == (99, None)


def test_what_is_not_stored_is_not_known(iteration: Iteration) -> None:
    """As of a turn that was sampled until its first hit, or that no attempt is kept of."""
    rows = Verdict.objects.filter(iteration=iteration, turn=0, excluded=False).order_by("pk")
    rows.update(approach="0:wrong_tool,1:2/2", outcome="wrong_tool")
    first = rows[0]
    Verdict.objects.filter(pk=first.pk).update(approach="")
    stored = whatif.Stored(iteration)
    direct = stored.answer(Question(2, 1)).turns[0]
    assert (direct.unknown, direct.now) == (1, 0)
    assert direct.counts["wrong_tool"] == {"param_mismatch": rows.count() - 1, UNKNOWN: 1}
    later = stored.answer(Question(3, 1)).turns[0]
    assert (later.unknown, later.gained, later.lost) == (rows.count(), 0, 0)
    assert stored.answer(Question(3, 2)).turns[0].gained == rows.count() - 1  # two attempts decide where one of them hits
    assert stored.changes(Question(3, 1)) == []
    own = stored.answer(whatif.own_question(iteration)).turns[0]  # which the run has answered from what it had
    assert (own.unknown, own.gained, own.lost) == (0, 0, 0)


def test_pairs_of_samples_that_would_be_gained_were_never_sampled(make_iteration: Callable[..., Iteration]) -> None:
    answer = whatif.Stored(make_iteration(2, refine_scope="selected")).answer(Question(K, 5))
    assert answer.unsampled == answer.turns[0].gained > 0


def test_changes_come_in_pages(iteration: Iteration) -> None:
    stored, question = whatif.Stored(iteration), Question(1, 0)
    whole = stored.changes(question)
    assert len(whole) > 3 and {each.change for each in whole} == {"lost"}
    pages, after = [], 0
    while page := stored.changes(question, after=after, limit=2):
        pages, after = [*pages, *page], page[-1].id
    assert pages == whole


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"k": 0}, "at least 1 attempt"),
        ({"k": 5}, "4 attempts per sample were sampled; 5 need a new run"),
        ({"tolerance": -1}, "tolerance: 0 to 9 parameters, not -1"),
        ({"tolerance": 10}, "tolerance: 0 to 9 parameters, not 10"),
        ({"tolerance": 1, "exact": True}, "give one of them"),
    ],
)
def test_what_cannot_be_answered_is_refused(iteration: Iteration, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        whatif.ask(iteration, **asked)


def test_the_run_itself_is_asked_where_nothing_is_said(iteration: Iteration) -> None:
    assert whatif.ask(iteration) == Question(K, 1)
    assert whatif.ask(iteration, 2, exact=True) == Question(2, 0)


def lines_of(*words: Any, **options: Any) -> list[str]:
    out = StringIO()
    call_command("what_if", *map(str, words), stdout=out, **options)
    return out.getvalue().splitlines()


def test_the_command_says_what_would_be_selected_and_what_changes(iteration: Iteration) -> None:
    question = Question(2, 0)
    direct = whatif.Stored(iteration).answer(question).turns[0]
    said = lines_of(iteration.run_id, 1, k=2, exact=True, changes=True)
    assert said[0] == "the first 2 of 4 attempts, tolerance 0 (the run's: 1)"
    assert said[1] == f"direct: {direct.before} selected, {direct.now} so (0 gained, {direct.lost} lost)"
    assert sum(line.startswith("direct lost sample-") for line in said) == direct.lost > 0
    as_json = json.loads("\n".join(lines_of(iteration.run_id, 1, k=2, exact=True, json=True)))
    assert as_json["turns"][0]["lost"] == direct.lost
    rows = [json.loads(line) for line in lines_of(iteration.run_id, 1, k=2, exact=True, json=True, changes=True)]
    assert sum(row["turn"] == 0 for row in rows) == direct.lost
    with pytest.raises(CommandError, match="no iteration 7"):
        lines_of(iteration.run_id, 7)
    with pytest.raises(CommandError, match="need a new run"):
        lines_of(iteration.run_id, 1, k=9)


@pytest.fixture
def client(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


def test_the_panel_is_filled_when_it_is_opened_and_its_numbers_follow(iteration: Iteration, client: Client) -> None:
    address = reverse("what_if", args=[iteration.run_id, 1])
    assert f'hx-get="{address}"' in client.get(reverse("pool", args=[iteration.run_id, 1])).content.decode()
    panel = client.get(address, headers={"HX-Request": "true", "HX-Target": "what-if"}).content.decode()
    assert 'type="range"' in panel and "all 4 attempts, at most 1 differing parameter in a call: the run itself" in panel
    asked = {"k": 2, "tolerance": 0}
    numbers = client.get(address, asked, headers={"HX-Request": "true", "HX-Target": "what-if-numbers"}).content.decode()
    direct = whatif.Stored(iteration).answer(Question(2, 0)).turns[0]
    assert f"Direct: {direct.before} → {direct.now} selected" in numbers and 'type="range"' not in numbers
    assert "the first 2 of 4 attempts, exact answers alone" in numbers


def test_the_page_lists_what_changes_in_pages(iteration: Iteration, client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(whatif_page, "LISTED", 3)
    address = reverse("what_if", args=[iteration.run_id, 1])
    asked = {"k": 1, "tolerance": 0, "turn": 0, "change": "lost"}
    lost = whatif.Stored(iteration).changes(Question(1, 0), change="lost")
    first = client.get(address, asked).content.decode()
    shown = [each.key for each in lost if f">{each.key}</a>" in first]
    assert shown == [each.key for each in lost[:3]]
    assert f"after={lost[2].id}" in first
    rest = client.get(address, {**asked, "after": lost[2].id}).content.decode()
    assert f">{lost[3].key}</a>" in rest and f">{lost[0].key}</a>" not in rest
    assert "No such change" in client.get(address).content.decode()
    for wrong in ({"k": 9}, {"tolerance": 99}, {"turn": 2}, {"change": "kept"}, {"k": "x"}):
        assert client.get(address, wrong).status_code == 422, wrong


def test_an_iteration_without_verdicts_has_nothing_to_ask(make_run: Callable[..., Run], client: Client) -> None:
    run = make_run(max_iterations=1)
    running.start_run(run)
    address = reverse("what_if", args=[run.pk, 0])
    assert "Nothing is judged yet" in client.get(address).content.decode()
    assert client.get(f"/api/v1/runs/{run.pk}/iterations/0/what-if").json()["turns"][0]["before"] == 0


def test_the_api_answers_and_lists(iteration: Iteration, client: Client) -> None:
    address = f"/api/v1/runs/{iteration.run_id}/iterations/1/what-if"
    answer = whatif.Stored(iteration).answer(Question(2, 0))
    said = client.get(address, {"k": 2, "tolerance": 0}).json()
    assert said["question"] == {"k": 2, "tolerance": 0} and said["own"] == {"k": K, "tolerance": 1}
    assert [turn["by_k"] for turn in said["turns"]] == [list(turn.by_k) for turn in answer.turns]
    assert said["turns"][0]["counts"] == answer.turns[0].counts
    keys, after = [], {}
    while after is not None:
        page = client.get(f"{address}/changes", {"k": 2, "tolerance": 0, "limit": 2, **after}).json()
        keys += [row["key"] for row in page["items"]]
        after = {"after": page["next"]} if page["next"] else None
    assert keys == [each.key for each in whatif.Stored(iteration).changes(Question(2, 0), limit=1000)]
    refused = client.get(address, {"k": 9})
    assert refused.status_code == 422 and "need a new run" in refused.json()["detail"]
