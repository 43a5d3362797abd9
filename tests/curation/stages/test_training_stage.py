"""Assembly, training and evaluation: a frozen set, a checkpoint that is what was reported, scores that add up."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest

from curation.models import (
    Checkpoint,
    Evaluation,
    EvaluationItem,
    Iteration,
    RefinePair,
    Run,
    TrainingRow,
    TrainingSet,
    TrainingStep,
)
from curation.pages.model_page import model_page
from curation.stages import artifacts, assembly, evaluation, masks, model_files, running, shards, training
from curation.stages.errors import InputError
from curation.stages.jobs import WrongResults
from curation.stages.model_folder import weights_sha256
from curation.stages.shards import Claim, LostLease
from toolcalls.assembly import direct_row, training_set_hash
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.settings import Training

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]
RIGHT, WRONG = "right", '[get_weather(city="Nowhere", days=99)]'


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Run:
    made: Run = make_run(max_iterations=1, refine_turns=2)
    running.start_run(made)
    return made


@pytest.fixture
def claim(run: Run, hand: Any) -> Claim:
    """The training of iteration 1: two direct rows and three pairs."""
    hand.work_off(1 + 2 + 2 + 1)
    made: Claim = hand.claim()
    assert made.stage_kind == "training"
    return made


@pytest.fixture
def report(claim: Claim, make_report: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """What attempt 1 wrote, and says it wrote."""
    return make_report(claim, training.out_dir(claim), 5)


def test_the_rows_are_rebuilt_as_they_were_frozen(claim: Claim, make_sample: Callable[..., Any]) -> None:
    frozen = TrainingSet.objects.get()
    rows = list(assembly.rows(frozen))
    assert training_set_hash(rows) == frozen.sha256
    listed = TrainingRow.objects.order_by("position").values_list("version__sample__key", "kind")
    assert [(row.sample_id, row.kind) for row in rows] == list(listed)
    direct = next(row for row in rows if (row.sample_id, row.kind) == ("sample-1", "direct"))
    assert direct == direct_row(make_sample(1), claim.settings)
    pair = next(row for row in rows if row.kind == "refine")
    assert [message.content for message in pair.messages[-2:]] == ['[other_tool(x="1")]', REFINE_PROMPT]


def test_the_order_of_the_rows_is_the_run_seeds(make_run: Callable[..., Run], make_dataset: Any, make_hand: Any) -> None:
    revision, orders = make_dataset(), []
    for seed in (1, 1, 2):
        run = make_run(revision, max_iterations=1, seed=seed)
        running.start_run(run)
        make_hand().work_off(1 + 2 + 2 + 1)
        rows = TrainingRow.objects.filter(training_set__iteration__run=run).order_by("position")
        orders.append(list(rows.values_list("version__sample__key", "kind")))
        running.stop_run(run)
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


def test_a_set_that_cannot_be_rebuilt_as_it_was_frozen_is_not_trained(claim: Claim) -> None:
    RefinePair.objects.update(first_answer="[something_else()]")
    assert training.job(claim).rows.is_file()  # the rows as they were frozen
    training.job(claim).rows.unlink()
    assert training.job(claim).rows.is_file()  # as the store has them
    training.job(claim).rows.unlink()
    artifacts.store().delete(TrainingSet.objects.get().file_sha256)
    with pytest.raises(InputError, match="not what was frozen any more"):
        training.job(claim)


def test_the_job_names_a_folder_that_carries_the_token(claim: Claim, run: Run) -> None:
    job = training.job(claim)
    assert job.out_dir == artifacts.run_dir(run, 1, claim.attempt)
    assert not job.out_dir.exists()
    assert (len(job.rows.read_bytes().splitlines()), job.settings, job.seed) == (5, claim.settings.training, claim.run_seed)


def test_publishing_writes_both_checkpoints_and_ends_the_shard(claim: Claim, report: dict[str, Any], run: Run) -> None:
    training.publish(claim, training.out_dir(claim), report)
    adapter, merged = Checkpoint.objects.order_by("kind")
    assert (adapter.kind, merged.kind) == ("adapter", "merged")
    for checkpoint in (adapter, merged):
        [file] = artifacts.files_of(checkpoint.uri)
        assert file.sha256 == checkpoint.sha256 == report[f"{checkpoint.kind}_sha256"]
        assert weights_sha256(artifacts.checkpoint_dir(checkpoint)) == checkpoint.sha256
    assert not training.out_dir(claim).exists()
    assert adapter.meta["losses"] == [0.5, "nan"]
    assert TrainingSet.objects.get().too_long == 0
    assert not shards.renew(claim)


def test_the_mask_of_a_row_is_read_from_what_the_trainer_wrote(claim: Claim, report: dict[str, Any], run: Run) -> None:
    folder, iteration = training.out_dir(claim), Iteration.objects.get(pk=claim.iteration_id)
    rows = list(TrainingRow.objects.order_by("position").values_list("version__sample__key", "version_id", "kind"))
    assert masks.mask_of(iteration, rows[0][1], rows[0][2]) is None  # before it is trained
    lines = [_tokens(key, kind) for key, _, kind in rows]
    (folder / "rows.jsonl").write_bytes(b"".join(lines))
    places = [sum(map(len, lines[:number])) for number in range(len(lines))]
    (folder / "rows.index").write_bytes(struct.pack(f"<{len(rows)}q", *places[:-1], -1))
    training.publish(claim, folder, report)
    uri = TrainingSet.objects.get().tokens_uri
    assert [file.name for file in artifacts.files_of(uri)] == ["rows.index", "rows.jsonl"]
    for key, version, kind in rows[:-1]:
        assert masks.mask_of(iteration, version, kind) == ((key, False), (kind, True), ("<end>", True))
    assert masks.mask_of(iteration, *rows[-1][1:]) is None  # too long
    assert masks.mask_of(iteration, rows[0][1] + 1000, "direct") is None
    artifacts.store().delete(artifacts.files_of(uri)[0].sha256)
    assert masks.mask_of(iteration, *rows[0][1:]) is None


def _tokens(key: str, kind: str) -> bytes:
    line = {"sample_id": key, "kind": kind, "input_ids": [5, 6, 1], "label_span": [1, 3], "pieces": [key, kind, "<end>"]}
    return json.dumps(line).encode() + b"\n"


@pytest.mark.parametrize("fault", ["weights", "rows", "set", "folder"])
def test_a_checkpoint_that_is_not_what_was_reported_is_not_published(claim: Claim, report: dict[str, Any], fault: str) -> None:
    folder = training.out_dir(claim)
    if fault == "weights":
        (folder / "merged" / "model.safetensors").write_bytes(b"torn")
    elif fault == "rows":
        report["rows"] = 4
    elif fault == "set":
        (folder / "meta.json").write_text(json.dumps({"training_set_sha256": "0" * 64}))
    else:
        folder = folder.rename(folder.with_name("attempt-99"))
    with pytest.raises(WrongResults):
        training.publish(claim, folder, report)
    assert not Checkpoint.objects.exists()
    assert shards.renew(claim)


def test_a_late_attempt_publishes_nothing_and_its_folder_goes(
    claim: Claim, report: dict[str, Any], hand: Any, make_report: Callable[..., dict[str, Any]]
) -> None:
    late = training.out_dir(claim)
    training.progress(claim, {**STEP, "step": 7})
    assert shards.release(claim)
    current = hand.claim()
    with pytest.raises(LostLease):
        training.publish(claim, late, report)
    with pytest.raises(LostLease):
        training.progress(claim, {**STEP, "step": 8})
    with pytest.raises(LostLease):
        training.job(claim)
    assert not Checkpoint.objects.exists()
    with pytest.raises(LostLease):
        training.begin_after(claim, 0)
    for left in ("attempt-1.partial", "attempt-1.points", "attempt-2.points"):
        (late.parent / left).mkdir()
    job = training.job(current)
    assert job.out_dir != late
    assert (job.points.name, [path.name for path in job.earlier_points]) == ("attempt-2.points", ["attempt-1.points"])
    folder = training.out_dir(current)
    training.publish(current, folder, make_report(current, folder, 4, too_long=1))
    assert [path.name for path in folder.parent.iterdir()] == ["training-set.jsonl"]
    assert TrainingSet.objects.get().too_long == 1


STEP = {"step": 1, "steps": 9, "loss": 0.5, "learning_rate": 1e-4, "grad_norm": None, "tokens": 9, "tokens_per_second": 9.0}


def test_a_continued_adapter_is_trained_on_the_base_with_that_of_the_iteration_before(
    make_run: Callable[..., Run], hand: Any
) -> None:
    run = make_run(max_iterations=2, training=Training(adapter="continued"))
    running.start_run(run)
    while len([claim for claim in hand.done if claim.stage_kind == "training"]) < 1:
        hand.work_off(1)
    while (claim := hand.claim()).stage_kind != "training":
        hand.do(claim)
    job = training.job(claim)
    before = Checkpoint.objects.get(iteration__number=1, kind="adapter")
    assert (job.model, job.adapter) == (artifacts.base_dir(run.base), artifacts.checkpoint_dir(before))
    hand.do(claim)
    assert set(Checkpoint.objects.filter(run=run).values_list("parent", flat=True)) == {None}
    assert claim.model == artifacts.checkpoint_dir(Checkpoint.objects.get(iteration__number=1, kind="merged"))


def test_the_first_adapter_is_a_new_one(make_run: Callable[..., Run], hand: Any) -> None:
    run = make_run(max_iterations=1, training=Training(adapter="continued"))
    running.start_run(run)
    hand.work_off(1 + 2 + 2 + 1)
    job = training.job(hand.claim())
    assert (job.model, job.adapter) == (artifacts.base_dir(run.base), None)


def test_where_every_weight_is_trained_there_is_a_model_and_no_adapter(make_run: Callable[..., Run], hand: Any) -> None:
    run = make_run(max_iterations=2, training=Training(method="full"))
    running.start_run(run)
    hand.work_off()
    first, second = Checkpoint.objects.order_by("iteration__number")
    assert (first.kind, second.kind, second.parent) == ("merged", "merged", first)
    assert "fully fine-tuned model" in model_files.trained(first.iteration, "merged").card
    assert "lora" not in model_files.trained(first.iteration, "merged").card.split("---")[1]
    with pytest.raises(InputError, match="trained every weight"):
        model_files.trained(first.iteration, "adapter")
    assert [offer.kind for offer in model_page(first.iteration).offers] == ["merged"]


def test_steps_after_the_point_that_a_training_goes_on_from_are_forgotten(claim: Claim) -> None:
    for step in (1, 2, 3):
        training.progress(claim, {**STEP, "step": step, "memory_bytes": 2**33})
    training.begin_after(claim, 2)
    kept = TrainingStep.objects.order_by("step").values_list("step", "memory_bytes")
    assert list(kept) == [(1, 2**33), (2, 2**33)]
    training.begin_after(claim, 0)
    assert not TrainingStep.objects.exists()


def test_a_step_reported_twice_is_one_row(claim: Claim) -> None:
    training.progress(claim, STEP)
    training.progress(claim, {**STEP, "loss": 0.25})
    assert [(step.step, step.loss) for step in TrainingStep.objects.all()] == [(1, 0.25)]


def test_the_evaluation_sums_up_its_traces(run: Run, hand: Any, turns: Any) -> None:
    claim = hand.claim()
    truths = {number: trace[0].text for number, trace in hand.traces(claim).items()}
    shapes = [(RIGHT, RIGHT), (WRONG, RIGHT, RIGHT), (RIGHT, WRONG, WRONG), (WRONG, "[f(a=1)]", RIGHT)]
    texts = {
        number: [truth if text == RIGHT else text for text in shape]
        for (number, truth), shape in zip(truths.items(), shapes, strict=True)
    }
    evaluation.store(claim, {number: turns(*each) for number, each in texts.items()})
    summed = Evaluation.objects.get()
    assert (summed.total, summed.direct_right, summed.adaptive_right, summed.mean_turns) == (4, 2, 3, 1.75)
    assert (summed.iteration.number, summed.checkpoint, summed.comparator) == (0, None, "2:schema_defaults,tolerance=1")
    assert (summed.revision, summed.outputs) == (run.revision, None)
    assert summed.figures["averages"]["overall"]["self_consistency"] == 0.5
    items = EvaluationItem.objects.order_by("pk")
    assert [(item.direct_right, item.adaptive_right, item.turns) for item in items] == [
        (True, True, 1),
        (False, True, 2),
        (True, False, 2),
        (False, True, 2),
    ]
    assert [item.right for item in items] == [[True] * 3, [False, True, True], [True, False, False], [False, False, True]]
    assert items[3].error_types == ["param_mismatch", "wrong_tool", None]
    assert [(item.prompt_tokens, item.completion_tokens) for item in items[:2]] == [([7, 7, 0], [3, 3, 0]), ([7] * 3, [3] * 3)]
    assert items[0].trace == [*texts[items[0].version_id], texts[items[0].version_id][-1]]


def test_an_answer_that_was_cut_off_is_not_right(run: Run, hand: Any, turns: Any) -> None:
    claim = hand.claim()
    cut = {number: turns(*[each.text for each in trace], finish_reason="length") for number, trace in hand.traces(claim).items()}
    evaluation.store(claim, cut)
    assert Evaluation.objects.get().direct_right == 0
    assert EvaluationItem.objects.first().error_types == ["truncated"] * 3


def test_an_answer_stands_where_its_refine_prompt_does_not_fit(run: Run, hand: Any, turns: Any) -> None:
    claim = hand.claim()
    no_room = turns("", finish_reason="too_long")
    evaluation.store(claim, {number: [trace[0], *no_room] for number, trace in hand.traces(claim).items()})
    summed = Evaluation.objects.get()
    assert (summed.direct_right, summed.adaptive_right, summed.mean_turns) == (summed.total, summed.total, 1.0)


@pytest.mark.parametrize("fault", ["missing", "short", "unsettled", "empty", "long"])
def test_traces_that_were_not_asked_for_are_refused(run: Run, hand: Any, turns: Any, fault: str) -> None:
    claim = hand.claim()
    traces = hand.traces(claim)
    first = next(iter(traces))
    if fault == "missing":
        del traces[first]
    else:
        asked = {"short": ["one answer"], "unsettled": ["one answer", "another"], "empty": [], "long": ["one answer"] * 4}
        traces[first] = turns(*asked[fault])
    with pytest.raises(WrongResults):
        evaluation.store(claim, traces)
    assert not EvaluationItem.objects.exists()


def test_held_out_truths_in_words_are_evaluated_only_where_they_count(
    make_run: Callable[..., Run], make_dataset: Callable[..., Any], make_sample: Callable[..., Any], hand: Any
) -> None:
    heldout = [make_sample(1, split="heldout"), make_sample(2, split="heldout", truth=None)]
    revision = make_dataset([make_sample(0), *heldout])
    for policy, expected in (("exclude", 1), ("any_no_call", 2)):
        run = make_run(revision, no_call_policy=policy)
        running.start_run(run)
        assert len(hand.claim().versions) == expected


def test_a_run_trains_on_the_model_before(make_run: Callable[..., Run], hand: Any) -> None:
    run = make_run(max_iterations=2)
    running.start_run(run)
    hand.work_off()
    claims = [claim for claim in hand.done if claim.stage_kind == "training"]
    assert claims[0].model == artifacts.base_dir(run.base)
    first = Checkpoint.objects.get(iteration__number=1, kind="merged")
    assert claims[1].model == artifacts.checkpoint_dir(first)
    assert set(Checkpoint.objects.filter(iteration__number=2).values_list("parent", flat=True)) == {first.pk}
    assert Iteration.objects.filter(run=run).count() == 3
