"""A training that was killed goes on from its last whole point, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from toolcalls.records import Message, TrainingRow
from toolcalls.settings import Settings, Training, settings_json
from toolcalls.wire import to_json
from trainer.points import WHOLE, Points, adopt, mark_whole, newest, step_of
from trainer.supervised import Progress
from trainer.training import train

SETTINGS = Settings(
    seed=3,
    training=Training(learning_rate=0.01, batch_rows=2, device_rows=1, dtype="float32", lora_rank=4, checkpoint_steps=3),
)
OF = {"training": "this one"}


def words(first: int, count: int) -> str:
    return " ".join(f"w{4 + (first + number) % 116}" for number in range(count))


ROWS = [
    TrainingRow(f"s{number}", "direct", (Message("user", words(number, 3 + number)),), words(number + 50, 3))
    for number in range(20)
]


def make_point(folder: Path, step: int, of: dict[str, Any] = OF) -> Path:
    point = folder / f"checkpoint-{step}"
    (point / "part").mkdir(parents=True)
    (point / "part" / "weights").write_bytes(b"w" * step)
    mark_whole(point, of)
    return point


def lines_of(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.communicate(timeout=120)[0].splitlines()]


@pytest.mark.process
def test_a_killed_training_ends_with_the_adapter_of_an_undisturbed_one(model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(to_json(each)) + "\n" for each in ROWS))
    (tmp_path / "settings.json").write_text(json.dumps(settings_json(SETTINGS)))
    killed = train_process(model_folder, tmp_path, "killed", "--points", "points")
    assert killed.stdout is not None
    reached = 0
    while reached < 8:
        reached = json.loads(killed.stdout.readline()).get("step", 0)
    killed.kill()
    killed.communicate()
    whole = newest_step(tmp_path / "points")
    assert whole >= 6

    again = lines_of(train_process(model_folder, tmp_path, "again", "--points", "points"))
    steps: list[Progress] = []
    undisturbed = train(ROWS, model_folder, tmp_path / "undisturbed", SETTINGS, steps.append)
    assert undisturbed is not None
    assert again[0] == {"begins_after": whole}
    assert [line["step"] for line in again[1:-1]] == [*range(whole + 1, 11)]
    assert [line["tokens"] for line in again[1:-1]] == [each.tokens for each in steps[whole:]]
    assert (again[-1]["adapter_sha256"], again[-1]["rows"]) == (undisturbed.adapter_sha256, 20)
    assert json.loads((tmp_path / "again" / "meta.json").read_text())["losses"] == [each.loss for each in steps]


def newest_step(folder: Path) -> int:
    return max(step_of(path.parent) for path in folder.glob(f"*/{WHOLE}"))


def train_process(base: Path, folder: Path, out: str, *more: str) -> subprocess.Popen[str]:
    arguments = ["train", "--in", "rows.jsonl", "--out", out, "--model", str(base), "--settings", "settings.json", *more]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, "-m", "trainer", *arguments], cwd=folder, env=environment, stdout=-1, text=True)


def test_a_training_that_ended_before_it_was_published_trains_no_step_again(model_folder: Path, tmp_path: Path) -> None:
    def report(progress: Any) -> None:
        steps.append(progress.step)

    steps: list[int] = []
    first = train(ROWS[:8], model_folder, tmp_path / "first", SETTINGS, report, points=tmp_path / "points")
    assert steps == [1, 2, 3, 4]
    second = train(ROWS[:8], model_folder, tmp_path / "second", SETTINGS, report, points=tmp_path / "points")
    assert steps == [1, 2, 3, 4]
    assert first is not None and second is not None
    assert (first.adapter_sha256, first.merged_sha256) == (second.adapter_sha256, second.merged_sha256)


def test_points_of_another_training_are_not_gone_on_from(model_folder: Path, tmp_path: Path) -> None:
    def begun(rows: list[TrainingRow], settings: Settings, out: str) -> int:
        begins: list[int] = []
        train(rows, model_folder, tmp_path / out, settings, points=tmp_path / "points", begin=begins.append)
        return begins[0]

    assert begun(ROWS[:8], SETTINGS, "first") == 0
    assert begun(ROWS[:8], replace(SETTINGS, seed=4), "another seed") == 0
    assert begun(ROWS[:8], replace(SETTINGS, seed=4), "the same") == 4
    assert begun(ROWS[1:9], replace(SETTINGS, seed=4), "other rows") == 0


def test_without_an_interval_no_point_is_kept(model_folder: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, training=replace(SETTINGS.training, checkpoint_steps=0))
    train(ROWS[:4], model_folder, tmp_path / "out", settings, points=tmp_path / "points")
    assert not list((tmp_path / "points").iterdir())


def test_at_most_two_points_are_kept(model_folder: Path, tmp_path: Path) -> None:
    train(ROWS, model_folder, tmp_path / "out", SETTINGS, points=tmp_path / "points")
    assert {path.name for path in (tmp_path / "points").iterdir()} == {"checkpoint-9", "checkpoint-10"}


def test_the_newest_whole_point_is_found_and_torn_ones_are_removed(tmp_path: Path) -> None:
    make_point(tmp_path, 9)
    make_point(tmp_path, 10)
    (make_point(tmp_path, 30) / "part" / "weights").write_bytes(b"cut")
    (make_point(tmp_path, 40) / WHOLE).write_text("[")
    (make_point(tmp_path, 50) / WHOLE).unlink()
    make_point(tmp_path, 60, {"training": "another"})
    assert newest(Points(tmp_path, OF)) == tmp_path / "checkpoint-10"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-9"]
    assert newest(Points(tmp_path / "nowhere", OF)) is None


def test_adopted_points_stay_when_those_who_made_them_remove_theirs(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    made, torn = make_point(source, 4), make_point(source, 6)
    (torn / WHOLE).unlink()
    target.mkdir()
    adopt(source, target)
    adopt(source, target)
    (made / "part" / "weights").unlink()
    assert [path.name for path in target.iterdir()] == ["checkpoint-4"]
    assert newest(Points(target, OF)) == target / "checkpoint-4"
    assert (target / "checkpoint-4" / "part" / "weights").read_bytes() == b"wwww"
