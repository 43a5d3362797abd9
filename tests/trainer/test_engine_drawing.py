"""Drawing a token: the random numbers, the distribution, and what each decoding parameter does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

torch = pytest.importorskip("torch")

from toolcalls.records import Sampling  # noqa: E402
from trainer.engines.drawing import Draw, splitmix64, uniform  # noqa: E402

CPU = torch.device("cpu")


def draw(logits: Sequence[float], *, rows: int = 1, first_seed: int = 0, **parameters: float) -> list[int]:
    """The first token of `rows` rows with the same logits and consecutive seeds."""
    sampling = Sampling(**parameters)  # type: ignore[arg-type]
    table = Draw.of([(first_seed + row, 0, sampling) for row in range(rows)], CPU)
    return table.tokens(torch.tensor(logits).expand(rows, -1)).tolist()


def test_splitmix64_gives_the_published_sequence_for_seed_1234567() -> None:
    golden = 0x9E3779B97F4A7C15
    states = [(1234567 + step * golden) % (1 << 64) for step in range(5)]
    signed = [state - (1 << 64) if state >> 63 else state for state in states]
    found = [value % (1 << 64) for value in splitmix64(torch.tensor(signed)).tolist()]
    assert found == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_uniform_numbers_are_below_one_and_even_over_seeds_and_over_steps() -> None:
    many = torch.arange(20_000)
    for numbers in (uniform(splitmix64(many), torch.zeros_like(many)), uniform(splitmix64(torch.zeros_like(many)), many)):
        assert float(numbers.min()) >= 0
        assert float(numbers.max()) < 1
        counts = torch.histc(numbers, bins=20, min=0, max=1)
        assert float(((counts - 1000) ** 2 / 1000).sum()) < 43.8  # chi-square, 19 degrees of freedom, 0.1 %


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_follow_the_softmax_of_the_logits(temperature: float) -> None:
    logits = [0.0, 1.0, -1.0, 2.0, 0.5, -0.5]
    rows = 20_000
    expected = torch.softmax(torch.tensor(logits) / temperature, -1) * rows
    counts = torch.bincount(torch.tensor(draw(logits, rows=rows, temperature=temperature)), minlength=6)
    assert float(((counts - expected) ** 2 / expected).sum()) < 20.5  # chi-square, 5 degrees of freedom, 0.1 %


def test_greedy_takes_the_highest_logit_whatever_the_seed() -> None:
    assert draw([0.0, 3.0, 2.9], rows=50, temperature=0.0) == [1] * 50


def test_a_row_draws_the_same_token_beside_other_rows_and_parameters() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 40, generator=generator)
    samplings = [
        Sampling(),
        Sampling(temperature=0),
        Sampling(top_k=3),
        Sampling(top_p=0.5),
        Sampling(temperature=0.3),
        Sampling(),
    ]
    rows = [(10**18 + row, row, sampling) for row, sampling in enumerate(samplings)]
    together = Draw.of(rows, CPU).tokens(logits).tolist()
    alone = [int(Draw.of([row], CPU).tokens(logits[[place]])) for place, row in enumerate(rows)]
    turned = Draw.of(rows[::-1], CPU).tokens(logits.flip(0)).tolist()
    assert together == alone == turned[::-1]


def test_the_next_token_of_a_row_depends_on_the_step_and_not_on_how_it_got_there() -> None:
    logits = torch.zeros(1, 1000)
    going = Draw.of([(7, 0, Sampling())], CPU)
    drawn = [int(going.tokens(logits)) for _ in range(5)]
    assert drawn == [int(Draw.of([(7, step, Sampling())], CPU).tokens(logits)) for step in range(5)]
    assert len(set(drawn)) > 1


def test_top_k_leaves_only_the_k_most_likely_tokens() -> None:
    assert set(draw([1.0, 0.9, 0.8, 0.7], rows=500, top_k=2)) == {0, 1}


def test_top_p_leaves_the_smallest_set_that_reaches_the_mass() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().tolist()
    assert set(draw(logits, rows=500, top_p=0.75)) == {0, 1}
    assert set(draw(logits, rows=500, top_p=0.01)) == {0}


def test_repetition_penalty_lowers_what_prompt_and_answer_have_seen() -> None:
    sampling = Sampling(temperature=0, repetition_penalty=2.0)
    table = Draw.of([(0, 0, sampling)], CPU)
    table.see([(1,)], 4)
    logits = torch.tensor([[1.4, 2.0, 1.2, -1.0]])
    assert [int(table.tokens(logits)) for _ in range(3)] == [0, 2, 1]


def test_a_token_of_no_probability_is_never_drawn() -> None:
    logits = [float("-inf"), 0.0, float("-inf"), 0.0, float("-inf")]
    assert set(draw(logits, rows=2000)) == {1, 3}
