"""The transformers engine against transformers' own generate, and what its batches must not change."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from toolcalls.records import Message, Sampling  # noqa: E402
from trainer.engines.decoders import PlainDecoder, SharedPrefixDecoder  # noqa: E402
from trainer.engines.decoding import Budget  # noqa: E402
from trainer.engines.protocol import Completion, EngineError, Request  # noqa: E402
from trainer.engines.transformers import TransformersEngine  # noqa: E402

FAMILIES = ["Llama", "Qwen2", "Mistral"]


def prompts(lengths: Sequence[int], seed: int = 0) -> list[tuple[int, ...]]:
    """Random prompts of these lengths."""
    source = random.Random(seed)
    return [tuple(source.randrange(4, 120) for _ in range(length)) for length in lengths]


def requests_for(texts: Sequence[tuple[int, ...]], *, k: int = 3, **parameters: Any) -> list[Request]:
    """One request of k attempts per prompt."""
    sampling = Sampling(**{"max_new_tokens": 24} | parameters)
    return [Request(f"r{n}", text, tuple(100 * n + attempt for attempt in range(k)), sampling) for n, text in enumerate(texts)]


def tokens_of(completions: Sequence[Completion]) -> dict[tuple[str, int], tuple[int, ...]]:
    """Tokens by request and attempt; no attempt comes twice."""
    found = {(c.request_id, c.attempt): c.token_ids for c in completions}
    assert len(found) == len(completions)
    return found


def generated(model: Any, prompt: Sequence[int], **settings: Any) -> tuple[int, ...]:
    """What transformers' own generate answers, less the end token."""
    ids = torch.tensor([prompt])
    settings = {"do_sample": False, "max_new_tokens": 24, "pad_token_id": 0} | settings
    out = model.generate(ids, attention_mask=torch.ones_like(ids), **settings)[0, len(prompt) :].tolist()
    return tuple(out[: out.index(1)] if 1 in out else out)


@pytest.fixture(scope="module")
def engine(make_model: Any, word_tokenizer: Any) -> TransformersEngine:
    return TransformersEngine(make_model("Llama"), word_tokenizer, max_length=256)


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_tokens_equal_those_of_generate_with_uneven_prompts(family: str, make_model: Any, word_tokenizer: Any) -> None:
    texts = prompts([5, 1, 40, 17, 40, 3, 29])
    expected = [generated(make_model(family), text) for text in texts]
    engine = TransformersEngine(make_model(family), word_tokenizer, max_length=256)
    found = tokens_of(list(engine.generate(requests_for(texts, temperature=0.0))))
    assert isinstance(engine.decoder, SharedPrefixDecoder)
    assert found == {(f"r{n}", attempt): tokens for n, tokens in enumerate(expected) for attempt in range(3)}


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("Mistral", {"sliding_window": 16}),
        ("Qwen2", {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1}),
        ("Gemma2", {"sliding_window": 16, "head_dim": 32, "query_pre_attn_scalar": 32}),
    ],
)
def test_sliding_windows_take_the_plain_path_and_agree_with_generate(
    family: str, changes: dict[str, Any], make_model: Any, word_tokenizer: Any
) -> None:
    texts = prompts([5, 40, 17])
    expected = [generated(make_model(family, **changes), text) for text in texts]
    engine = TransformersEngine(make_model(family, **changes), word_tokenizer, max_length=256)
    found = tokens_of(list(engine.generate(requests_for(texts, temperature=0.0))))
    assert isinstance(engine.decoder, PlainDecoder)
    assert found == {(f"r{n}", attempt): tokens for n, tokens in enumerate(expected) for attempt in range(3)}


def test_a_window_as_long_as_the_rows_shares_prompts(make_model: Any, word_tokenizer: Any) -> None:
    engine = TransformersEngine(make_model("Mistral", sliding_window=128), word_tokenizer, max_length=128)
    assert isinstance(engine.decoder, SharedPrefixDecoder)


def test_a_model_with_soft_capped_attention_takes_the_plain_path(make_model: Any, word_tokenizer: Any) -> None:
    changes = {"sliding_window": 256, "head_dim": 32, "query_pre_attn_scalar": 32, "attn_logit_softcapping": 5.0}
    engine = TransformersEngine(make_model("Gemma2", **changes), word_tokenizer, max_length=256)
    assert isinstance(engine.decoder, PlainDecoder)


def test_a_model_without_key_value_cache_is_refused(make_model: Any, word_tokenizer: Any) -> None:
    with pytest.raises(EngineError, match="vllm"):
        TransformersEngine(make_model("Mamba", num_heads=4, state_size=8), word_tokenizer, max_length=256)


def test_repetition_penalty_agrees_with_generate(engine: TransformersEngine, make_model: Any) -> None:
    texts = prompts([12, 30])
    expected = [generated(make_model("Llama"), text, repetition_penalty=1.5) for text in texts]
    found = tokens_of(list(engine.generate(requests_for(texts, k=1, temperature=0.0, repetition_penalty=1.5))))
    assert [found[f"r{n}", 0] for n in range(2)] == expected


@pytest.mark.parametrize("rows", [1, 4, 7, 64])
def test_an_attempt_depends_neither_on_neighbours_nor_on_the_budget(engine: TransformersEngine, rows: int) -> None:
    requests = requests_for(prompts([5, 40, 17, 40, 3, 29, 11]), k=4)
    expected = tokens_of(list(engine.generate(requests)))
    small = TransformersEngine(engine.model, engine.tokenizer, max_length=256, budget=Budget(rows), decoder=engine.decoder)
    assert tokens_of(list(small.generate(requests[::-1]))) == expected
    assert tokens_of(list(small.generate(requests[2:3]))) == {key: value for key, value in expected.items() if key[0] == "r2"}


def test_attempts_differ_by_seed_and_repeat_with_it(engine: TransformersEngine) -> None:
    (text,) = prompts([20])
    seeds = (11, 22, 11, 33)
    found = tokens_of(list(engine.generate([Request("a", text, seeds, Sampling(max_new_tokens=24))])))
    assert found["a", 0] == found["a", 2]
    assert len(set(found.values())) == 3


def test_the_same_requests_give_the_same_completions_in_the_same_order(engine: TransformersEngine) -> None:
    requests = requests_for(prompts([5, 40, 17, 40, 3, 29, 11] * 3), k=4)
    budgeted = [
        TransformersEngine(engine.model, engine.tokenizer, max_length=256, budget=Budget(rows=16), decoder=engine.decoder)
        for _ in range(2)
    ]
    assert list(budgeted[0].generate(requests)) == list(budgeted[1].generate(requests))


def test_the_same_requests_give_the_same_logits_bit_for_bit(engine: TransformersEngine) -> None:
    texts, runs = prompts([9, 30, 30, 14]), []
    for _ in range(2):
        decoder = SharedPrefixDecoder(engine.model, 256, prompt_tokens=40)
        steps = [decoder.admit(texts, [3, 1, 2, 3])]
        steps += [decoder.step(steps[-1].argmax(-1)) for _ in range(20)]
        decoder.keep([0, 4, 5])
        steps += [decoder.step(steps[-1][[0, 4, 5]].argmax(-1))]
        runs.append(steps)
    assert all(torch.equal(first, second) for first, second in zip(*runs, strict=True))


def test_rows_that_ended_are_dropped_and_waiting_ones_take_their_place(make_model: Any, word_tokenizer: Any) -> None:
    counting = CountingDecoder(TransformersEngine(make_model("Llama"), word_tokenizer, max_length=256).model)
    engine = TransformersEngine(counting.model, word_tokenizer, max_length=256, budget=Budget(rows=8), decoder=counting)
    completions = list(engine.generate(requests_for(prompts([10] * 8), k=4)))
    tokens = sum(len(completion.token_ids) + (completion.finish_reason == "stop") for completion in completions)
    assert max(counting.stepped) <= 8
    assert sum(counting.stepped) < 1.3 * tokens
    assert len(counting.cache.cohorts) == 0


class CountingDecoder(SharedPrefixDecoder):
    """Notes how many rows each step works on; fails for want of memory when more than `most` rows are admitted."""

    def __init__(self, model: Any, most: int = 10**6) -> None:
        super().__init__(model, 256)
        self.stepped: list[int] = []
        self.ran = 0  # prompts
        self.most = most

    def step(self, tokens: Any) -> Any:
        self.stepped.append(len(tokens))
        if len(self.stepped) == 3 and self.most < 10**6:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return super().step(tokens)

    def admit(self, prompts: Any, counts: Any, again: Any = ()) -> Any:
        if sum(counts) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().admit(prompts, counts, again)

    def _run_prompts(self, cohort: Any, numbers: Any, prompts: Any) -> Any:
        self.ran += len(prompts)
        return super()._run_prompts(cohort, numbers, prompts)


def in_waves(engine: TransformersEngine, requests: list[Request], *waves: list[tuple[int, range]]) -> list[dict[Any, Any]]:
    """The tokens of each wave by request and attempt; a wave names requests and attempts of theirs."""
    found = []
    for wave in waves:
        asked = [
            replace(requests[n], seeds=requests[n].seeds[at.start : at.stop], first=at.start, again=at.stop < 4) for n, at in wave
        ]
        firsts = {requests[n].id: at.start for n, at in wave}
        given = tokens_of(list(engine.generate(asked)))
        found.append({(name, attempt + firsts[name]): tokens for (name, attempt), tokens in given.items()})
    return found


@pytest.mark.parametrize(("kept", "ran"), [(240, 6), (239, 6 + 4), (0, 6 + 4 + 3)])
def test_later_waves_go_on_with_the_prompts_of_the_first(engine: TransformersEngine, kept: int, ran: int) -> None:
    requests = requests_for(prompts([5, 40, 17, 38, 3, 29]), k=4)
    expected = tokens_of(list(engine.generate(requests)))
    counting = CountingDecoder(engine.model)
    waves = TransformersEngine(engine.model, engine.tokenizer, max_length=256, budget=Budget(kept=kept), decoder=counting)
    first = [(n, range(1)) for n in range(6)]
    second, third = [(n, range(1, 2)) for n in (0, 1, 3, 5)], [(n, range(2, 4)) for n in (5, 0, 1)]
    for found in in_waves(waves, requests, first, second, third):
        assert found == {key: expected[key] for key in found}
    assert counting.ran == ran


def test_a_batch_of_first_attempts_begins_anew(engine: TransformersEngine) -> None:
    requests, counting = requests_for(prompts([5, 40]), k=4), CountingDecoder(engine.model)
    waves = TransformersEngine(engine.model, engine.tokenizer, max_length=256, decoder=counting)
    first = [(n, range(1)) for n in range(2)]
    again = in_waves(waves, requests, first, first, [(1, range(1, 4))])
    assert again[0] == again[1] and counting.ran == 4
    list(waves.generate(requests[:1]))
    in_waves(waves, requests, [(1, range(1, 4))])
    assert counting.ran == 6


def test_a_memory_error_halves_the_batch_and_loses_no_attempt(engine: TransformersEngine) -> None:
    requests = requests_for(prompts([5, 40, 17, 3]), k=4)
    expected = tokens_of(list(engine.generate(requests)))
    tight = TransformersEngine(engine.model, engine.tokenizer, max_length=256, decoder=CountingDecoder(engine.model, most=5))
    assert tokens_of(list(tight.generate(requests))) == expected
    assert tight.budget.rows <= 5


def test_a_memory_error_with_one_row_is_an_engine_error(engine: TransformersEngine) -> None:
    hopeless = TransformersEngine(engine.model, engine.tokenizer, max_length=256, decoder=CountingDecoder(engine.model, most=0))
    with pytest.raises(EngineError, match="max_length"):
        list(hopeless.generate(requests_for(prompts([5]))))


def test_a_prompt_that_leaves_no_room_is_too_long_and_the_others_are_answered(engine: TransformersEngine) -> None:
    completions = list(engine.generate(requests_for(prompts([232, 233, 5]), k=2, max_new_tokens=24)))
    reasons = {(c.request_id, c.attempt): c.finish_reason for c in completions}
    assert [key for key, reason in reasons.items() if reason == "too_long"] == [("r1", 0), ("r1", 1)]
    assert len(reasons) == 6


def test_max_length_is_no_more_than_the_model_has_positions(make_model: Any, word_tokenizer: Any) -> None:
    assert TransformersEngine(make_model("Llama"), word_tokenizer, max_length=4096).max_length == 256


def test_a_row_is_cut_at_its_own_max_new_tokens(engine: TransformersEngine) -> None:
    short, long = requests_for(prompts([8, 8]), k=1, max_new_tokens=2), requests_for(prompts([8]), k=1, max_new_tokens=40)
    found = {c.request_id: c for c in engine.generate([short[1], *long])}
    assert (len(found["r1"].token_ids), found["r1"].finish_reason) == (2, "length")
    assert len(found["r0"].token_ids) > 2


def test_text_shows_special_tokens_and_leaves_out_the_end(engine: TransformersEngine) -> None:
    assert engine.text([5, 2, 6]) == "w5 <|user|> w6"
    for completion in engine.generate(requests_for(prompts([8, 9]))):
        assert completion.text == " ".join(
            f"w{t}" if t > 3 else ["<|pad|>", "", "<|user|>", "<|assistant|>"][t] for t in completion.token_ids
        )


def test_closing_the_iterator_frees_the_rows(engine: TransformersEngine) -> None:
    iterator = engine.generate(requests_for(prompts([8] * 40)))
    next(iterator)
    iterator.close()
    assert isinstance(engine.decoder, SharedPrefixDecoder)
    assert engine.decoder.cache.cohorts == []


def test_bfloat16_gives_answers_of_the_same_shape(make_model: Any, word_tokenizer: Any) -> None:
    engine = TransformersEngine(make_model("Llama").to(torch.bfloat16), word_tokenizer, max_length=256)
    assert isinstance(engine.decoder, SharedPrefixDecoder)
    first, second = (tokens_of(list(engine.generate(requests_for(prompts([5, 20]))))) for _ in range(2))
    assert first == second


def test_messages_are_encoded_with_the_chat_template(engine: TransformersEngine) -> None:
    assert engine.encode([Message("user", "w7 w8")]) == (2, 7, 8, 3)
