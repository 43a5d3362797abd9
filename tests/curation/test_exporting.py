"""Exporting: the frozen rows in order, in two formats; a file is complete or not there."""

from __future__ import annotations

import errno
import hashlib
import json
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.models import Event, Iteration, RefinePair, RevisionEntry, Run, User, Verdict
from curation.models.datasets import Split
from curation.stages import assembly, exporting
from curation.stages.errors import InputError, NotPermitted
from toolcalls.assembly import training_set_hash
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.wire import training_row_from_json

pytestmark = [pytest.mark.db, pytest.mark.django_db]
FIRST_ANSWER = '[get_weather(city="Nowhere")]'


@pytest.fixture
def iteration(make_run: Callable[..., Run]) -> Iteration:
    """Iteration 1 with all eight samples selected direct and the first three as pairs."""
    run = make_run()
    iteration = Iteration.objects.create(run=run, number=1, state="done")
    train = RevisionEntry.objects.filter(revision=run.revision, version__sample__split=Split.TRAIN)
    for place, (version, sample) in enumerate(train.order_by("position").values_list("version_id", "version__sample_id")):
        for turn in (0, 1) if place < 3 else (0,):
            Verdict.objects.create(
                iteration=iteration, version_id=version, sample_id=sample, outcome="exact", turn=turn,
                attempts=2, exact_hits=1, approximate_hits=1, comparator="1",
            )  # fmt: skip
        RefinePair.objects.create(
            iteration=iteration, version_id=version, first_answer=FIRST_ANSWER, usable=True,
            identical_exact=False, identical_text=False,
        )  # fmt: skip
    assembly.freeze(iteration)
    return iteration


def test_whetstone_lines_are_the_training_rows_in_order(iteration: Iteration) -> None:
    rows = [training_row_from_json(json.loads(line)) for line in exporting.export_lines(iteration)]
    assert rows == list(assembly.rows(iteration.training_set))
    assert training_set_hash(rows) == iteration.training_set.sha256
    assert sorted(row.kind for row in rows) == ["direct"] * 8 + ["refine"] * 3


def test_trl_lines_are_prompt_and_completion(iteration: Iteration) -> None:
    rows = [json.loads(line) for line in exporting.export_lines(iteration, "trl")]
    assert {tuple(row) for row in rows} == {("prompt", "completion")}
    pairs = [row for row in rows if len(row["prompt"]) > 2]
    assert len(pairs) == 3
    for row in pairs:
        assert [message["role"] for message in row["prompt"]] == ["system", "user", "assistant", "user"]
        assert [message["content"] for message in row["prompt"][2:]] == [FIRST_ANSWER, REFINE_PROMPT]
        assert row["completion"][0]["role"] == "assistant"


def test_rows_that_are_not_what_was_trained_on_are_not_exported(iteration: Iteration, tmp_path: Path) -> None:
    RefinePair.objects.filter(iteration=iteration).update(first_answer="[get_weather(city='Elsewhere')]")
    with pytest.raises(InputError, match="not what was frozen any more"):
        exporting.export_file(iteration, tmp_path / "rows.jsonl")
    assert not list(tmp_path.glob("*.jsonl*"))


def test_file_and_manifest_agree(iteration: Iteration, tmp_path: Path, viewer: User) -> None:
    out = tmp_path / "rows.jsonl"
    manifest = exporting.export_file(iteration, out, "trl", by=viewer)
    data = out.read_bytes()
    assert data.decode().splitlines() == list(exporting.export_lines(iteration, "trl"))
    assert manifest.sha256 == hashlib.sha256(data).hexdigest()
    assert (manifest.bytes, manifest.rows, manifest.direct, manifest.refine) == (len(data), 11, 8, 3)
    written = json.loads((tmp_path / "rows.jsonl.manifest.json").read_text())
    assert written["sha256"] == manifest.sha256
    assert written["training_set_sha256"] == iteration.training_set.sha256
    assert written["settings"]["k"] == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["rows.jsonl", "rows.jsonl.manifest.json"]
    assert Event.objects.get(verb="iteration.export").actor == viewer


def test_failed_export_leaves_the_old_file_as_it_was(iteration: Iteration, tmp_path: Path) -> None:
    out = tmp_path / "out" / "rows.jsonl"
    out.parent.mkdir()
    out.write_text("old")
    RefinePair.objects.all().delete()  # the rows cannot be rebuilt
    with pytest.raises(KeyError):
        exporting.export_file(iteration, out)
    assert out.read_text() == "old"
    assert list(out.parent.iterdir()) == [out]


def test_file_that_cannot_be_written_is_a_message(iteration: Iteration, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: No such file or directory; make its folder first"):
        exporting.export_file(iteration, tmp_path / "nowhere" / "rows.jsonl")


def test_full_disk_is_a_message_and_leaves_nothing(iteration: Iteration, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: writing fails in the middle just so."""
    folder = tmp_path / "out"
    folder.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(InputError, match=r"File too large(?s:.*)Nothing was left there"):
            exporting.export_file(iteration, folder / "rows.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(folder.iterdir()) == []


def test_words_for_a_full_disk_say_what_to_do(tmp_path: Path) -> None:
    error = exporting._unwritable(tmp_path / "rows.jsonl", OSError(errno.ENOSPC, "No space left on device"))
    assert "No space left on device; free some space" in str(error)


def test_iteration_without_a_training_set_is_refused(make_run: Callable[..., Run]) -> None:
    iteration = Iteration.objects.create(run=make_run(), number=0)
    with pytest.raises(InputError, match="iteration 0 only evaluates the base"):
        exporting.export_lines(iteration)


def test_unknown_format_is_refused_before_anything_is_written(iteration: Iteration, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="format 'csv' is unknown; choose one of whetstone, trl"):
        exporting.export_file(iteration, tmp_path / "rows.csv", "csv")
    assert not (tmp_path / "rows.csv").exists()


def test_members_export_and_outsiders_do_not(iteration: Iteration, viewer: User, outsider: User) -> None:
    assert len(list(exporting.export_lines(iteration, by=viewer))) == 11
    with pytest.raises(NotPermitted):
        exporting.export_lines(iteration, by=outsider)
