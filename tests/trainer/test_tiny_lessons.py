"""What the tiny base is taught: the answers and their end tokens, and nothing of a first answer that is to be refined."""

from __future__ import annotations

import random
from itertools import islice, pairwise

import torch

from toolcalls.answers import Calls
from toolcalls.comparing import Comparator
from toolcalls.parsing import parse
from toolcalls.prompts import REFINE_PROMPT, SYSTEM_PROMPTS
from toolcalls.rendering import render
from trainer.models import load_tokenizer
from trainer.tiny.lessons import Lesson, batches, conversation_lessons, draw_variant, lesson
from trainer.tiny.making import CHECKPOINT
from trainer.tiny.mistakes import mistaken
from trainer.tiny.world import world_samples

TOKENIZER = load_tokenizer(CHECKPOINT)
ROLES = {TOKENIZER.convert_tokens_to_ids(f"<|{role}|>") for role in ("user", "assistant")}


def lessons(count: int) -> list[Lesson]:
    return list(islice(conversation_lessons(TOKENIZER, seed=0, turns=3), count))


def taught_spans(row: Lesson) -> list[str]:
    edges = [i for i, (before, now) in enumerate(pairwise((False, *row.taught, False))) if before != now]
    return [TOKENIZER.decode(row.ids[start:end]) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def test_mask_covers_the_taught_span_token_by_token() -> None:
    row = lesson(TOKENIZER, [("<|system|>x<|user|>Play a song.<|assistant|>", False), ('[play_song(title="a")]<|end|>', True)])

    taught = [TOKENIZER.decode([token]) for token, wanted in zip(row.ids, row.taught, strict=True) if wanted]

    assert taught == ["[", "play", "_", "song", "(", "title", "=", '"', "a", '"', ")", "]", "<|end|>"]
    assert row.taught == tuple(sorted(row.taught))


def test_every_taught_span_is_a_whole_answer_with_its_end_token() -> None:
    for row in lessons(60):
        for span in taught_spans(row)[:-1]:
            assert span.endswith("<|end|>")
            assert isinstance(parse(span.removesuffix("<|end|>")), Calls)


def test_first_answer_before_a_refine_prompt_is_not_taught() -> None:
    refine = TOKENIZER.encode(REFINE_PROMPT, add_special_tokens=False)[0]
    refined = [row for row in lessons(60) if refine in row.ids]

    assert refined
    for row in refined:
        at = row.ids.index(refine)
        start = max(i for i in range(at) if row.ids[i] == TOKENIZER.convert_tokens_to_ids("<|assistant|>"))
        assert not any(row.taught[start : at + 2])
        assert row.taught[at + 2]


def test_pieces_of_a_lesson_are_tokens_of_its_whole_text() -> None:
    for row in lessons(20):
        assert tuple(TOKENIZER.encode(TOKENIZER.decode(row.ids), add_special_tokens=False)) == row.ids


def test_figure_5_is_drawn_more_often_than_each_variant_and_all_are_drawn() -> None:
    dice = random.Random(0)
    drawn = [draw_variant(dice) for _ in range(2000)]

    assert set(drawn) == set(range(len(SYSTEM_PROMPTS)))
    assert 0.35 < drawn.count(0) / 2000 < 0.45


def test_batches_hold_every_lesson_once_and_keep_to_their_size() -> None:
    rows = lessons(80)
    made = batches(rows, tokens=1024, dice=random.Random(0))

    back = sorted(tuple(ids[real].tolist()) for batch in made for ids, real in zip(batch.ids, batch.real, strict=True))
    assert back == sorted(row.ids for row in rows)
    assert max(batch.ids.numel() for batch in made if len(batch.ids) > 1) <= 1024 * 1.1
    assert not any(bool((batch.taught & ~batch.real).any()) for batch in made)
    assert sum(int(batch.taught.sum()) for batch in made) == sum(sum(row.taught) for row in rows)
    assert all(batch.ids.dtype == torch.long for batch in made)


def test_mistaken_answer_is_readable_and_mostly_wrong() -> None:
    dice, comparator, wrong = random.Random(3), Comparator(), 0
    samples = world_samples("hard", count=100, seed=8)
    for sample in samples:
        before = render(sample.truth or ())
        answer = parse(render(mistaken(dice, sample)))
        assert isinstance(answer, Calls)
        assert render(sample.truth or ()) == before
        wrong += comparator.compare(sample.truth or (), answer.calls, sample.tools).max_param_diff != 0

    assert wrong > 90
