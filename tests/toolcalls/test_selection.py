from __future__ import annotations

from typing import Any

import pytest

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.records import Generation, Judgement, Message, Sample, Verdict
from toolcalls.selection import REASONS, judge, judge_all, truth_text, verdict

COMPARATOR = Comparator()


def sample(truth: tuple[Call, ...] | None = (Call("f", {"a": 1, "b": 2}),), written: str | None = None) -> Sample:
    return Sample("s", ({"name": "f"},), (Message("user", "Do f."),), truth, written)


def attempt(text: str, finish: Any = "stop", number: int = 0) -> Generation:
    return Generation(number, 7, text, finish, 10, 5, "ab")


def judged(text: str, finish: str = "stop", **options: Any) -> Judgement:
    return judge(attempt(text, finish), sample(**options), COMPARATOR)


def verdict_of(*texts: str, tolerance: int = 1, truth: Sample | None = None) -> Verdict:
    attempts = [attempt(text, number=number) for number, text in enumerate(texts)]
    return verdict(attempts, [judge(each, truth or sample(), COMPARATOR) for each in attempts], COMPARATOR, tolerance)


@pytest.mark.parametrize(
    ("text", "finish", "difference", "reason"),
    [
        ("[f(a=1, b=2)]", "stop", 0, ""),
        ("[f(a=1, b=3)]", "stop", 1, ""),
        ("[f(a=2, b=3)]", "stop", 2, "param_mismatch"),
        ("[f(a=1, b=2), f()]", "stop", None, "wrong_count"),
        ("[g(a=1, b=2)]", "stop", None, "wrong_tool"),
        ("[f(a=1, b=2", "stop", None, "unparsable"),
        ("I cannot.", "stop", None, "not_a_call"),
        ("", "stop", None, "not_a_call"),
        ("[]", "stop", None, "not_a_call"),
        ("[f(a=1, b=2)]", "length", None, "truncated"),
        ("", "too_long", None, "too_long"),
    ],
)
def test_a_generation_is_judged_with_its_reason(text: str, finish: str, difference: int | None, reason: str) -> None:
    judgement = judged(text, finish)
    assert (judgement.max_param_diff, judgement.reason) == (difference, reason)
    assert (judgement.calls is not None) is (difference is not None or reason in ("wrong_count", "wrong_tool"))


@pytest.mark.parametrize("truth", [(Call("f", {"a": 1, "b": 2}),), None])
@pytest.mark.parametrize("policy", ["exclude", "any_no_call"])
def test_several_generations_are_judged_as_each_is_alone(truth: tuple[Call, ...] | None, policy: Any) -> None:
    texts = ["[f(a=1, b=2)]", "[f(a=1, b=3)]", "I cannot.", "", "[f(", "[g()]", "[f(a=1, b=2)]"]
    attempts = [attempt(text, finish) for text in texts for finish in ("stop", "length")]
    of = sample(truth, "I cannot." if truth is None else None)
    assert judge_all(attempts, of, COMPARATOR, policy) == [judge(each, of, COMPARATOR, policy) for each in attempts]


@pytest.mark.parametrize(
    ("text", "tolerant", "strict"),
    [
        ("[f(a=1, b=2)]", "", ""),
        (" [f(a=1, b=2)]\n", "", ""),
        ("```\n[f(a=1, b=2)]\n```", "", "unparsable"),
        ("Sure: [f(a=1, b=2)]", "", "unparsable"),
    ],
)
def test_a_generation_is_read_as_strictly_as_the_comparator_wants(text: str, tolerant: str, strict: str) -> None:
    assert judge(attempt(text), sample(), Comparator()).reason == tolerant
    assert judge(attempt(text), sample(), Comparator(reading="strict")).reason == strict


def test_text_equality_is_judged_against_the_truth_as_it_would_be_trained() -> None:
    assert judged(" [f(a=1, b=2)]\n").text_equal
    assert not judged("[f(a=1,b=2)]").text_equal
    assert judged("[f(a=1,b=2)]", written="[f(a=1,b=2)]").text_equal
    assert not judged("[f(a=1, b=2)]", "length").text_equal


@pytest.mark.parametrize(
    ("text", "finish", "difference", "reason"),
    [
        ("None of the functions helps.", "stop", 0, ""),
        ("[]", "stop", 0, ""),
        ("", "stop", None, "not_a_call"),
        (" \n", "stop", None, "not_a_call"),
        ("None of the functions", "length", None, "truncated"),
        ("[f(a=1)]", "stop", None, "wrong_count"),
        ("You could try [f(a=1)]", "stop", None, "wrong_count"),
        ("[f(a=1", "stop", None, "unparsable"),
    ],
)
def test_a_truth_in_words_is_hit_by_a_finished_non_empty_answer_without_calls(
    text: str, finish: str, difference: int | None, reason: str
) -> None:
    in_words = sample(None, "No function fits.")
    judgement = judge(attempt(text, finish), in_words, COMPARATOR, "any_no_call")
    assert (judgement.max_param_diff, judgement.reason) == (difference, reason)


def test_a_truth_in_words_is_hit_by_nothing_when_such_samples_are_excluded() -> None:
    judgement = judge(attempt("No function fits."), sample(None, "No function fits."), COMPARATOR, "exclude")
    assert (judgement.max_param_diff, judgement.reason) == (None, "not_a_call")


def test_sample_is_kept_when_one_of_k_attempts_is_approximate() -> None:
    found = verdict_of("no", "[f(a=9, b=9)]", "[f(a=1, b=9)]", "[f(a=1, b=2)]")
    assert found.selected
    assert (found.attempts, found.exact_hits, found.approximate_hits, found.first_hit, found.reason) == (4, 1, 2, 2, "")
    assert found.reasons == {"not_a_call": 1, "param_mismatch": 1}
    assert found.comparator == COMPARATOR.version


def test_sample_is_left_out_when_no_attempt_comes_near() -> None:
    found = verdict_of("no", "[f(a=9, b=9)]")
    assert not found.selected
    assert (found.first_hit, found.reason) == (None, "param_mismatch")


def test_tolerance_of_a_verdict_is_asked_anew() -> None:
    texts = ["[f(a=1, b=9)]", "[f(a=9, b=9)]"]
    assert verdict_of(*texts, tolerance=0).reasons == {"param_mismatch": 2}
    assert verdict_of(*texts, tolerance=2).approximate_hits == 2


def test_reason_of_a_verdict_is_its_nearest_attempt_s() -> None:
    assert verdict_of("", "[g(a=1, b=2)]", "[f(", "words").reason == "wrong_tool"
    assert verdict_of("words", "[f(").reason == "unparsable"
    assert verdict_of().reason == ""
    assert REASONS == (
        "param_mismatch", "too_many_calls", "wrong_count", "wrong_tool", "unparsable", "not_a_call", "truncated", "too_long",
    )  # fmt: skip


def test_most_frequent_other_answer_is_counted_by_what_it_says() -> None:
    found = verdict_of(
        "[f(a=7, b=8)]", "words", "[f(b=8.0, a=7)]", "words", "[f(a=1, b=2)]", "[f(a=1, b=2)]", "[f(a=1, b=2)]", ""
    )
    assert (found.other_answer, found.other_count) == ("[f(a=7, b=8)]", 2)
    assert verdict_of("[f(a=1, b=2)]", "").other_answer is None


def test_truth_is_its_own_text_only_when_that_says_the_same_in_the_call_form() -> None:
    truth = (Call("f", {"a": 1}),)
    assert truth_text(sample(truth, "[f( a=1 )]")) == "[f( a=1 )]"
    assert truth_text(sample(truth, "[f(a=2)]")) == "[f(a=1)]"
    assert truth_text(sample(truth, "[f(a=True)]")) == "[f(a=1)]"
    assert truth_text(sample(truth, '{"name": "f"}')) == "[f(a=1)]"
    assert truth_text(sample(truth, '<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>')) == "[f(a=1)]"
    assert truth_text(sample(truth, "```\n[f(a=1)]\n```")) == "[f(a=1)]"
    assert truth_text(sample(truth)) == "[f(a=1)]"
    assert truth_text(sample(None, "No.")) == "No."


def test_a_verdict_of_fewer_than_k_attempts_is_censored() -> None:
    attempts, judgements = [attempt("[f(a=1, b=2)]")], [judged("[f(a=1, b=2)]")]
    assert verdict(attempts, judgements, COMPARATOR, k=2).censored
    assert not verdict(attempts, judgements, COMPARATOR, k=1).censored
    assert not verdict(attempts, judgements, COMPARATOR).censored
