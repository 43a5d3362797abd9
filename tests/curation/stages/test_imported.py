"""Imported generations: requests go out, answers come in, and they are judged as an engine's."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from django.db import connection

from curation.models import Engine, Event, Generation, ImportedAnswer, RefinePair, Run, Stage, TrainingSet, User, Verdict
from curation.models.shards import StageKind
from curation.stages import assembly, imported, pool, refinement, registering, review, running, sampling, shards
from curation.stages.batch_requests import batch_requests
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.imported import import_generations
from toolcalls.batches import named
from toolcalls.commands.comparing import compared
from toolcalls.comparing import Comparator
from toolcalls.importing import read_samples
from toolcalls.records import Sample

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

RIGHT = '[get_weather(city="Rome", days=1)]'
JUDGED = ("version_id", "turn", "attempts", "exact_hits", "approximate_hits", "first_hit", "reason", "reasons", "other_answer",
          "other_count", "outcome", "change", "comparator")  # fmt: skip
GENERATED = ("version_id", "turn", "attempt", "seed", "text", "calls", "answer_key", "max_param_diff", "reason", "finish_reason")


@pytest.fixture
def engine(db: None) -> Engine:
    """The one that make_run names, in place of the scripted one."""
    return registering.register_engine("elsewhere", "imported")


@pytest.fixture
def begin(make_run: Callable[..., Run], make_dataset: Callable[..., Any], make_sample: Callable[..., Any]) -> Callable[..., Run]:
    """`begin(train=3, k=2)`: a started run of imported answers on samples without any held out."""

    def made(revision: Any = None, *, train: int = 2, **choices: Any) -> Run:
        run = make_run(revision or make_dataset(train=train, heldout=0), **{"shard_samples": 2, **choices})
        running.start_run(run)
        return run

    return made


def work_off() -> int:
    """What workers do with the shards of imported runs; the rest of a shard's way is that of every engine."""
    done = 0
    while (claim := shards.claim_next("hand")) is not None:
        match claim.stage_kind:
            case StageKind.SAMPLING:
                sampling.store(claim, imported.answers(claim))
            case StageKind.REFINEMENT:
                refinement.store(claim, imported.answers(claim))
            case StageKind.ASSEMBLY:
                assembly.store(claim)
        done += 1
    return done


def samples_of(run: Run) -> dict[str, Sample]:
    versions = pool.training_pool(run).values_list("pk", flat=True)
    return {entry.sample.id: entry.sample for entry in pool.load(versions).values()}


def stage_of(run: Run) -> Stage:
    return Stage.objects.get(iteration__run=run, state="running")


def answer(custom_id: str, text: str, **choice: Any) -> bytes:
    message = {"role": "assistant", "content": text}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}], "usage": {"prompt_tokens": 7}}
    line = {"id": "x", "custom_id": custom_id, "response": {"status_code": 200, "body": body}, "error": None}
    return json.dumps(line).encode() + b"\n"


def send(run: Run, *lines: bytes, **how: Any) -> imported.Imported:
    return import_generations(run, [("out.jsonl", io.BytesIO(b"".join(lines)))], **how)


def bfcl(*results: tuple[str, Any]) -> io.BytesIO:
    return io.BytesIO(b"".join(json.dumps({"id": key, "result": result}).encode() + b"\n" for key, result in results))


def answers_to(lines: Iterable[str], skill: Callable[[str, int, int | None], str]) -> list[bytes]:
    """What a provider sends back, the last first, for `skill(key, turn, attempt)`."""
    names = [(custom_id, named(custom_id)) for custom_id in (json.loads(line)["custom_id"] for line in lines)]
    return [answer(custom_id, skill(name.key, name.turn, name.attempt)) for custom_id, name in reversed(names)]


def told(run: Run, table: Any, columns: tuple[str, ...]) -> list[Any]:
    rows = table.objects.filter(iteration__run=run, iteration__number=1)
    return sorted(map(repr, rows.values_list(*columns)))


@pytest.mark.parametrize("first_answer", ["sampled", "greedy"])
def test_a_round_trip_gives_what_an_engine_gives(
    begin: Callable[..., Run],
    make_run: Callable[..., Run],
    make_dataset: Any,
    hand: Any,
    base: Any,
    project: Any,
    first_answer: str,
) -> None:
    revision = make_dataset(train=6, heldout=1)
    settings = {"k": 3, "max_iterations": 1, "first_answer": first_answer, "seed": 5}
    run = begin(revision, **settings)
    scripted = registering.register_engine("scripted", "scripted")
    other = running.create_run(project, revision, base, scripted, run.choices)
    running.start_run(other)
    hand.work_off()

    found = samples_of(run)

    def skill(key: str, turn: int, attempt: int | None) -> str:
        return str(hand.skill(1, found[key], turn, attempt or 0))

    for turn in ("direct", "refine"):
        report = send(run, *answers_to(batch_requests(run, turn, "m"), skill))
        assert report.waiting is None and report.arrived == report.awaited
        work_off()
    run.refresh_from_db()
    assert (run.state, run.final_checkpoint) == ("completed", None)
    assert told(run, Verdict, JUDGED) == told(other, Verdict, JUDGED)
    assert told(run, Generation, GENERATED) == told(other, Generation, GENERATED)
    pairs = ("version_id", "first_answer", "usable", "identical_exact", "identical_text")
    assert told(run, RefinePair, pairs) == told(other, RefinePair, pairs)
    hashes = {str(each.iteration.run_id): each.sha256 for each in TrainingSet.objects.filter(iteration__number=1)}
    assert hashes[str(run.pk)] == hashes[str(other.pk)]
    assert not ImportedAnswer.objects.exists()


def test_the_run_waits_and_says_for_what(begin: Callable[..., Run]) -> None:
    run = begin(train=3)
    stage = stage_of(run)
    assert (run.state, stage.iteration.number, stage.kind, stage.awaited, stage.arrived) == ("running", 1, "sampling", 6, 0)
    assert (shards.claim_next("hand"), shards.unsent_shards()) == (None, [])
    report = send(run, answer("sample-1#direct.1", RIGHT))
    assert report.waiting is not None
    assert (report.waiting.turn, report.waiting.arrived, report.waiting.awaited) == ("direct", 1, 6)
    assert sorted(report.waiting.missing) == [("sample-0", 0, 2), ("sample-1", 1, 2), ("sample-2", 0, 2)]
    assert shards.claim_next("hand") is None
    left = [named(json.loads(line)["custom_id"])[:3] for line in batch_requests(run, "direct", "m")]
    assert sorted(left) == [("sample-0", 0, 0), ("sample-0", 0, 1), ("sample-1", 0, 0), ("sample-2", 0, 0), ("sample-2", 0, 1)]


def test_requests_are_those_of_the_sampling_stage(begin: Callable[..., Run]) -> None:
    run = begin(train=1, k=2, temperature=0.5, max_new_tokens=9)
    lines = [json.loads(line) for line in batch_requests(run, "direct", "org/model")]
    shard = stage_of(run).shards.get()
    (asked,) = sampling.requests(shards.unheld(stage_of(run), shard.versions))
    assert [line["body"]["seed"] for line in lines] == list(asked.seeds)
    assert [line["body"]["model"] for line in lines] == ["org/model"] * 2
    for line in lines:
        assert line["body"]["messages"] == [{"role": each.role, "content": each.content} for each in asked.messages]
        assert (line["body"]["temperature"], line["body"]["max_tokens"]) == (0.5, 9)


def test_nobody_holds_what_is_asked_without_a_claim(begin: Callable[..., Run]) -> None:
    run = begin(train=1)
    claim = shards.unheld(stage_of(run), stage_of(run).shards.get().versions)
    with pytest.raises(shards.LostLease):
        sampling.store(claim, {})


def test_each_bfcl_file_is_an_attempt(begin: Callable[..., Run]) -> None:
    run = begin(train=2, k=3)
    fc = [{"get_weather": json.dumps({"city": "Rome", "days": 1})}]
    files = [bfcl(("sample-0", fc), ("sample-1", "[")), bfcl(("sample-1", "Hello."), ("sample-0", "[f()]"))]
    report = import_generations(run, [(f"{number}.json", file) for number, file in enumerate(files)])
    assert (report.taken, report.arrived, report.awaited) == (4, 4, 6)
    last = import_generations(run, [("2.json", bfcl(("sample-0", RIGHT), ("sample-1", RIGHT)))], attempt=2)
    assert last.waiting is None
    work_off()
    rome = Verdict.objects.get(version__sample__key="sample-0", turn=0)
    assert (rome.attempts, rome.exact_hits, rome.first_hit, rome.reasons) == (3, 2, 0, {"wrong_tool": 1})
    oslo = Verdict.objects.get(version__sample__key="sample-1", turn=0)
    assert (oslo.exact_hits, oslo.approximate_hits, oslo.reasons) == (0, 1, {"unparsable": 1, "not_a_call": 1})
    assert set(Generation.objects.values_list("seed", "prompt_hash")) == {(-1, "")}


BAD = [
    (answer("sample-9#direct.0", "x"), "sample 'sample-9' is not in this iteration's pool"),
    (answer("sample-0#direct.2", "x"), "attempt 2 of sample 'sample-0': the run asks for attempts 0 to 1"),
    (answer("sample-0#direct.greedy", "x"), "the greedy attempt of sample 'sample-0': the run asks for"),
    (answer("sample-0#refine.0", "x"), "the refine turn, and the run waits for the direct turn"),
    (answer("sample-0#direct.0", "x"), "attempt 0 of sample 'sample-0' is here already"),
    (answer("sample-1#direct.0.0123456789ab", "x"), "answers another prompt than this run's"),
    (answer("sample-1#direct.0", "x").replace(b"200", b"500"), "status 500"),
    (b"not JSON\n", "not valid JSON"),
]


@pytest.mark.parametrize(("bad", "words"), BAD)
def test_a_bad_line_refuses_the_file_and_nothing_is_kept(begin: Callable[..., Run], bad: bytes, words: str) -> None:
    run = begin()
    good = [answer("sample-0#direct.0", "x"), answer("sample-1#direct.1", "x")]
    with pytest.raises(InputError, match=r"nothing was imported, a line cannot be used") as caught:
        send(run, *good, bad)
    assert "\nline 3: " in str(caught.value) and words in str(caught.value)
    assert (ImportedAnswer.objects.count(), stage_of(run).arrived) == (0, 0)
    assert not Event.objects.filter(verb="generations.import").exists()
    report = send(run, *good, bad, skip_errors=True)
    assert (report.taken, report.left_out, report.arrived) == (2, 1, 2)
    assert words in report.errors[0]


def test_many_bad_lines_are_counted(begin: Callable[..., Run]) -> None:
    with pytest.raises(InputError, match="30 lines cannot be used") as caught:
        send(begin(), *[b"{}\n"] * 30)
    assert str(caught.value).count("\nline ") == 20 and str(caught.value).endswith("and 10 more")


def test_an_answer_comes_once(begin: Callable[..., Run]) -> None:
    run = begin()
    send(run, answer("sample-0#direct.0", "first"))
    with pytest.raises(InputError, match="is here already"):
        send(run, answer("sample-0#direct.0", "second"))
    assert ImportedAnswer.objects.get().text == "first"
    send(run, answer("sample-0#direct.0", "second"), start_over=True)
    assert ImportedAnswer.objects.get().text == "second"


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_answers_is_refused(begin: Callable[..., Run], content: bytes) -> None:
    with pytest.raises(InputError, match="no answer in it"):
        send(begin(), content)


def test_missing_attempts_are_no_attempts(begin: Callable[..., Run]) -> None:
    """DESIGN: an engine error is no attempt. Without attempt 0 there is no A₁, without any the sample was not sampled."""
    run = begin(train=3, k=3)
    report = send(run, answer("sample-0#direct.1", RIGHT), answer("sample-0#direct.2", "[f()]"),
                  answer("sample-1#direct.0", "[f()]"), allow_missing=True)  # fmt: skip
    assert (report.waiting, report.arrived, report.awaited) == (None, 3, 9)
    work_off()
    hit, miss = Verdict.objects.filter(iteration__run=run, turn=0).order_by("sample__key")
    assert (hit.sample.key, hit.attempts, hit.approximate_hits, hit.first_hit) == ("sample-0", 2, 1, 1)
    assert (miss.sample.key, miss.attempts, miss.reason, miss.reasons) == ("sample-1", 1, "wrong_tool", {"wrong_tool": 1})
    assert stage_of(run).awaited == 3  # refinements of sample-1's first answer alone
    send(run, answer("sample-1#refine.0", "[f()]"), allow_missing=True)
    work_off()
    pairs = RefinePair.objects.order_by("version__sample__key").values_list("version__sample__key", "usable", "first_answer")
    assert list(pairs) == [("sample-0", False, ""), ("sample-1", True, "[f()]")]
    run.refresh_from_db()
    assert run.state == "completed"
    iteration = run.iterations.get()
    assert (iteration.pool, iteration.selected_direct, iteration.selected_refine, iteration.state) == (2, 1, 0, "selection_only")


def test_nothing_can_be_judged_before_something_came(begin: Callable[..., Run]) -> None:
    with pytest.raises(InputError, match="nothing to judge"):
        import_generations(begin(), [], allow_missing=True)


def test_a_refinement_that_nobody_asked_for_is_refused(begin: Callable[..., Run]) -> None:
    run = begin(train=2, k=1)
    send(run, answer("sample-0#direct.0", RIGHT), answer("sample-1#direct.0", " "))
    work_off()
    assert [json.loads(line)["custom_id"][:17] for line in batch_requests(run, "refine", "m")] == ["sample-0#refine.0"]
    with pytest.raises(InputError, match="sample 'sample-1' has no first answer that could be refined"):
        send(run, answer("sample-1#refine.0", RIGHT))


def test_a_run_without_a_usable_first_answer_waits_for_no_refinement(begin: Callable[..., Run]) -> None:
    run = begin(train=1, k=1)
    send(run, answer("sample-0#direct.0", ""))
    work_off()
    run.refresh_from_db()
    assert run.state == "saturated"
    assert run.why.startswith("iteration 1 selected nothing")


def test_hostile_text_is_kept_and_judged(begin: Callable[..., Run]) -> None:
    hostile = '[get_weather(city="\x00\ud800<script>alert(1)</script>{{7*7}}\'; DROP TABLE x;--", days=1)]'
    run = begin(train=1, k=1)
    send(run, answer("sample-0#direct.0", hostile))
    work_off()
    stored = Generation.objects.get(turn=0)
    assert stored.text == hostile.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert stored.max_param_diff == 1


def test_a_review_holds_the_run_before_its_training_set(begin: Callable[..., Run], reviewer: User, engineer: User) -> None:
    run = begin(train=1, k=1, review="required")
    send(run, answer("sample-0#direct.0", RIGHT))
    work_off()
    send(run, answer("sample-0#refine.0", RIGHT))
    work_off()
    run.refresh_from_db()
    assert (run.state, stage_of(run).kind) == ("running", "review")
    review.approve(run.iterations.get(), engineer)
    work_off()
    run.refresh_from_db()
    assert (run.state, TrainingSet.objects.get().direct) == ("completed", 1)


@pytest.mark.parametrize("turn", ["refine", "both"])
def test_requests_of_another_turn_are_refused(begin: Callable[..., Run], turn: str) -> None:
    with pytest.raises(WrongState, match=f"waits for the direct turn, not for '{turn}'"):
        batch_requests(begin(), turn, "m")


def test_only_a_waiting_run_takes_generations(make_run: Callable[..., Run], begin: Callable[..., Run], base: Any) -> None:
    ready = make_run()
    with pytest.raises(WrongState, match="start it first"):
        send(ready, answer("sample-0#direct.0", "x"))
    running.start_run(ready)
    running.stop_run(ready)
    with pytest.raises(WrongState, match="it is stopped"):
        send(ready, answer("sample-0#direct.0", "x"))
    scripted = registering.register_engine("scripted", "scripted")
    made = running.create_run(ready.project, ready.revision, base, scripted, ready.choices)
    running.start_run(made)
    with pytest.raises(WrongState, match="its engine scripted generates by itself"):
        send(made, answer("sample-0#direct.0", "x"))


def test_a_paused_run_takes_generations_and_goes_on_when_resumed(begin: Callable[..., Run]) -> None:
    run = begin(train=1, k=1)
    running.pause_run(run)
    send(run, answer("sample-0#direct.0", RIGHT))
    assert work_off() == 0
    running.resume_run(run)
    assert work_off() == 1


def test_stopping_drops_what_was_imported(begin: Callable[..., Run]) -> None:
    run = begin()
    send(run, answer("sample-0#direct.0", "x"))
    running.stop_run(run)
    assert not ImportedAnswer.objects.exists()


def test_two_imports_at_once_are_one(begin: Callable[..., Run]) -> None:
    run = begin()
    refused: list[Exception] = []

    class Slow(io.BytesIO):
        def __iter__(self) -> Any:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            return super().__iter__()

    def other() -> None:
        try:
            send(run, answer("sample-0#direct.0", "other"))
        except WrongState as error:
            refused.append(error)
        finally:
            connection.close()

    import_generations(run, [("slow", Slow(answer("sample-0#direct.0", "slow")))])
    assert "are being imported" in str(refused[0])
    assert ImportedAnswer.objects.get().text == "slow"


@pytest.mark.parametrize("who", ["reviewer", "viewer", "outsider"])
def test_engineers_import(begin: Callable[..., Run], who: str, request: pytest.FixtureRequest) -> None:
    run, user = begin(), request.getfixturevalue(who)
    with pytest.raises(NotPermitted):
        send(run, answer("sample-0#direct.0", "x"), by=user)


def test_an_import_is_an_event(begin: Callable[..., Run], engineer: User) -> None:
    run = begin(train=1, k=1)
    send(run, answer("sample-0#direct.0", "x"), by=engineer)
    event = Event.objects.get(verb="generations.import")
    assert (event.run_id, event.actor, event.after["files"], event.after["taken"]) == (run.pk, engineer, ["out.jsonl"], 1)


def test_other_engines_still_need_held_out_samples(make_dataset: Any, make_run: Any, base: Any, project: Any) -> None:
    made = make_run(make_dataset(train=1, heldout=0))
    scripted = registering.register_engine("scripted", "scripted")
    with pytest.raises(InputError, match="no held-out sample"):
        running.create_run(project, made.revision, base, scripted, made.choices)


def test_an_attempt_beyond_those_asked_is_never_stored(begin: Callable[..., Run]) -> None:
    run = begin(train=1, k=1)
    send(run, answer("sample-0#direct.0", "x"))
    claim = shards.claim_next("hand")
    assert claim is not None
    found = imported.answers(claim)
    (number,) = found
    with pytest.raises(RuntimeError, match="which nobody asked for"):
        sampling.store(claim, {number: found[number] * 2})


CATEGORIES = ("simple_python", "parallel", "live_simple", "live_parallel_multiple")
FAILED = "Error during inference"  # what BFCL writes for a request that failed: no attempt


@pytest.mark.parametrize("model", ["model_gemma4-e4b-toolcall-v02", "model_DeepSeek-V3.1-Terminus-FC", "model_glyphh-ada-1.1"])
def test_published_bfcl_results_are_judged_as_compare_judges_them(
    begin: Callable[..., Run], make_dataset: Any, data_dir: Path, model: str
) -> None:
    """BFCL's questions with their answers as a data set, and what a model was measured with as its generations."""
    outputs = golden_outputs(data_dir, model)
    samples = [sample for sample in bfcl_samples(data_dir) if sample.id in outputs]
    assert len(samples) > 200
    run = begin(make_dataset(samples), k=1, shard_samples=64)
    file = bfcl(*((sample.id, listed(outputs[sample.id])) for sample in samples))
    report = import_generations(run, [("result.json", file)], skip_errors=True, allow_missing=True)
    assert report.left_out == sum(outputs[sample.id].startswith(FAILED) for sample in samples)
    work_off()
    judged = dict(Verdict.objects.filter(iteration__run=run, turn=0).values_list("sample__key", "outcome"))
    answered = [sample for sample in samples if not outputs[sample.id].startswith(FAILED)]
    assert judged == {sample.id: expected(sample, outputs[sample.id]) for sample in answered}
    assert {"exact", "approximate"} <= set(judged.values())


def expected(sample: Sample, output: str) -> str:
    """What `toolcalls compare` says."""
    truth = [{"name": call.name, "arguments": call.arguments} for call in sample.truth or ()]
    return str(compared({"truth": truth, "output": output, "tools": list(sample.tools)}, Comparator())["verdict"])


def golden_outputs(data_dir: Path, model: str) -> dict[str, str]:
    lines = (data_dir / "golden" / f"{model}.jsonl").read_text().splitlines()
    return {row["sample_id"]: row["output_text"] for row in map(json.loads, lines) if row["category"] in CATEGORIES}


def listed(text: str) -> Any:
    """A result as BFCL's file has it: a function-calling model's calls as a list, else the text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, list) else text


def bfcl_samples(data_dir: Path) -> list[Sample]:
    found: list[Any] = []
    for category in CATEGORIES:
        files = [data_dir / "bfcl" / folder / f"BFCL_v4_{category}.json" for folder in ("", "possible_answer")]
        both = zip(*(file.read_text().splitlines() for file in files), strict=True)
        joined = [{**json.loads(asked), **json.loads(answer)} for asked, answer in both]
        found += read_samples("\n".join(map(json.dumps, joined)), "bfcl")
    return [each for each in found if isinstance(each, Sample)]
