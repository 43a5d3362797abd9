"""What an evaluation asks its engine for."""

from __future__ import annotations

from collections.abc import Sequence

from curation.stages.jobs import EngineRequest
from toolcalls.adaptive import refine_traces
from toolcalls.records import Generation, Message, Sampling
from worker.tasks.evaluation import Asking


class Narrow:
    """An engine into whose context no refine prompt with an answer fits, though one without an answer would."""

    def generate(self, requests: Sequence[EngineRequest]) -> dict[str, list[Generation]]:
        return {request.id: [self._answer(request)] for request in requests}

    def _answer(self, request: EngineRequest) -> Generation:
        fits = len(request.messages) == 1 or not request.messages[1].content
        return Generation(0, 0, "[f(a=1)]" if fits else "", "stop" if fits else "too_long", 10, 3, "")


def test_no_turn_is_asked_after_a_refine_prompt_that_does_not_fit() -> None:
    asking = Asking(Narrow(), [(Message("user", "Call f."),)], Sampling(temperature=0.0))
    assert refine_traces(asking, 1, 5) == [["[f(a=1)]"] * 6]
    assert [given.finish_reason for given in asking.given[0]] == ["stop", "too_long"]
