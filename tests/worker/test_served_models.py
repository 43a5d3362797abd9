"""A run on a model behind an OpenAI-compatible server: it selects, its key stays in the environment, and it trains nothing."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from django.core.management import call_command
from django.db import connection

from curation.models import Engine, Event, Iteration, Run, TrainingSet
from curation.models.runs import IterationState, RunState
from curation.models.shards import StageKind
from curation.stages.errors import InputError
from curation.stages.shards import Claim
from toolcalls.rendering import render
from toolcalls.settings import Settings
from toolcalls.wire import sample_from_json
from trainer.engines import openai_options
from worker.engines import EngineSpec, serve_command
from worker.tasks import station, wake_up

pytestmark = [pytest.mark.process]
KEY = "sk-of-no-use-Zq81"
OPTIONS = {"url": "http://127.0.0.1:9/v1", "model": "org/m", "key_env": "TEAM_API_KEY", "concurrency": 8}


class Handler(BaseHTTPRequestHandler):
    """Knows the truth of every other sample, and answers with calls parsed, as a server with a tool parser does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.keys.add(self.headers["Authorization"])
        query = next(message["content"] for message in body["messages"] if message["role"] == "user")
        message = {"role": "assistant", "content": server.answers.get(query, "No idea.")}
        reply = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
        data = json.dumps({**reply, "usage": {"prompt_tokens": 9, "completion_tokens": 5}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def server(world: Callable[[str, int], bytes]) -> Iterator[Any]:
    samples = [sample_from_json(json.loads(line)) for line in world("train", 24).splitlines()]
    listening: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.answers = {one.messages[-1].content: render(one.truth or ()) for one in samples[::2]}
    listening.keys = set()
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    yield listening
    listening.shutdown()
    listening.server_close()


def everything_stored() -> str:
    """All rows of all tables, as text."""
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("curation_")]
        rows = []
        for name in names:
            cursor.execute(f'SELECT t::text FROM "{name}" t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def test_a_run_on_a_served_model_ends_with_its_training_set(
    server: Any, start: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TEAM_API_KEY", KEY)
    words = [f"url=http://127.0.0.1:{server.server_port}/v1", "model=org/m", "key_env=TEAM_API_KEY", "retries=1"]
    call_command("register_engine", "cluster", "openai", *(f"--option={word}" for word in words))
    run = start(Engine.objects.get(name="cluster"))
    wake_up()
    station.engines.end()
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED, run.why
    assert "engine cluster serves a model of its own, so nothing is trained" in run.why
    assert run.final_checkpoint is None
    base, first = Iteration.objects.filter(run=run)
    assert (base.state, first.state) == (IterationState.DONE, IterationState.SELECTION_ONLY)
    states = dict(first.stages.values_list("kind", "state"))
    assert [kind for kind, state in states.items() if state == "cancelled"] == [StageKind.TRAINING, StageKind.EVALUATION]
    frozen = TrainingSet.objects.get(iteration=first)
    assert (frozen.direct, frozen.refine) == (12, 12)
    call_command("export_dataset", str(run.pk), "1", "--out", str(tmp_path / "rows.jsonl"))
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 24
    assert Event.objects.filter(verb="run.end", subject_id=run.pk).exists()
    assert server.keys == {f"Bearer {KEY}"}
    logs = "".join(path.read_text() for path in station.logs.glob("engine-*.log"))
    assert KEY not in everything_stored() + caplog.text + logs


def claim(**changes: Any) -> Claim:
    values = {
        "shard_id": 1, "attempt": 1, "stage_kind": StageKind.SAMPLING, "run_id": 1, "iteration_id": 1, "iteration_number": 1,
        "versions": (), "settings": Settings(), "engine_kind": "openai", "engine_options": OPTIONS, "model": Path("/models/one"),
        "checkpoint_id": None, "run_seed": 0,
    }  # fmt: skip
    return Claim(**{**values, **changes})


def test_command_names_the_server_s_model_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_API_KEY", KEY)
    command = serve_command(EngineSpec.of(claim()))
    assert command[command.index("--model") + 1] == "org/m"
    assert json.loads(command[command.index("--options") + 1]) == {name: OPTIONS[name] for name in OPTIONS if name != "model"}
    assert KEY not in " ".join(command)


def test_only_an_engine_of_this_kind_sees_a_key_and_no_more_than_its_own() -> None:
    spec = EngineSpec.of(claim())
    assert "TEAM_API_KEY" in spec.environment
    assert not {"OPENAI_API_KEY", "SECRET_KEY", "DATABASE_URL", "HF_TOKEN"} & spec.environment
    usual = EngineSpec.of(claim(engine_options={"url": OPTIONS["url"], "model": "m"}))
    assert "OPENAI_API_KEY" in usual.environment
    assert not EngineSpec.of(claim(engine_kind="vllm", engine_options={})).environment


def test_a_trained_model_is_not_asked_of_a_server_that_has_another() -> None:
    with pytest.raises(InputError, match="serves a model of its own, not what a run trained"):
        EngineSpec.of(claim(checkpoint_id=3))


@pytest.mark.parametrize(
    "url",
    ["http://h:8000/v1", "https://h/v1", "h/v1", "https://u:p@h/v1", "https://h/v1?k=1", "http://[::1/v1", "http://a..b/v1"],
)
@pytest.mark.parametrize("key_env", ["OPENAI_API_KEY", "API_KEY", "SECRET_KEY", "HF_TOKEN", "sk-secret"])
def test_what_is_registered_can_be_opened(url: str, key_env: str) -> None:
    from curation.stages.served_models import check_served_model
    from trainer.engines.protocol import EngineError

    def refused(check: Callable[[], object], error: type[Exception]) -> bool:
        try:
            check()
        except error:
            return True
        return False

    options = {"url": url, "key_env": key_env}
    at_registering = refused(lambda: check_served_model("e", {**options, "model": "m"}), InputError)
    at_opening = refused(lambda: openai_options.options_from(options), EngineError)
    assert at_registering == at_opening
