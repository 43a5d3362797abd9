"""A report as plain JSON: what a server answers, and what `report.json` of an evaluation holds for each benchmark."""

from __future__ import annotations

from typing import Any

from toolcalls.evaluation import Accuracy
from toolcalls.reports import Refinement, Report


def report_json(found: Report) -> dict[str, Any]:
    """The report as plain JSON; fractions 0–1, null where nothing can be said."""
    return {
        "benchmark": found.benchmark,
        "n": found.n,
        "items": found.items,
        "available": found.available,
        "categories": {
            category: {strategy: accuracy_json(value) for strategy, value in by_strategy.items()}
            for category, by_strategy in found.categories.items()
        },
        "beside": found.beside,
        "averages": {name: dict(by_strategy) for name, by_strategy in found.averages.items()},
        "curves": {
            "n": list(range(1, found.n + 1)),
            **{name: {strategy: list(values) for strategy, values in lines.items()} for name, lines in found.curves.items()},
        },
        "refinement": refinement_json(found.refinement) if found.n else None,
        "errors": {strategy: dict(counts) for strategy, counts in found.errors.items()},
        "missing": dict(found.missing),
        "missing_wrong": found.missing_wrong,
    }


def accuracy_json(found: Accuracy) -> dict[str, Any]:
    """Right of total, and the share with Wilson's 95 % interval."""
    low, high = found.interval()
    return {"right": found.right, "total": found.total, "accuracy": found.value, "low": low, "high": high}


def refinement_json(found: Refinement) -> dict[str, Any]:
    """Counts and what follows from them."""
    return {
        "items": found.items,
        "answered": found.answered,
        "mean_turns": found.mean_turns,
        "right": found.right,
        "changed_right": found.changed_right,
        "changed_wrong": found.changed_wrong,
        "change_given_right": found.change_given_right,
        "change_given_wrong": found.change_given_wrong,
        "fixes": found.fixes,
        "breaks": found.breaks,
        "prompt_tokens": found.prompt_tokens,
        "completion_tokens": found.completion_tokens,
        "points": found.points,
        "tokens_per_point": found.tokens_per_point,
    }
