"""Exporting: the frozen rows in order, in two formats; a file is complete or not there."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import resource
import tomllib
import urllib.request
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from curation.models import Decision, Event, Export, Iteration, RefinePair, RevisionEntry, Run, Sample, User, Verdict
from curation.models.datasets import Split
from curation.stages import (
    artifacts,
    assembly,
    drafts,
    export_blocks,
    export_files,
    export_lines,
    exporting,
    tokens,
    training_file,
)
from curation.stages.errors import InputError, NotPermitted, WrongState
from curation.stages.filtering import VerdictFilter
from curation.stages.importing import import_dataset
from curation.streaming import export_response
from toolcalls.assembly import training_set_hash
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.records import Sample as SampleRecord
from toolcalls.wire import to_json, training_row_from_json

pytestmark = [pytest.mark.db, pytest.mark.django_db]
FIRST_ANSWER = '[get_weather(city="Nowhere")]'


@pytest.fixture
def make_iteration() -> Callable[..., Iteration]:
    """`make_iteration(run, pairs=3)`: iteration 1 with every sample selected direct and the first three as pairs.

    `exact`: the first one's A₁ is the truth.
    """

    def make(run: Run, *, pairs: int = 3, first_answer: str = FIRST_ANSWER, exact: bool = False) -> Iteration:
        iteration = Iteration.objects.create(run=run, number=1, state="done")
        train = RevisionEntry.objects.filter(revision=run.revision, version__sample__split=Split.TRAIN).order_by("position")
        fields = ("version_id", "version__sample_id", "version__category")
        for place, (version, sample, category) in enumerate(train.values_list(*fields)):
            for turn in (0, 1) if place < pairs else (0,):
                Verdict.objects.create(
                    iteration=iteration, version_id=version, sample_id=sample, outcome="exact", turn=turn,
                    attempts=2, exact_hits=1, approximate_hits=1, comparator="1", category=category,
                )  # fmt: skip
            RefinePair.objects.create(
                iteration=iteration, version_id=version, first_answer=first_answer, usable=True,
                identical_exact=exact and place == 0, identical_text=False,
            )  # fmt: skip
        assembly.freeze(iteration)
        return iteration

    return make


@pytest.fixture
def iteration(make_run: Callable[..., Run], make_iteration: Callable[..., Iteration]) -> Iteration:
    return make_iteration(make_run())


def lines_of(iteration: Iteration, kind: str = "training_set", **options: Any) -> list[str]:
    return list(export_files.write_lines(exporting.begin(iteration, kind, **options)))


def test_whetstone_lines_are_the_training_rows_in_order(iteration: Iteration) -> None:
    rows = [training_row_from_json(json.loads(line)) for line in lines_of(iteration)]
    assert rows == list(assembly.rows(iteration.training_set))
    assert training_set_hash(rows) == iteration.training_set.sha256
    assert sorted(row.kind for row in rows) == ["direct"] * 8 + ["refine"] * 3


def test_trl_lines_are_prompt_and_completion(iteration: Iteration) -> None:
    rows = [json.loads(line) for line in lines_of(iteration, format="trl")]
    assert {tuple(row) for row in rows} == {("prompt", "completion")}
    pairs = [row for row in rows if len(row["prompt"]) > 2]
    assert len(pairs) == 3
    for row in pairs:
        assert [message["role"] for message in row["prompt"]] == ["system", "user", "assistant", "user"]
        assert [message["content"] for message in row["prompt"][2:]] == [FIRST_ANSWER, REFINE_PROMPT]
        assert row["completion"][0]["role"] == "assistant"


def test_the_frozen_file_is_what_is_exported_whatever_changes_later(iteration: Iteration) -> None:
    frozen = iteration.training_set
    before = lines_of(iteration)
    RefinePair.objects.filter(iteration=iteration).update(first_answer="[get_weather(city='Elsewhere')]")
    assert lines_of(iteration) == before
    export = Export.objects.latest("pk")
    assert (export.sha256, export.bytes) == (frozen.file_sha256, frozen.bytes)


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "nowhere else"])
@pytest.mark.parametrize("loss", ["gone", "cut short"])
def test_a_file_that_was_lost_is_fetched_or_written_anew(iteration: Iteration, loss: str, stored: bool) -> None:
    path, before = training_file.path(iteration.training_set), lines_of(iteration)
    if not stored:
        artifacts.store().delete(iteration.training_set.file_sha256)
    if loss == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-10])
    assert lines_of(iteration) == before
    assert training_file.is_whole(iteration.training_set)


def test_the_file_in_the_store_is_what_was_frozen_whatever_became_of_the_rows(iteration: Iteration) -> None:
    before = lines_of(iteration)
    training_file.path(iteration.training_set).unlink()
    RefinePair.objects.filter(iteration=iteration).update(first_answer="[get_weather(city='Elsewhere')]")
    assert lines_of(iteration) == before


def test_rows_that_were_lost_and_are_others_now_are_refused(iteration: Iteration, tmp_path: Path) -> None:
    artifacts.store().delete(iteration.training_set.file_sha256)
    training_file.path(iteration.training_set).unlink()
    RefinePair.objects.filter(iteration=iteration).update(first_answer="[get_weather(city='Elsewhere')]")
    with pytest.raises(InputError, match="not what was frozen any more"):
        exporting.begin(iteration)
    assert not list(training_file.path(iteration.training_set).parent.iterdir())


def test_a_damaged_file_ends_the_export_before_its_last_block_and_is_written_anew(
    iteration: Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_blocks, "BLOCK", 64)
    path, before = training_file.path(iteration.training_set), lines_of(iteration)
    damaged = bytearray(path.read_bytes())
    damaged[-20] ^= 1
    path.write_bytes(damaged)
    export = exporting.begin(iteration)
    given: list[bytes] = []
    with pytest.raises(InputError, match="damaged"):
        given.extend(exporting.stream(export))
    export.refresh_from_db()
    assert (export.state, export.rows) == ("aborted", len(before) - 1)
    assert lines_of(iteration) == before


def test_file_and_manifest_agree(iteration: Iteration, tmp_path: Path, viewer: User) -> None:
    out = tmp_path / "rows.jsonl"
    export = exporting.begin(iteration, format="trl", by=viewer)
    manifest = export_files.write_file(export, out)
    data = out.read_bytes()
    assert data.decode().splitlines() == lines_of(iteration, format="trl")
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    assert [manifest[name] for name in ("bytes", "rows", "direct", "refine")] == [len(data), 11, 8, 3]
    written = json.loads((tmp_path / "rows.jsonl.manifest.json").read_text())
    assert written == manifest
    assert written["training_set_sha256"] == iteration.training_set.sha256
    assert written["settings"]["k"] == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["rows.jsonl", "rows.jsonl.manifest.json"]
    export.refresh_from_db()
    assert (export.state, export.rows, export.sha256) == ("complete", 11, manifest["sha256"])
    events = Event.objects.filter(verb__startswith="export.", subject_id=export.pk)
    assert [(event.verb, event.actor) for event in events] == [("export.begin", viewer), ("export.complete", viewer)]


def test_the_manifest_says_where_the_lines_come_from(iteration: Iteration) -> None:
    export = exporting.begin(iteration, "pool", f=VerdictFilter(0, category=("simple",), q="rome"))
    list(exporting.stream(export))
    run, manifest = iteration.run, export.manifest
    assert manifest["filters"] == {"category": ["simple"], "q": ["rome"]}
    assert (manifest["base_sha256"], manifest["sampled_by_sha256"]) == (run.base.sha256, run.base.sha256)
    assert (manifest["dataset"], manifest["revision"], manifest["revision_sha256"]) == ("weather", 1, run.revision.sha256)
    assert (manifest["seed"], manifest["comparator"]) == (0, "2:schema_defaults,tolerance=1")
    assert len(manifest["prompts"]["templates_sha256"]) == 64
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert manifest["program"] == project["version"]


def test_pool_lines_are_samples_with_their_verdicts_and_decisions(iteration: Iteration, reviewer: User) -> None:
    sample = Sample.objects.get(key="sample-2")
    fields = {"run": iteration.run, "iteration": iteration, "sample": sample, "by": reviewer}
    Decision.objects.create(turn=0, kind="drop", why='"no"', **fields)
    Decision.objects.create(turn=1, kind="keep", **fields)
    rows = [json.loads(line) for line in lines_of(iteration, "pool")]
    assert [row["id"] for row in rows] == [f"sample-{number}" for number in range(8)]
    assert [row["decision"] and (row["decision"]["kind"], row["decision"]["why"]) for row in rows[1:4]] == [
        None, ("drop", '"no"'), None,
    ]  # fmt: skip
    verdict = rows[0]["verdict"]
    assert (verdict["outcome"], verdict["attempts"], verdict["approximate_hits"]) == ("exact", 2, 1)
    assert rows[0]["version"] == 1
    assert list(rows[0]["tools"][0]) == ["name", "description", "parameters"]


def test_pool_lines_can_be_imported_again(iteration: Iteration) -> None:
    lines = "\n".join(lines_of(iteration, "pool"))
    report = import_dataset(iteration.run.project, "again", io.BytesIO(lines.encode()))
    assert report.revision.train == 8
    again = report.revision.entries.order_by("position").values_list("version__sha256", flat=True)
    first = iteration.run.revision.entries.filter(version__sample__split=Split.TRAIN).order_by("position")
    assert list(again) == list(first.values_list("version__sha256", flat=True))


def test_pair_lines_hold_the_first_answer_the_refine_prompt_and_the_target(iteration: Iteration) -> None:
    RefinePair.objects.filter(version__sample__key="sample-1").update(first_answer='[f(a="\u2028")]\n')
    rows = [json.loads(line) for line in lines_of(iteration, "pairs")]
    assert [row["id"] for row in rows] == ["sample-0", "sample-1", "sample-2"]
    assert [row["first_answer"] for row in rows] == [FIRST_ANSWER, '[f(a="\u2028")]\n', FIRST_ANSWER]
    assert {row["refine_prompt"] for row in rows} == {REFINE_PROMPT}
    targets = {row.sample_id: row.target for row in assembly.rows(iteration.training_set)}
    assert [row["target"] for row in rows] == [targets[row["id"]] for row in rows]


def test_pairs_have_the_targets_that_they_are_trained_on(
    make_run: Callable[..., Run], make_dataset: Any, make_sample: Any, make_iteration: Callable[..., Iteration]
) -> None:
    odd = make_sample(1, truth_text='[ get_weather(city="Oslo",days=1) ]')
    samples = [
        make_sample(0),
        odd,
        make_sample(2, truth_text=None),
        make_sample(3, truth_text="of no use"),
        make_sample(9, truth=None),
    ]
    run = make_run(make_dataset([*samples, make_sample(10, split="heldout")]), stop_target="first_answer")
    iteration = make_iteration(run, pairs=5, first_answer='[get_weather(days=1, city="Rome")]', exact=True)
    targets = {row.sample_id: row.target for row in assembly.rows(iteration.training_set) if row.kind == "refine"}
    assert list(map(targets.get, ("sample-0", "sample-1"))) == ['[get_weather(days=1, city="Rome")]', odd.truth_text]
    assert {row["id"]: row["target"] for row in map(json.loads, lines_of(iteration, "pairs"))} == targets


@pytest.mark.parametrize(
    "truth",
    [
        None,
        [],
        [{"name": "f", "arguments": {"a": [1], "truth": 5, "truth_text": "x"}}],
        [{"name": "f", "arguments": {"a": ', "truth": [], "truth_text": "y"', "truth": [], "b": 1}}],
    ],
)
@pytest.mark.parametrize("text", [None, "", ', "truth_text": "z", "truth": []'])
def test_the_truth_is_found_in_a_stored_content_whatever_it_is_called_deeper_down(truth: Any, text: str | None) -> None:
    tools = [{"name": "f", "parameters": {"a": {}, "truth": [], "truth_text": {"truth": 1}}}]
    content = {"id": "s", "tools": tools, "messages": [], "truth": truth, "truth_text": text, "other": ', "truth": 1'}
    assert list(content) == list(to_json(SampleRecord("s", (), (), None)))[: len(content)]
    assert export_lines.stored_truth(json.dumps(content)) == (truth, text)
    assert export_lines.stored_truth(json.dumps(content, separators=(",", ":"))) == (truth, text)


def test_a_pool_is_exported_as_it_is_filtered_and_ordered(iteration: Iteration) -> None:
    for number in (5, 3):
        Verdict.objects.filter(sample__key=f"sample-{number}").update(approximate_hits=2, attempts=2)
    found = lines_of(iteration, "pool", f=VerdictFilter(0, hits=(2,), order="-id"))
    assert [json.loads(line)["id"] for line in found] == ["sample-5", "sample-3"]
    assert lines_of(iteration, "pool", f=VerdictFilter(0, category=("none such",))) == []


def test_lines_are_read_a_few_at_a_time(iteration: Iteration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_blocks, "ROWS", 3)
    blocks = list(exporting.stream(exporting.begin(iteration, "pool")))
    assert [block.count(b"\n") for block in blocks] == [3, 3, 2]


@pytest.mark.parametrize("kind", ["pool", "pairs"])
def test_lines_are_the_same_however_few_postgres_is_asked_for_at_a_time(
    iteration: Iteration, reviewer: User, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, order = export_blocks.TURNS[kind], VerdictFilter(export_blocks.TURNS[kind], order="-id")
    for number in (0, 2):
        sample = Sample.objects.get(key=f"sample-{number}")
        fields = {"run": iteration.run, "iteration": iteration, "sample": sample, "by": reviewer}
        Decision.objects.create(turn=turn, kind="keep", why=str(number), **fields)
    whole = lines_of(iteration, kind, f=order)
    assert [json.loads(line)["decision"]["why"] for line in (whole[-1], whole[-3])] == ["0", "2"]
    for name, size in (("ROWS", 3), ("CHUNK", 2), ("LOOK", 1)):
        monkeypatch.setattr(export_blocks, name, size)
        assert lines_of(iteration, kind, f=order) == whole


def test_an_export_that_is_not_read_to_its_end_is_aborted(iteration: Iteration) -> None:
    export = exporting.begin(iteration, "pool")
    blocks = exporting.stream(export)
    next(blocks)
    blocks.close()
    blocks.close()
    export.refresh_from_db()
    assert (export.state, export.rows) == ("aborted", 8)
    assert list(Event.objects.filter(subject_id=export.pk, verb__startswith="export.").values_list("verb", flat=True)) == [
        "export.begin", "export.abort",
    ]  # fmt: skip
    with pytest.raises(WrongState, match="begin another"):
        exporting.stream(export)


def test_failed_export_leaves_the_old_file_as_it_was(iteration: Iteration, tmp_path: Path) -> None:
    out = tmp_path / "out" / "rows.jsonl"
    out.parent.mkdir()
    out.write_text("old")
    export = exporting.begin(iteration)
    path = training_file.path(iteration.training_set)
    path.write_bytes(path.read_bytes().replace(b"Rome", b"Home"))
    with pytest.raises(InputError, match="damaged"):
        export_files.write_file(export, out)
    assert out.read_text() == "old"
    assert list(out.parent.iterdir()) == [out]


def test_file_that_cannot_be_written_is_a_message(iteration: Iteration, tmp_path: Path) -> None:
    export = exporting.begin(iteration)
    with pytest.raises(InputError, match="cannot be written: No such file or directory; make its folder first"):
        export_files.write_file(export, tmp_path / "nowhere" / "rows.jsonl")
    export.refresh_from_db()
    assert export.state == "aborted"


def test_full_disk_is_a_message_and_leaves_nothing(iteration: Iteration, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: writing fails in the middle just so."""
    folder = tmp_path / "out"
    folder.mkdir()
    export = exporting.begin(iteration)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(InputError, match=r"File too large(?s:.*)Nothing was left there"):
            export_files.write_file(export, folder / "rows.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(folder.iterdir()) == []


def test_words_for_a_full_disk_say_what_to_do(tmp_path: Path) -> None:
    error = drafts.unwritable(tmp_path / "rows.jsonl", OSError(errno.ENOSPC, "No space left on device"))
    assert "No space left on device; free some space" in str(error)


def test_iteration_without_a_training_set_is_refused(make_run: Callable[..., Run]) -> None:
    iteration = Iteration.objects.create(run=make_run(), number=0)
    for kind in ("training_set", "pool", "pairs"):
        with pytest.raises(InputError, match="only evaluates the base"):
            exporting.begin(iteration, kind)


def test_what_cannot_be_exported_is_refused_before_anything_is_written(iteration: Iteration) -> None:
    for kind, form, f, words in (
        ("training_set", "csv", None, "format 'csv' is unknown; choose one of whetstone, trl"),
        ("pool", "trl", None, "format 'trl' is unknown; choose one of whetstone"),
        ("answers", "whetstone", None, "choose one of training_set, pool, pairs"),
        ("training_set", "whetstone", VerdictFilter(0), "leave the filter out"),
        ("pairs", "whetstone", VerdictFilter(0), "of turn 0, pairs are of turn 1"),
    ):
        with pytest.raises(InputError, match=words):
            exporting.begin(iteration, kind, form, f)
    assert not Export.objects.exists()


def test_members_export_and_outsiders_do_not(iteration: Iteration, viewer: User, outsider: User) -> None:
    assert len(lines_of(iteration, by=viewer)) == 11
    with pytest.raises(NotPermitted):
        exporting.begin(iteration, by=outsider)


def test_a_server_that_is_asynchronous_gives_out_block_by_block(
    iteration: Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(export_blocks, "ROWS", 3)
    export = exporting.begin(iteration, "pool")
    response = export_response(export)
    assert response["Whetstone-Export"] == str(export.pk)
    assert response["Content-Disposition"] == (
        f'attachment; filename="run-{iteration.run_id}-iteration-1-pool.whetstone.jsonl"'
    )  # fmt: skip

    async def read() -> list[bytes]:
        return [block async for block in response]

    blocks = async_to_sync(read)()
    assert [block.count(b"\n") for block in blocks] == [3, 3, 2]
    export.refresh_from_db()
    assert (export.state, export.sha256) == ("complete", hashlib.sha256(b"".join(blocks)).hexdigest())


def test_a_reader_that_goes_away_aborts_the_export(iteration: Iteration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_blocks, "ROWS", 3)
    export = exporting.begin(iteration, "pool")
    response = export_response(export)

    async def read_a_little() -> None:
        async with aclosing(aiter(response)) as blocks:
            await anext(blocks)

    async_to_sync(read_a_little)()
    export.refresh_from_db()
    assert (export.state, export.rows) == ("aborted", 3)


@pytest.mark.django_db(transaction=True)
def test_a_response_that_nobody_reads_aborts_the_export(iteration: Iteration) -> None:
    export = exporting.begin(iteration, "pool")
    export_response(export).close()
    export.refresh_from_db()
    assert (export.state, export.rows) == ("aborted", 0)


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_a_script_pulls_a_training_set_and_its_manifest_from_a_real_server(
    web: str, iteration: Iteration, viewer: User
) -> None:  # fmt: skip
    _, secret = tokens.create(viewer, "script", "read", 1)
    where = f"{web}/api/v1/runs/{iteration.run_id}"

    def get(address: str) -> tuple[bytes, Any]:
        asked = urllib.request.Request(where + address, headers={"Authorization": f"Bearer {secret}"})
        with urllib.request.urlopen(asked, timeout=20) as response:
            return response.read(), response.headers

    content, headers = get("/iterations/1/export/training-set")
    assert content == training_file.path(iteration.training_set).read_bytes()
    export = json.loads(get(f"/exports/{headers['Whetstone-Export']}")[0])
    assert (export["state"], export["sha256"]) == ("complete", hashlib.sha256(content).hexdigest())
    assert export["manifest"]["training_set_sha256"] == iteration.training_set.sha256
    assert get("/iterations/1/export/pool?category=simple")[0].count(b"\n") == 8
