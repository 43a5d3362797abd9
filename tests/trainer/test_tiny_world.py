"""The synthetic tool world: reproducible, true to its own schemas, and split into two sides that share nothing."""

from __future__ import annotations

from itertools import islice

import pytest

from toolcalls.answers import Call, Calls
from toolcalls.parsing import parse
from toolcalls.records import Message, Sample
from toolcalls.rendering import render
from toolcalls.schema import check_calls
from trainer.tiny.settings import SETTINGS
from trainer.tiny.world import call_key, conversations, overlap, query_key, side_of, world_samples


def sample(query: str, *calls: Call) -> Sample:
    return Sample(id="s", tools=(), messages=(Message("user", query),), truth=calls)


@pytest.fixture(scope="module")
def heldout() -> list[Sample]:
    return world_samples("hard", count=100, seed=0, split="heldout") + world_samples("easy", count=50, seed=3, split="heldout")


@pytest.mark.parametrize("setting", SETTINGS)
def test_heldout_shares_nothing_with_any_mix_whatever_the_seed(setting: str, heldout: list[Sample]) -> None:
    others = world_samples(setting, count=200, seed=0) + world_samples(setting, count=50, seed=3)

    shared = overlap(others, heldout)

    assert not shared.queries
    assert not shared.calls


def test_heldout_shares_nothing_with_pretraining_conversations(heldout: list[Sample]) -> None:
    read = [sample for turns in islice(conversations("pretraining", seed=0, turns=3), 300) for sample in turns]

    assert overlap(read, heldout) == (overlap([], []))


def test_overlap_finds_a_query_that_differs_in_case_and_space_only() -> None:
    shared = overlap([sample("Book  a TAXI.")], [sample("book a taxi.")])

    assert shared.queries == {"book a taxi."}


def test_overlap_finds_equal_values_under_other_parameter_names() -> None:
    first = sample("a", Call("order_pizza", {"size": "small", "quantity": 2}))
    second = sample("b", Call("order_pizza", {"count": 2.0, "portion_size": "small"}))

    assert overlap([first], [second]).calls == {call_key(Call("order_pizza", {"n": 2, "s": "small"}))}


def test_overlap_is_empty_when_the_tool_or_a_value_differs() -> None:
    first = sample("a", Call("order_pizza", {"size": "small"}))

    assert not overlap([first], [sample("b", Call("order_cake", {"size": "small"}))]).calls
    assert not overlap([first], [sample("b", Call("order_pizza", {"size": "large"}))]).calls
    assert not overlap([sample("a", Call("f", {"x": True}))], [sample("b", Call("f", {"x": 1}))]).calls


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_every_query_and_call_is_on_its_own_side(split: str) -> None:
    for drawn in world_samples("hard", count=100, seed=7, split=split):  # type: ignore[arg-type]
        assert drawn.split == split
        assert side_of(query_key(drawn)) == split
        assert {side_of(call_key(call)) for call in drawn.truth or ()} == {split}


def test_samples_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    samples = world_samples("hard", count=50, seed=1)

    assert samples == world_samples("hard", count=50, seed=1)
    assert samples[:20] == world_samples("hard", count=20, seed=1)
    assert not overlap(samples, world_samples("hard", count=50, seed=2)).queries


def test_ids_are_unique_over_settings_splits_and_seeds() -> None:
    sets = [world_samples(setting, count=50, seed=seed) for setting in ("easy", "hard") for seed in (0, 1)]
    sets.append(world_samples("hard", count=50, seed=0, split="heldout"))

    assert len({drawn.id for samples in sets for drawn in samples}) == 250


@pytest.mark.parametrize("setting", SETTINGS)
def test_truths_fit_their_schemas_and_survive_parsing(setting: str) -> None:
    for drawn in world_samples(setting, count=60, seed=11):
        assert drawn.truth
        assert check_calls(drawn.truth, drawn.tools) == []
        answer = parse(render(drawn.truth))
        assert isinstance(answer, Calls)
        assert answer.calls == drawn.truth


def test_category_says_how_many_tools_and_calls_there_are() -> None:
    categories = {(1, False): "simple", (1, True): "parallel", (2, False): "multiple", (2, True): "parallel_multiple"}

    samples = world_samples("hard", count=200, seed=5)

    assert {drawn.category for drawn in samples} == set(categories.values())
    for drawn in samples:
        assert drawn.category == categories[min(2, len(drawn.tools)), len(drawn.truth or ()) > 1]


def test_dates_in_words_come_with_the_current_time() -> None:
    for drawn in world_samples("hard", count=200, seed=9):
        if "tomorrow" in drawn.messages[-1].content:
            assert drawn.other.startswith("The current time is 20")


def test_hard_tier_asks_for_more_calls_than_the_easy_tier() -> None:
    easy, hard = (sum(len(s.truth or ()) for s in world_samples(tier, count=150, seed=2)) for tier in ("easy", "hard"))

    assert hard > 1.1 * easy


def test_conversation_shares_its_tools_between_turns() -> None:
    for turns in islice(conversations("pretraining", seed=4, turns=3), 50):
        assert 1 <= len(turns) <= 3
        assert all(drawn.tools == turns[0].tools and drawn.other == turns[0].other for drawn in turns)


def test_unknown_setting_is_refused() -> None:
    with pytest.raises(KeyError):
        world_samples("impossible", count=1, seed=0)
