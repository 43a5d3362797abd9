"""The demonstration's controls: what is exchanged, and what counts as growth."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from curation.demo.controls import MAIN, NO_LEARNING, SHUFFLED, grew, plan
from curation.demo.options import DemoOptions
from curation.demo.screen import stage_line
from curation.demo.shuffling import shuffled
from toolcalls.answers import Call
from toolcalls.records import Message, Sample
from toolcalls.schema import check_calls
from toolcalls.settings import SettingsError

BOOK: dict[str, Any] = {
    "name": "book",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "nights": {"type": "integer"}},
        "required": ["city"],
    },
}
PLAY: dict[str, Any] = {
    "name": "play",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Rome"]}}},
}


def sample(number: int, *calls: Call) -> Sample:
    return Sample(
        id=str(number), tools=(BOOK, PLAY), messages=(Message("user", f"{number}"),), truth=calls, truth_text="as imported"
    )


POOL = [sample(number, Call("book", {"city": f"city {number}", "nights": number})) for number in range(12)]
POOL.append(sample(12, Call("play", {"city": "Rome"}), Call("book", {"city": "city 12"})))


def test_shuffled_values_are_the_pools_own_in_other_places() -> None:
    other = shuffled(POOL, seed=0)
    values = [Counter(str(call.arguments["city"]) for sample in pool for call in sample.truth or ()) for pool in (POOL, other)]
    assert values[0] == values[1]
    moved = sum(one.truth != two.truth for one, two in zip(POOL, other, strict=True))
    assert moved > 8
    assert all(sample.truth_text is None for sample in other)
    assert [sample.messages for sample in other] == [sample.messages for sample in POOL]


def test_shuffled_truths_stay_valid_against_their_schemas() -> None:
    for one in shuffled(POOL, seed=1):
        assert check_calls(one.truth or (), one.tools) == []
    assert shuffled(POOL, seed=1)[12].truth[0] == Call("play", {"city": "Rome"})  # type: ignore[index]


def test_shuffling_is_the_same_for_the_same_seed() -> None:
    assert shuffled(POOL, seed=3) == shuffled(POOL, seed=3)


def test_plan_holds_the_main_seeds_and_each_control() -> None:
    experiments = plan(DemoOptions(), seeds=[0, 1, 2], control_seeds=[5])
    assert [one.kind for one in experiments] == [MAIN] * 3 + [NO_LEARNING, SHUFFLED]
    assert [one.options.seed for one in experiments] == [0, 1, 2, 5, 5]
    assert [one.options.settings().training.learning_rate for one in experiments][3] == 0.0


def row(iteration: int, accuracy: float | None, interval: list[float] | None = None) -> dict[str, Any]:
    return {"iteration": iteration, "heldout_direct": accuracy, "heldout_direct_interval": interval}


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([row(0, 0.4, [0.3, 0.5]), row(1, 0.51), row(2, 0.45)], True),
        ([row(0, 0.4, [0.3, 0.5]), row(1, 0.5), row(2, None)], False),
        ([row(0, 0.4, [0.3, 0.5])], False),
        ([row(0, None), row(1, 0.9)], False),
        ([], False),
    ],
    ids=["above", "within", "not trained", "no base", "nothing"],
)
def test_growth_is_an_accuracy_above_the_interval_of_the_base(rows: list[dict[str, Any]], answer: bool) -> None:
    assert grew(rows) is answer


def test_figures_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match="k"):
        DemoOptions(k=0).settings()


def test_stage_line_says_how_far_and_how_fast() -> None:
    line = stage_line("sampling", 250, 500, "samples", 20.0)
    assert "████████████············" in line
    assert line.split()[-6:] == ["of", "500", "samples", "12.5/s", "20", "s"]
