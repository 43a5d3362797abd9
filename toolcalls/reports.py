"""The figures of one evaluation on one benchmark, from the traces of its items (ToolACE-R §4, Tables 1, 2 and 7, Figure 3).

One pass over the items. Not in charge of asking or scoring: an item comes with its trace and the scorer's verdicts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from toolcalls.evaluation import Accuracy
from toolcalls.official.averages import averaged, averages_of
from toolcalls.strategies import MISSING, NO_ROOM, STRATEGIES, Choices, Strategy, Traced

Averages = Mapping[str, Mapping[Strategy, float | None]]
Curves = Mapping[str, Mapping[Strategy, tuple[float | None, ...]]]


@dataclass(frozen=True, slots=True)
class Refinement:
    """What adaptive self-refine does to the direct answers of the items that take part in the averages, as counts.

    An answer is changed when it says something else than A₀, compared as Algorithm 1 does. Tokens are those of the refine
    turns up to where it stops. All 0 where no refine turn was made.
    """

    items: int = 0
    answered: int = 0  # of which there is a direct answer: those that did not fit, and missing outputs, have none
    turns: int = 0  # at which it stops, summed over these
    right: int = 0  # items whose direct answer is right
    changed_right: int = 0
    changed_wrong: int = 0
    fixes: int = 0  # wrong → right
    breaks: int = 0  # right → wrong
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def mean_turns(self) -> float | None:
        """The mean i at which adaptive self-refine stops; §4.3: 2.4 on BFCL. None where nothing was answered."""
        return _share(self.turns, self.answered)

    @property
    def change_given_right(self) -> float | None:
        """P(change | right)."""
        return _share(self.changed_right, self.right)

    @property
    def change_given_wrong(self) -> float | None:
        """P(change | wrong)."""
        return _share(self.changed_wrong, self.answered - self.right)

    @property
    def points(self) -> float | None:
        """Percentage points by which the share of right items grows."""
        return _share(100 * (self.fixes - self.breaks), self.items)

    @property
    def tokens_per_point(self) -> float | None:
        """Tokens of prompts and answers for each percentage point gained; None where nothing was, or where none were counted."""
        tokens = self.prompt_tokens + self.completion_tokens
        return tokens / self.points if tokens and self.points and self.points > 0 else None


@dataclass(frozen=True, slots=True)
class Report:
    """Accuracies are fractions 0–1. `categories` and `averages` are those of at most n refine turns.

    curves: by average and strategy, the value at 1, 2, …, n turns. errors: by strategy, how often the answers that stand have
    each error type. missing: by category, items without an output; they count as wrong only where `missing_wrong`.
    available: how many items the benchmark has, where only some of them were taken.
    """

    benchmark: str
    n: int
    items: int
    categories: Mapping[str, Mapping[Strategy, Accuracy]]
    averages: Averages
    curves: Curves
    refinement: Refinement
    errors: Mapping[Strategy, Mapping[str, int]]
    missing: Mapping[str, int] = field(default_factory=dict)
    missing_wrong: bool = False
    available: int | None = None

    @property
    def beside(self) -> list[str]:
        """Categories that take no part in the averages, such as BFCL's irrelevance."""
        taking_part = set(averaged(self.benchmark, self.categories))
        return [category for category in self.categories if category not in taking_part]


def report(
    benchmark: str,
    traced: Iterable[Traced],
    n: int,
    *,
    left_out: Mapping[str, int] | None = None,
    available: int | None = None,
) -> Report:
    """Count the items of one benchmark. `left_out`: by category, items that have no output and do not count.

    Raises ValueError for a trace that ends before turn n.
    """
    counting = _Counting(benchmark, n)
    for item in traced:
        counting.add(item)
    return counting.report(left_out or {}, available)


class _Counting:
    """Sums over items, for every strategy at every number of turns."""

    def __init__(self, benchmark: str, n: int) -> None:
        self.benchmark, self.n = benchmark, n
        self.strategies: tuple[Strategy, ...] = STRATEGIES if n else STRATEGIES[:1]
        self.totals: Counter[str] = Counter()
        self.right: Counter[tuple[Strategy, int, str]] = Counter()  # by strategy, turns and category
        self.errors: dict[Strategy, Counter[str]] = {strategy: Counter() for strategy in self.strategies}
        self.missing: Counter[str] = Counter()
        self.sums: defaultdict[str, Counter[str]] = defaultdict(Counter)  # fields of Refinement by category

    def add(self, item: Traced) -> None:
        choices = Choices(item.answers)
        self.totals[item.category] += 1
        self.missing[item.category] += item.error_types[0] == MISSING
        for strategy in self.strategies:
            for turns in range(self.n + 1):
                stands = choices.turn(strategy, turns)
                self.right[strategy, turns, item.category] += item.right[stands]
            if error := item.error_types[stands]:
                self.errors[strategy][error] += 1
        if self.n:
            self._add_refinement(item, choices)

    def _add_refinement(self, item: Traced, choices: Choices) -> None:
        stop = choices.turn("adaptive", self.n)
        before, after, changed = item.right[0], item.right[stop], choices.changed(stop)
        answered = item.error_types[0] not in (MISSING, NO_ROOM)
        self.sums[item.category].update(
            items=1,
            answered=answered,
            turns=stop if answered else 0,
            right=before,
            changed_right=changed and before,
            changed_wrong=changed and not before,
            fixes=after and not before,
            breaks=before and not after,
            prompt_tokens=sum(item.prompt_tokens[1 : stop + 1]),
            completion_tokens=sum(item.completion_tokens[1 : stop + 1]),
        )

    def report(self, left_out: Mapping[str, int], available: int | None) -> Report:
        categories = list(self.totals)
        averages = self._averages(self.n)
        steps = [self._averages(turns) for turns in range(1, self.n + 1)]
        curves = {
            name: {strategy: tuple(step[name][strategy] for step in steps) for strategy in self.strategies} for name in averages
        }
        missing = self.missing + Counter(left_out)
        return Report(
            benchmark=self.benchmark,
            n=self.n,
            items=self.totals.total(),
            categories={name: {each: self._accuracy(each, self.n, name) for each in self.strategies} for name in categories},
            averages=averages,
            curves=curves if self.n else {},
            refinement=self._refinement(categories),
            errors={strategy: dict(counts.most_common()) for strategy, counts in self.errors.items()},
            missing=dict(missing),
            missing_wrong=self.missing.total() > 0,
            available=available if available != self.totals.total() else None,
        )

    def _refinement(self, categories: Iterable[str]) -> Refinement:
        total: Counter[str] = Counter()
        for category in averaged(self.benchmark, categories):
            total.update(self.sums[category])
        return Refinement(**total)

    def _averages(self, turns: int) -> dict[str, dict[Strategy, float | None]]:
        found = {
            strategy: averages_of(self.benchmark, {name: self._accuracy(strategy, turns, name) for name in self.totals})
            for strategy in self.strategies
        }
        return {name: {strategy: found[strategy][name] for strategy in self.strategies} for name in found["direct"]}

    def _accuracy(self, strategy: Strategy, turns: int, category: str) -> Accuracy:
        return Accuracy(self.right[strategy, turns, category], self.totals[category])


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None
