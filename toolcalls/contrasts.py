"""Two evaluations of the same items, item by item: does the second do better, or can these items not tell?

A category is judged by McNemar's exact test. An average is a weighted sum of categories, so its difference is judged by a
bootstrap over items within categories, and by McNemar's test over all its items: both must say so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from toolcalls.official.averages import weights_of
from toolcalls.statistics import (
    Paired,
    mcnemar,
    paired,
    percentile_interval,
    pooled,
    resampled_differences,
    weighted,
)
from toolcalls.strategies import Strategy, Traced, chosen

Verdict = Literal["gain", "loss", "no difference that these items show"]
SIGNIFICANT = 0.05


class Outcome(NamedTuple):
    """One item of one evaluation."""

    category: str
    right: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """The second evaluation less the first: of a category or an average. difference, low and high are fractions −1 to 1.

    counts: the items it is about; p: McNemar's of them; low, high: the 95 % bootstrap interval.
    """

    counts: Paired
    difference: float
    low: float
    high: float
    p: float

    @property
    def verdict(self) -> Verdict:
        """A gain or a loss where test and interval both say so."""
        if self.p < SIGNIFICANT and self.low > 0 and self.counts.difference > 0:
            return "gain"
        if self.p < SIGNIFICANT and self.high < 0 and self.counts.difference < 0:
            return "loss"
        return "no difference that these items show"


@dataclass(frozen=True, slots=True)
class Contrast:
    """Differences by category and by average, over the items that both evaluations have."""

    benchmark: str
    categories: Mapping[str, Difference]
    averages: Mapping[str, Difference]
    only_first: int = 0  # items that the second does not have
    only_second: int = 0

    @property
    def items(self) -> int:
        return sum(each.counts.total for each in self.categories.values())


def turns_note(strategy: Strategy, first: str, second: str, n: tuple[int, int]) -> str:
    """A sentence where two evaluations of these names refine another number of times at most, n; "" where none does."""
    if strategy == "direct" or n[0] == n[1]:
        return ""
    return (
        f"Not the same n: {first} refines at most {_times(n[0])}, {second} at most {_times(n[1])}; each is compared at its own."
    )


def _times(n: int) -> str:
    return f"{n} time{'s' * (n != 1)}"


def outcomes(traced: Iterable[Traced], strategy: Strategy, n: int) -> dict[str, Outcome]:
    """By item id, whether the answer that a strategy chooses is right."""
    return {item.id: Outcome(item.category, item.right[chosen(strategy, item, n)]) for item in traced}


def contrast(benchmark: str, first: Mapping[str, Outcome], second: Mapping[str, Outcome], seed: int = 0) -> Contrast:
    """Compare two evaluations on the items that both have."""
    pairs: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for identity, outcome in first.items():
        if (other := second.get(identity)) is not None:
            pairs[outcome.category].append((outcome.right, other.right))
    counts = {category: paired(both) for category, both in pairs.items()}
    shared = sum(each.total for each in counts.values())
    return contrast_of_counts(benchmark, counts, seed, only_first=len(first) - shared, only_second=len(second) - shared)


def contrast_of_counts(
    benchmark: str, counts: Mapping[str, Paired], seed: int = 0, *, only_first: int = 0, only_second: int = 0
) -> Contrast:
    """The same from counted pairs, as a database counts them."""
    resampled = resampled_differences(counts, seed)
    categories = {name: _difference(each, each.difference, resampled[name]) for name, each in counts.items()}
    averages = {}
    for name, weights in weights_of(benchmark, {category: each.total for category, each in counts.items()}).items():
        difference = sum(weight * counts[category].difference for category, weight in weights.items())
        values = weighted(resampled, weights)
        averages[name] = _difference(pooled(counts[category] for category in weights), difference, values)
    return Contrast(benchmark, categories, averages, only_first, only_second)


def _difference(counts: Paired, difference: float, resampled: list[float]) -> Difference:
    low, high = percentile_interval(resampled)
    return Difference(counts, difference, low, high, mcnemar(counts.only_first, counts.only_second))


def contrast_json(found: Contrast) -> dict[str, Any]:
    """The contrast as plain JSON."""
    return {
        "benchmark": found.benchmark,
        "items": found.items,
        "only_first": found.only_first,
        "only_second": found.only_second,
        "categories": {name: _difference_json(each) for name, each in found.categories.items()},
        "averages": {name: _difference_json(each) for name, each in found.averages.items()},
    }


def _difference_json(found: Difference) -> dict[str, Any]:
    return {
        **found.counts._asdict(),
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "p": found.p,
        "verdict": found.verdict,
    }
