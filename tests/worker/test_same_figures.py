"""What a worker stores of a benchmark and what `python -m trainer evaluate` reports of it are the same, answer by answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from typing import Any

import pytest

from curation.models import Evaluation
from curation.stages import evaluation, scores
from curation.stages.evaluation_items import items_of
from curation.stages.jobs import EngineRequest
from curation.stages.shards import Claim
from tests.curation import conftest as record
from tests.curation.evaluations import conftest as evaluations
from tests.curation.evaluations.made_up import CITIES, TIME, WEATHER, items
from tests.curation.stages import conftest as by_hand
from toolcalls.adaptive import refine_traces
from toolcalls.answers import Call
from toolcalls.records import Generation, Message, Sampling
from toolcalls.rendering import render
from toolcalls.report_json import report_json
from toolcalls.reports import report
from trainer.benchmarks import tracing
from trainer.benchmarks.folder import Answers
from trainer.engines.protocol import Answer, MessageRequest
from worker.tasks.evaluation import Asking

pytestmark = [pytest.mark.db, pytest.mark.django_db]

team, project, import_one = record.team, record.project, record.import_one
model_root, make_model_folder, base, engine = record.model_root, record.make_model_folder, record.base, record.engine
queue, benchmark, make_evaluation = by_hand.queue, evaluations.benchmark, evaluations.make_evaluation
GREEDY = Sampling(temperature=0.0, max_new_tokens=32)


def said(messages: Sequence[Message]) -> Generation:
    """A model that depends on all that it reads: at times right, at times settled, cut off, or without room for the prompt."""
    digest = hashlib.sha256("\n".join(f"{one.role} {one.content}" for one in messages).encode()).digest()
    text, finish = _text(messages, digest), "length" if digest[1] % 9 == 0 else "stop"
    prompt = sum(len(one.content) for one in messages)
    if digest[2] % 6 == 0:
        return Generation(0, 0, "", "too_long", prompt, 0, prompt_hash="c" * 64)
    return Generation(0, 0, text, finish, prompt, len(text), prompt_hash="c" * 64)  # type: ignore[arg-type]


def _text(messages: Sequence[Message], digest: bytes) -> str:
    """Of two out of three refine prompts the answer before again, else a call for a city that is asked for, days at random."""
    if len(messages) > 2 and digest[0] % 3:
        return next(one.content for one in reversed(messages) if one.role == "assistant")
    asked = " ".join(one.content for one in messages)
    city = next((name for name in CITIES if f"in {name}" in asked), "Rome")
    days = [word for word in asked.replace(",", " ").split() if word.isdecimal() and len(word) < 3]
    calls = [Call(WEATHER, {"city": city, "days": int(days[-1] if days else 1)})]
    return render(calls if digest[3] % 4 else [*calls, Call(TIME, {"city": city, "days": 1})])


class Served:
    """The engine as a worker's tasks have it. `asked`: how many answers were asked for."""

    asked = 0

    def generate(self, requests: Sequence[EngineRequest]) -> dict[str, list[Generation]]:
        self.asked += len(requests)
        return {one.id: [said(one.messages)] for one in requests}


class Opened:
    """The engine as the trainer's commands have it."""

    name, asked = "said", 0

    def answer(self, requests: Sequence[MessageRequest]) -> Iterator[Answer]:
        self.asked += len(requests)
        return iter([Answer(one.id, said(one.messages)) for one in requests])


class Hand(by_hand.Hand):
    """Evaluates as worker.tasks.evaluation does."""

    def __init__(self, served: Served) -> None:
        super().__init__()
        self.served = served

    def traces(self, claim: Claim) -> dict[int, list[Generation]]:
        versions, prompts = zip(*evaluation.prompts(claim), strict=True)
        asking = Asking(self.served, prompts, GREEDY)
        refine_traces(asking, len(versions), claim.settings.refine_turns)
        return dict(zip(versions, asking.given, strict=True))


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
def work_off(served: Served, django_capture_on_commit_callbacks: Any) -> Callable[..., None]:
    def work(run: Any, _: Any = None) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            evaluations.running.start_run(run)
        with django_capture_on_commit_callbacks(execute=True):
            Hand(served).work_off()

    return work


def test_a_worker_and_the_command_find_the_same(make_evaluation: Callable[..., Evaluation], served: Served) -> None:
    stored = make_evaluation()
    opened = Opened()
    asking = tracing.Asking(lambda: opened, items(), "paper", GREEDY, Answers(StringIO(), {}), lambda *_: None)  # type: ignore[arg-type,return-value]
    traced = tracing.trace(asking, evaluations.N)
    assert list(scores.traced(items_of(stored))) == traced
    assert stored.figures == report_json(report("bfcl", traced, evaluations.N))
    assert served.asked == opened.asked
    errors = {error for one in traced for error in one.error_types}
    assert {None, "truncated", "too_long"} < errors and len({one.answers[0] for one in traced}) > 10
    ends = [given[-1].finish_reason for given in asking.given if len(given) > 1]
    assert "too_long" in ends and stored.adaptive_right
