"""Greedy traces of a benchmark's items (ToolACE-R §3.3, Alg. 1; §4.1): all items' turns as one batch each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolcalls.adaptive import refine_traces
from toolcalls.benchmarks.items import Item
from toolcalls.benchmarks.prompts import Prompts, messages
from toolcalls.records import Generation, Sampling
from toolcalls.refinement import refine_messages, standing_text
from toolcalls.strategies import Traced
from toolcalls.tracing import traced_item
from trainer.answering import Report
from trainer.asking import answers
from trainer.benchmarks.folder import Answers, Asked
from trainer.engines.protocol import Engine, EngineError, MessageRequest

OpenEngine = Callable[[], Engine]


class Asking:
    """Asks for the next turn of items, but for answers that were kept. `given` holds all generations by item."""

    def __init__(
        self, open_engine: OpenEngine, items: Sequence[Item], prompts: Prompts, sampling: Sampling, kept: Answers, report: Report
    ) -> None:
        self.open_engine, self.items, self.prompts, self.sampling = open_engine, items, prompts, sampling
        self.kept, self.report = kept, report
        self.given: list[list[Generation]] = [[] for _ in items]

    def __call__(self, batch: Sequence[tuple[int, str | None]]) -> list[str]:
        """The new answers. Where a refine prompt does not fit the answer before stands, which ends the turns."""
        turn = len(self.given[batch[0][0]])
        self._ask([(item, previous) for item, previous in batch if self._kept(item, turn) is None], turn, len(batch))
        texts = []
        for item, previous in batch:
            given = self._kept(item, turn)
            if given is None:
                raise EngineError(f"The engine left out the answer to item {self.items[item].id}.")
            self.given[item].append(given)
            texts.append(standing_text(given, previous))
        return texts

    def _ask(self, batch: Sequence[tuple[int, str | None]], turn: int, total: int) -> None:
        if not batch:
            return
        requests = [self._request(item, previous) for item, previous in batch]
        done = total - len(batch)
        for item, generation in answers(self.open_engine(), requests):
            done += 1
            self.kept.keep(self._asked(item, turn), generation)
            self.report(turn, done, total)

    def _request(self, item: int, previous: str | None) -> MessageRequest:
        asked = messages(self.items[item], self.prompts)
        return MessageRequest(
            self.items[item].id, asked if previous is None else refine_messages(asked, previous), (0,), self.sampling
        )

    def _kept(self, item: int, turn: int) -> Generation | None:
        return self.kept.get(self._asked(self.items[item].id, turn))

    def _asked(self, identity: str, turn: int) -> Asked:
        return Asked(self.items[0].benchmark, identity, turn)


def trace(asking: Asking, n: int) -> list[Traced]:
    """Every item's trace to turn n, judged."""
    refine_traces(asking, len(asking.items), n)
    return [traced_item(item, given, n) for item, given in zip(asking.items, asking.given, strict=True)]
