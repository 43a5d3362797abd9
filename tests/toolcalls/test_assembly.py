from __future__ import annotations

from dataclasses import replace

from toolcalls.answers import Call
from toolcalls.assembly import Pair, direct_row, refine_row, training_rows, training_set_hash
from toolcalls.comparing import Comparator
from toolcalls.prompts import REFINE_PROMPT, run_messages
from toolcalls.records import Generation, Message, Sample
from toolcalls.selection import judge
from toolcalls.settings import Settings

SAMPLES = [
    Sample(f"s{number}", ({"name": "f"},), (Message("user", f"Do {number}."),), (Call("f", {"a": number}),))
    for number in range(20)
]


def pair(sample: Sample, text: str) -> Pair:
    first = Generation(0, 7, text, "stop", 10, 5, "ab")
    return Pair(sample, first, judge(first, sample, Comparator()))


PAIRS = [pair(sample, "[f(a=0)]") for sample in SAMPLES]


def test_a_direct_row_asks_as_sampling_did_and_answers_with_the_truth() -> None:
    row = direct_row(SAMPLES[3], Settings())
    assert (row.sample_id, row.kind, row.target) == ("s3", "direct", "[f(a=3)]")
    assert row.messages == run_messages(SAMPLES[3], Settings())


def test_a_refine_row_adds_the_first_answer_and_the_refine_prompt_and_answers_with_the_truth() -> None:
    row = refine_row(PAIRS[3], Settings())
    assert (row.kind, row.target) == ("refine", "[f(a=3)]")
    assert row.messages[:-2] == run_messages(SAMPLES[3], Settings())
    assert row.messages[-2:] == (Message("assistant", "[f(a=0)]"), Message("user", REFINE_PROMPT))


def test_an_identical_first_answer_is_kept_as_a_row_that_teaches_to_stop() -> None:
    identical = pair(SAMPLES[1], "[f( a=1 )]")
    assert refine_row(identical, Settings()).target == "[f(a=1)]"
    assert refine_row(identical, Settings(stop_target="first_answer")).target == "[f( a=1 )]"


def test_rows_are_shuffled_with_the_run_s_seed_whatever_their_order() -> None:
    rows = training_rows(SAMPLES, PAIRS, Settings())
    assert len(rows) == 40
    assert rows == training_rows(SAMPLES[::-1], PAIRS[::-1], Settings())
    order = [(row.kind, row.sample_id) for row in rows]
    assert order != sorted(order)
    assert order != [(row.kind, row.sample_id) for row in training_rows(SAMPLES, PAIRS, Settings(seed=1))]
    assert {kind for kind, _ in order[:10]} == {"direct", "refine"}


def test_the_hash_of_a_training_set_knows_rows_and_order() -> None:
    rows = training_rows(SAMPLES, PAIRS, Settings())
    known = training_set_hash(rows)
    assert len(known) == 64
    assert known == training_set_hash(list(rows))
    assert known != training_set_hash(rows[::-1])
    assert known != training_set_hash([replace(rows[0], target="[f()]"), *rows[1:]])
