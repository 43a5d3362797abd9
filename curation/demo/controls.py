"""The demonstration's controls: the main job with several seeds, and two that must not grow."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.demo import data
from curation.demo.cast import Cast
from curation.demo.options import DemoOptions
from curation.demo.shuffling import shuffle_file
from curation.models import DatasetRevision, Run
from curation.stages.table import Row, iteration_table

MAIN, NO_LEARNING, SHUFFLED = "main", "learning rate 0", "shuffled truths"


@dataclass(frozen=True, slots=True)
class Experiment:
    """One run of the controls: which kind, and its sizes and seed."""

    kind: str
    options: DemoOptions

    @property
    def name(self) -> str:
        return f"{self.kind}, seed {self.options.seed}"

    def revision(self, cast: Cast) -> DatasetRevision:
        if self.kind == SHUFFLED:
            return data.revision(cast, self.options, name="shuffled pool", rewrite=shuffle_file)
        return data.revision(cast, self.options)


def plan(options: DemoOptions, seeds: Sequence[int], control_seeds: Sequence[int]) -> list[Experiment]:
    """The main job for each seed, then each control for each of its seeds."""
    seeded = [dataclasses.replace(options, seed=seed) for seed in seeds]
    controls = [dataclasses.replace(options, seed=seed) for seed in control_seeds]
    still = [dataclasses.replace(chosen, learning_rate=0.0) for chosen in controls]
    return [
        *(Experiment(MAIN, chosen) for chosen in seeded),
        *(Experiment(NO_LEARNING, chosen) for chosen in still),
        *(Experiment(SHUFFLED, chosen) for chosen in controls),
    ]


def grew(rows: Sequence[Row]) -> bool:
    """Whether the held-out accuracy of some trained model lies above the 95 % interval of the base's (iteration 0)."""
    base = next((row for row in rows if row["iteration"] == 0), None)
    if base is None or base["heldout_direct_interval"] is None:
        return False
    trained = [row["heldout_direct"] for row in rows if row["iteration"] > 0 and row["heldout_direct"] is not None]
    return any(accuracy > base["heldout_direct_interval"][1] for accuracy in trained)


def outcome(experiment: Experiment, run: Run) -> dict[str, Any]:
    """One entry of var/demo/controls.json."""
    rows = iteration_table(run)
    return {
        "kind": experiment.kind,
        "seed": experiment.options.seed,
        "run": run.pk,
        "state": run.state,
        "why": run.why,
        "grew_beyond_interval": grew(rows),
        "iterations": rows,
    }


def summary(outcomes: Sequence[dict[str, Any]]) -> str:
    """One line per run: the base's accuracy with its interval, the trained models' accuracies, N_t, and whether it grew."""
    wide = max(len(_title(one)) for one in outcomes)
    return "\n".join(f"{_title(one):<{wide}}  {_line(one)}" for one in outcomes)


def _title(one: dict[str, Any]) -> str:
    return f"{one['kind']}, seed {one['seed']}"


def _line(one: dict[str, Any]) -> str:
    rows: list[Row] = one["iterations"]
    if not rows or rows[0]["heldout_direct"] is None:
        return f"{one['state']}: {one['why']}"
    low, high = rows[0]["heldout_direct_interval"]
    trained = [f"{100 * row['heldout_direct']:.1f}" for row in rows[1:] if row["heldout_direct"] is not None]
    counts = [str(row["selected_direct"] + row["selected_refine"]) for row in rows[1:] if row["selected_refine"] is not None]
    verdict = "above the base's interval" if one["grew_beyond_interval"] else "not above the base's interval"
    base = f"base {100 * rows[0]['heldout_direct']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{base} → {', '.join(trained) or 'not trained'} %: {verdict}; selected {', '.join(counts)}; {one['state']}"
