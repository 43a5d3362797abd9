"""Evaluations by themselves: a run that only evaluates, of a base, of what a run has trained, or of published outputs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from curation.models import Benchmark, Checkpoint, DatasetRevision, Engine, Evaluation, EvaluationItem, Project, Run, User
from curation.pages.evaluation_names import model_name
from curation.stages import evaluating, evaluation, evaluation_files, published, registering, running, sweeping
from curation.stages.errors import InputError, NotPermitted
from curation.stages.evaluated import named_evaluations
from curation.stages.evaluation_items import items_by
from curation.stages.evaluations_compared import Outcomes, contrast_of, outcomes, pair_of
from curation.stages.spending import spending
from curation.stages.trial_models import named
from toolcalls.benchmarks.catalogue import Benchmark as Read

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

Import = Callable[..., Benchmark]


def found_of(project: Project) -> Any:
    return named_evaluations(Evaluation.objects.filter(iteration__run__project=project))


@pytest.fixture
def benchmark(import_one: Import, made_benchmark: Callable[..., Read]) -> Benchmark:
    """Four items that call, and one that calls nothing."""
    return import_one(made_benchmark(4, irrelevant=1))


@pytest.fixture
def evaluate(project: Project, benchmark: Benchmark, base: Any, engine: Engine, hand: Any) -> Callable[..., Evaluation]:
    """`evaluate(base="tiny")`: the evaluation that a worker made; further keywords name the model."""

    def make(settings: dict[str, Any] | None = None, revision: DatasetRevision | None = None, **model: Any) -> Evaluation:
        data = revision or benchmark.revision
        run = evaluating.create_evaluation(project, data, named(project, **model), settings or {"refine_turns": 2})
        running.start_run(run)
        hand.work_off()
        run.refresh_from_db()
        assert (run.state, run.why) == ("completed", "the evaluation is done")
        return found_of(project).get(iteration__run=run)

    return make


def test_a_base_is_evaluated_in_iteration_0_alone(evaluate: Any, benchmark: Benchmark) -> None:
    found = evaluate(base="tiny", engine="scripted")
    run = found.iteration.run
    assert (run.purpose, found.iteration.number, run.iterations.count()) == ("evaluation", 0, 1)
    assert list(found.iteration.stages.values_list("kind", flat=True)) == ["evaluation"]
    assert (found.revision, found.total, found.direct_right, found.checkpoint) == (benchmark.revision, 5, 5, None)
    assert (model_name(found), run.name) == ("tiny", "base tiny on bfcl r1")
    assert [stage.kind for stage in spending(run).stages] == ["evaluation"]


def test_what_a_run_has_trained_is_evaluated_by_its_settings(evaluate: Any, make_run: Any, hand: Any) -> None:
    loop = make_run(max_iterations=1, evaluate_base=False, max_new_tokens=24)
    running.start_run(loop)
    hand.work_off()
    found = evaluate(run=loop.pk, iteration=1)
    run = found.iteration.run
    merged = Checkpoint.objects.get(run=loop, kind="merged")
    assert (run.checkpoint, found.checkpoint, hand.done[-1].checkpoint_id) == (merged, merged, merged.pk)
    assert (run.choices.max_new_tokens, run.choices.refine_turns, run.base) == (24, 2, loop.base)
    assert model_name(found) == f"{loop.name}, iteration 1"
    assert list(Run.objects.loops()) == [loop]


def test_what_is_being_evaluated_is_not_swept(project: Project, benchmark: Benchmark, make_run: Any, hand: Any) -> None:
    loop = make_run(max_iterations=3)
    running.start_run(loop)
    hand.work_off()
    loop.refresh_from_db()
    second = Checkpoint.objects.get(run=loop, iteration__number=2, kind="merged")
    assert 2 not in sweeping.going_of(loop).whole
    run = evaluating.create_evaluation(project, benchmark.revision, named(project, run=loop.pk, iteration=2), {})
    assert (run.checkpoint, 2 in sweeping.going_of(loop).whole) == (second, True)
    running.stop_run(run)
    assert 2 not in sweeping.going_of(loop).whole
    with pytest.raises(InputError, match="has no such iteration"):
        named(project, run=run.pk, iteration=0)


def test_a_server_is_evaluated_without_a_base(project: Project, benchmark: Benchmark, hand: Any) -> None:
    registering.register_engine("server", "openai", {"url": "http://gpu-box:8000/v1", "model": "m"})
    run = evaluating.create_evaluation(project, benchmark.revision, named(project, engine="server"), {})
    running.start_run(run)
    claim = hand.claim()
    assert (claim.model, claim.engine_kind, claim.checkpoint_id) == (Path(), "openai", None)
    assert model_name(Evaluation(iteration=run.iterations.get())) == "server"


def test_held_out_samples_of_other_data_are_evaluated_on_too(evaluate: Any, make_dataset: Any) -> None:
    found = evaluate(base="tiny", engine="scripted", revision=make_dataset(name="other", train=2, heldout=3))
    assert (found.total, found.figures["benchmark"], found.comparator[:2]) == (3, "heldout", "2:")


def test_what_cannot_be_evaluated_is_refused(project: Project, benchmark: Benchmark, base: Any, engine: Engine, make_dataset: Any,
                                             viewer: User) -> None:  # fmt: skip
    model = named(project, base="tiny", engine="scripted")
    with pytest.raises(InputError, match="no held-out sample"):
        evaluating.create_evaluation(project, make_dataset(heldout=0), model, {})
    with pytest.raises(InputError, match="no such setting"):
        evaluating.create_evaluation(project, benchmark.revision, model, {"turns": 3})
    with pytest.raises(InputError, match="no room"):
        evaluating.create_evaluation(project, benchmark.revision, model, {"max_length": 16, "max_new_tokens": 16})
    with pytest.raises(NotPermitted):
        evaluating.create_evaluation(project, benchmark.revision, model, {}, by=viewer)


def test_a_run_of_the_loop_has_a_base_an_engine_and_no_other_runs_model(make_run: Callable[..., Run]) -> None:
    run = make_run()
    for values in ({"base": None}, {"engine": None}):
        with pytest.raises(IntegrityError, match="run_model_known"), transaction.atomic():
            Run.objects.filter(pk=run.pk).update(**values)


# One result each that is right, wrong by its value, and no call; the fourth item and the irrelevant one are not answered.
RESULTS = ('[get_weather(city="Rome", days=1)]', '[get_weather(city="Oslo", days=9)]', "I cannot say.")


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    path = tmp_path / "BFCL_v4_simple_python_result.json"
    lines = [json.dumps({"id": f"simple_python_{number}", "result": text}) for number, text in enumerate(RESULTS)]
    path.write_text("\n".join(lines))
    return path


def test_published_outputs_are_an_evaluation_without_a_model(project: Project, benchmark: Benchmark, outputs: Path) -> None:
    with pytest.raises(InputError, match="simple_python 1 of 4, irrelevance 1 of 1"):
        published.store_outputs(project, benchmark, outputs)
    assert not Run.objects.exists()
    run = published.store_outputs(project, benchmark, outputs, missing="leave_out")
    assert (run.state, run.base, run.engine, run.choices.refine_turns) == ("completed", None, None, 0)
    found = found_of(project).get()
    assert (found.total, found.direct_right, model_name(found)) == (3, 1, f"{outputs.name} on bfcl r1")
    assert found.figures["missing"] == {"simple_python": 1, "irrelevance": 1}
    assert found.outputs["missing"] == found.figures["missing"] and found.outputs["missing_wrong"] is False
    assert (found.outputs["source"], found.outputs["mode"], found.outputs["answers"]) == (outputs.name, "prompt", 3)
    item = EvaluationItem.objects.get(version__sample__key="simple_python_1")
    assert (item.right, item.error_types, item.prompt_tokens) == ([False], ["value_error:others"], None)
    assert "not counted" in evaluation_files.report_words(found)


def test_missing_outputs_are_wrong_where_somebody_says_so(project: Project, benchmark: Benchmark, outputs: Path) -> None:
    published.store_outputs(project, benchmark, outputs, missing="wrong")
    found = found_of(project).get()
    assert (found.total, found.direct_right, found.figures["missing_wrong"]) == (5, 1, True)
    assert EvaluationItem.objects.get(version__category="irrelevance").error_types == ["missing_output"]


def test_an_unknown_id_is_refused(project: Project, benchmark: Benchmark, outputs: Path) -> None:
    outputs.write_text(outputs.read_text() + '\n{"id": "simple_python_77", "result": "x"}')
    with pytest.raises(InputError, match="has no 'simple_python_77'"):
        published.store_outputs(project, benchmark, outputs, missing="wrong")


def test_benchmarks_are_passed_over_whatever_they_are_called(project: Project, benchmark: Benchmark, outputs: Path) -> None:
    outputs.write_text(outputs.read_text() + '\n{"id": "x", "benchmark": "a\\u0000"}\n{"id": "y", "benchmark": "b\\ud800"}')
    published.store_outputs(project, benchmark, outputs, missing="wrong")
    assert found_of(project).get().outputs["passed_over"] == {"a\ufffd": 1, "b\ufffd": 1}


def test_mean_turns_are_those_of_the_items_of_the_averages(
    project: Project, benchmark: Benchmark, base: Any, engine: Engine, hand: Any, turns: Any
) -> None:
    run = evaluating.create_evaluation(project, benchmark.revision, named(project, base="tiny"), {"refine_turns": 3})
    running.start_run(run)
    while claim := hand.claim() if run.iterations.get().state == "open" else None:
        given = hand.traces(claim)
        for number, item in evaluation.items(claim).items():
            given[number] = turns(*("No.", "I cannot.", "None.", "Sorry.") if item.category == "irrelevance" else ("a", "a"))
        evaluation.store(claim, given)
    found = found_of(project).get()
    assert (found.mean_turns, found.figures["refinement"]["mean_turns"], found.total) == (1.0, 1.0, 5)


@pytest.fixture
def two(evaluate: Any, project: Project, benchmark: Benchmark, engine: Engine, base: Any, hand: Any, turns: Any) -> Any:
    """The base has all right; the other's first item is right in A₁ alone, its second never."""
    first = evaluate(base="tiny", engine="scripted")
    run = evaluating.create_evaluation(project, benchmark.revision, named(project, base="tiny"), {"refine_turns": 3})
    running.start_run(run)
    while claim := hand.claim() if run.iterations.get().state == "open" else None:
        given = hand.traces(claim)
        for number, item in evaluation.items(claim).items():
            right, wrong = given[number][0].text, f'[get_weather(city="Rome", days=7)]{item.id}'
            shapes = {"simple_python_0": [wrong, right, wrong, "[]"], "simple_python_1": [wrong] * 2}
            given[number] = turns(*shapes.get(item.id, [right, right]))
        evaluation.store(claim, given)
    return first, found_of(project).get(iteration__run=run)


@pytest.mark.parametrize(
    ("strategy", "wrong"),
    [("direct", [0, 1]), ("adaptive", [0, 1]), ("vanilla", [0, 1]), ("self_consistency", [1])],
)
def test_items_are_found_by_what_a_strategys_answer_scores(two: Any, strategy: Any, wrong: list[int]) -> None:
    _, second = two
    rows = list(items_by(second, strategy, score="wrong").order_by("version__sample__key"))
    assert [row.version.sample.key for row in rows] == [f"simple_python_{number}" for number in wrong]
    assert all(row.error and row.right[row.stands] is False for row in rows)
    assert items_by(second, strategy, score="right").count() == 5 - len(wrong)
    assert items_by(second, strategy, category="irrelevance").count() == 1
    assert items_by(second, strategy, error=rows[0].error).count() >= 1


def test_two_evaluations_are_compared_item_by_item(two: Any, make_run: Any, hand: Any) -> None:
    first, second = two
    pair = pair_of(first, second, "self_consistency")
    differing = [each for each in outcomes(pair) if each.first != each.second]
    assert differing == [Outcomes("simple_python_1", "simple_python", True, False)]
    assert contrast_of(pair).items == 5
    assert evaluation_files.pairs_table(pair).splitlines()[:2] == [
        "key,category,first,second",
        "irrelevance_0,irrelevance,True,True",
    ]
    loop = make_run(max_iterations=1)
    running.start_run(loop)
    hand.work_off()
    with pytest.raises(InputError, match="no items in common"):
        pair_of(first, Evaluation.objects.filter(iteration__run=loop).first(), "direct")


def test_rows_of_before_are_filtered_and_compared_as_far_as_they_go(two: Any) -> None:
    first, second = two
    EvaluationItem.objects.filter(iteration=first.iteration).update(right=None, error_types=None, majority=None)
    assert items_by(first, "adaptive", score="right").count() == 5
    assert contrast_of(pair_of(first, second, "direct")).items == 5
    with pytest.raises(InputError, match="only direct and adaptive"):
        pair_of(first, second, "vanilla")
    Evaluation.objects.filter(pk=first.pk).update(figures=None)
    first.refresh_from_db()
    with pytest.raises(InputError, match="before there were reports"):
        evaluation_files.report_table(first)


def told(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command("evaluate", *arguments, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_the_command_scores_published_outputs_and_prints_the_table(project: Project, benchmark: Benchmark, outputs: Path) -> None:
    place = ["--project", f"{project.team.slug}/{project.slug}", "--benchmark", "bfcl"]
    text = told(*place, "--outputs", str(outputs), "--missing", "wrong")
    assert "bfcl: 5 items, accuracy in percent" in text and "paper: ToolACE-R" in text
    report = json.loads(told(*place, "--outputs", str(outputs), "--missing", "wrong", "--json"))
    assert report["categories"]["simple_python"]["direct"]["right"] == 1
    for wrong, words in (
        (["--outputs", str(outputs)], "outputs are missing"),
        (["--outputs", str(outputs), "--model", "tiny"], "leave --model"),
        (["--model", "tiny", "--mode", "fc"], "--mode and --missing are of published outputs"),
        (["--model", "tiny", "--missing", "wrong"], "--mode and --missing are of published outputs"),
        (["--model", "a:b"], "RUN:ITERATION in numbers"),
        (["--model", "nothing"], "no base 'nothing' is registered"),
    ):
        with pytest.raises(CommandError, match=words):
            told(*place, *wrong)
    with pytest.raises(CommandError, match="has no benchmark 'acebench'; there are: bfcl"):
        told(*place[:2], "--benchmark", "acebench", "--model", "tiny")
    with pytest.raises(CommandError, match="--outputs are those of a benchmark"):
        told(*place[:2], "--dataset", "weather", "--outputs", str(outputs))


def test_the_command_follows_a_run_to_its_end(
    project: Project, benchmark: Benchmark, make_dataset: Any, base: Any, engine: Engine, hand: Any, monkeypatch: Any
) -> None:
    """The worker of this test works while the command sleeps."""
    monkeypatch.setattr("time.sleep", lambda seconds: hand.work_off(1))
    place = ["--project", f"{project.team.slug}/{project.slug}", "--benchmark", "bfcl"]
    text = told(*place, "--model", "tiny", "--engine", "scripted", "--n", "1", "--set", "shard_samples=2")
    assert "Adaptive Self-Refine (n = 1)" in text
    make_dataset(heldout=2)
    split = told(*place[:2], "--dataset", "weather", "--model", "tiny", "--engine", "scripted", "--n", "10")
    assert "heldout: 2 items" in split and "Adaptive Self-Refine (n = 10)" in split
    monkeypatch.setattr("time.sleep", lambda seconds: running.stop_run(Run.objects.latest("pk")))
    with pytest.raises(CommandError, match="is stopped"):
        told(*place, "--model", "tiny", "--engine", "scripted")


def test_a_changed_benchmark_is_another_revision_to_choose(
    project: Project, benchmark: Benchmark, import_one: Import, made_benchmark: Callable[..., Read], outputs: Path
) -> None:
    changed = dataclasses.replace(made_benchmark(3), digest="e" * 64)
    assert import_one(changed).revision.number == 2
    place = ["--project", f"{project.team.slug}/{project.slug}", "--benchmark", "bfcl", "--outputs", str(outputs)]
    assert "bfcl: 3 items" in told(*place)
    assert "bfcl: 5 items" in told(*place, "--revision", "1", "--missing", "wrong")


RUN_PAGES = ("run", "run_live", "run_spending", "run_generations", "run_exports", "run_events")
ITERATION_PAGES = ("iteration", "iteration_live", "iteration_results", "pool", "pairs", "what_if", "rejudgings")
ANSWERS = ("", "/iterations", "/iterations/0", "/iterations/0/heldout", "/spending", "/checkpoints", "/events", "/exports")


@pytest.mark.parametrize("kind", ["base", "server", "published"])
def test_every_page_of_such_a_run_can_be_shown(
    kind: str, project: Project, benchmark: Benchmark, base: Any, engine: Engine, outputs: Path, viewer: User, client: Client
) -> None:
    if kind == "published":
        run = published.store_outputs(project, benchmark, outputs, missing="wrong")
    else:
        registering.register_engine("server", "openai", {"url": "http://gpu-box:8000/v1", "model": "m"})
        model = named(project, base="tiny", engine="scripted") if kind == "base" else named(project, engine="server")
        run = evaluating.create_evaluation(project, benchmark.revision, model, {})
        running.start_run(run)
    client.force_login(viewer)
    addresses = [reverse(name, args=[run.pk]) for name in RUN_PAGES]
    addresses += [reverse(name, args=[run.pk, 0]) for name in ITERATION_PAGES]
    addresses += [f"/api/v1/runs/{run.pk}{end}" for end in ANSWERS]
    addresses += [f"/compare/?run={run.pk}", reverse("home"), reverse("project", args=[project.team.slug, project.slug])]
    refused = {address: status for address in addresses if (status := client.get(address).status_code) >= 400}
    assert {address: status for address, status in refused.items() if status not in (404, 409)} == {}
    assert run_status(run).startswith(f"run {run.pk} ({run.name})")


def run_status(run: Run) -> str:
    out = StringIO()
    call_command("run_status", str(run.pk), stdout=out)
    return out.getvalue()
