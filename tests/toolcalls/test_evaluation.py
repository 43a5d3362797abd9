from __future__ import annotations

import pytest

from toolcalls.answers import Call
from toolcalls.comparing import Comparator
from toolcalls.evaluation import Accuracy, TraceScore, accuracy, mean_turns, score_trace
from toolcalls.records import Message, Sample

SAMPLE = Sample("s", ({"name": "f"},), (Message("user", "Do f."),), (Call("f", {"a": 1}),))
IN_WORDS = Sample("s", (), (Message("user", "Hi."),), None, "Hello.")
A, B = "[f(a=1)]", "[f(a=2)]"


@pytest.mark.parametrize(
    ("trace", "score"),
    [
        ([A, A, A], TraceScore(True, True, 1)),
        ([B, A, A], TraceScore(False, True, 2)),
        ([A, B, B], TraceScore(True, False, 2)),
        ([B, B, A], TraceScore(False, False, 1)),
        (["words", "[f(a=1.0)]", B], TraceScore(False, False, 2)),
    ],
)
def test_direct_and_adaptive_answers_are_scored_exactly_from_one_trace(trace: list[str], score: TraceScore) -> None:
    assert score_trace(trace, SAMPLE, Comparator()) == score


def test_an_approximate_answer_is_not_right() -> None:
    assert not score_trace([B], SAMPLE, Comparator(tolerance=5)).direct


def test_an_answer_that_was_cut_off_is_not_right() -> None:
    assert score_trace([A, A], SAMPLE, Comparator(), finished=[False, True]) == TraceScore(False, True, 1)
    assert not score_trace(["Hello"], IN_WORDS, Comparator(), finished=[False]).direct


def test_a_truth_in_words_is_met_by_words_only() -> None:
    assert score_trace(["Hi there."], IN_WORDS, Comparator()).direct
    assert not score_trace([""], IN_WORDS, Comparator()).direct
    assert not score_trace([A], IN_WORDS, Comparator()).direct


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_interval_has_its_textbook_values(right: int, total: int, low: float, high: float) -> None:
    assert Accuracy(right, total).interval() == pytest.approx((low, high), abs=1e-4)


def test_accuracy_counts_and_mean_turns_averages() -> None:
    assert accuracy([True, False, True, True]).value == 0.75
    assert Accuracy(0, 0).value == 0.0
    assert mean_turns([TraceScore(True, True, 1), TraceScore(True, True, 4)]) == 2.5
    assert mean_turns([]) == 0.0
