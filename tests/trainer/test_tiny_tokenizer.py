"""The tiny base's tokenizer: nothing is lost, a word looks the same everywhere, and fixed texts cost one token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from toolcalls.prompts import REFINE_PROMPT, SYSTEM_PROMPTS, direct_messages, system_text
from toolcalls.rendering import render
from trainer.encoding import end_token_ids, prompt_ids
from trainer.models import load_tokenizer
from trainer.tiny.making import CHECKPOINT
from trainer.tiny.tokenizer import CONTEXT_TOKENS, END, build_tokenizer, fixed_texts
from trainer.tiny.world import world_samples

TOKENIZER = load_tokenizer(CHECKPOINT)
VARIANTS = range(len(SYSTEM_PROMPTS))
AWKWARD = st.text(alphabet='abZ( ["_.>\n\té日1,={}]}', max_size=30)
MIDDLES = [text for text in fixed_texts() if not text[0].isalpha()]  # the others only ever begin a turn
FIXED = st.lists(st.sampled_from([*MIDDLES, " ", "a", END]), max_size=6).map("".join)


def encode(text: str) -> list[int]:
    return list(TOKENIZER.encode(text, add_special_tokens=False))


def pieces(text: str) -> list[str]:
    return [TOKENIZER.decode([token]) for token in encode(text)]


@given(st.text(max_size=40) | AWKWARD | FIXED)
def test_any_text_without_the_space_mark_survives_the_round_trip(text: str) -> None:
    text = text.replace("▁", " ")

    assert TOKENIZER.decode(encode(text)) == text


@pytest.mark.parametrize("setting", ["easy", "hard"])
def test_conversations_and_answers_survive_the_round_trip(setting: str) -> None:
    for number, sample in enumerate(world_samples(setting, count=40, seed=21)):
        answer = render(sample.truth or ())
        assert TOKENIZER.decode(encode(answer)) == answer
        text = "".join(message.content for message in direct_messages(sample, number % len(SYSTEM_PROMPTS)))
        assert TOKENIZER.decode(encode(text)) == text


@pytest.mark.parametrize("text", fixed_texts())
def test_fixed_text_is_one_token_and_ends_where_a_word_may_follow(text: str) -> None:
    assert len(encode(text)) == 1
    assert TOKENIZER.decode(encode(text + "word")) == text + "word"


@pytest.mark.parametrize("variant", VARIANTS)
def test_system_prompt_costs_few_tokens_beside_its_tools(variant: int) -> None:
    sample = next(sample for sample in world_samples("hard", count=50, seed=3) if sample.other)
    tools = len(encode(system_text(sample, variant))) - len(encode(sample.other.removeprefix("The current time is ")))

    assert tools <= len(encode(str(list(sample.tools)).replace("'", '"'))) + 3


def test_refine_prompt_is_one_token() -> None:
    assert len(encode(REFINE_PROMPT)) == 1


def test_word_is_the_same_token_in_query_schema_and_answer() -> None:
    wanted = encode("hotel")

    for context in ("find a hotel in Rome", '[{"name": "find_hotel"', '[find_hotel(kind="hotel")]', "Also. hotel"):
        assert wanted[0] in encode(context)
    assert len(wanted) == 1


def test_digits_stand_alone() -> None:
    assert pieces("2024-05-17") == list("2024-05-17")


def test_prompt_is_the_template_and_ends_where_the_answer_begins() -> None:
    sample = world_samples("hard", count=1, seed=0)[0]
    ids = prompt_ids(TOKENIZER, direct_messages(sample, 3))

    assert TOKENIZER.decode(ids) == f"<|system|>{system_text(sample, 3)}<|user|>{sample.messages[0].content}<|assistant|>"
    assert end_token_ids(TOKENIZER) == (TOKENIZER.convert_tokens_to_ids(END),)


def test_hard_samples_fit_the_context_with_room_for_a_refine_turn() -> None:
    lengths = []
    for sample in world_samples("hard", count=100, seed=1):
        answer = len(encode(render(sample.truth or ())))
        lengths.append(len(prompt_ids(TOKENIZER, direct_messages(sample, 0))) + 2 * answer + 8)

    assert max(lengths) < CONTEXT_TOKENS // 2


@pytest.mark.long
def test_building_it_again_gives_the_shipped_tokenizer() -> None:
    built = build_tokenizer(seed=0)

    assert isinstance(TOKENIZER, PreTrainedTokenizerFast)
    assert built.backend_tokenizer.to_str() == TOKENIZER.backend_tokenizer.to_str()
