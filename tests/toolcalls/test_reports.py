from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import replace

import pytest

from toolcalls.contrasts import contrast, contrast_json, contrast_of_counts, outcomes
from toolcalls.evaluation import Accuracy
from toolcalls.official.averages import LIVE, NON_LIVE, SIMPLE, averages_of, weights_of
from toolcalls.report_json import report_json
from toolcalls.report_rows import report_csv
from toolcalls.report_text import contrast_text, report_text
from toolcalls.reports import Refinement, report
from toolcalls.statistics import Paired
from toolcalls.strategies import STRATEGIES, Traced, chosen, unanswered

RIGHT, WRONG, OTHER = "[f(a=1)]", "[f(a=2)]", "[f(a=3)]"
BFCL = (*SIMPLE, *NON_LIVE, *LIVE)


def traced(identity: str, category: str, *answers: str) -> Traced:
    """An item whose RIGHT answers are right; a direct turn takes 100 + 10 tokens, a refine turn 120 + 10."""
    right = tuple(answer == RIGHT for answer in answers)
    count = len(answers)
    errors = tuple(None if each else "wrong_value" for each in right)
    return Traced(identity, category, answers, right, errors, (100, *(120,) * (count - 1)), (10,) * count)


FIXED = traced("1", "a", WRONG, RIGHT, RIGHT, RIGHT)
BROKEN = traced("2", "a", RIGHT, WRONG, WRONG, RIGHT)
KEPT = traced("3", "b", RIGHT, RIGHT, RIGHT, WRONG)
LOST = traced("4", "b", WRONG, OTHER, WRONG, OTHER)
RESTORED = traced("5", "b", WRONG, RIGHT, WRONG, RIGHT)
ITEMS = [FIXED, BROKEN, KEPT, LOST, RESTORED]


def test_figures_of_refinement_count_what_changed() -> None:
    each = report("toolalpaca", ITEMS, 3).refinement
    assert (each.items, each.right, each.fixes, each.breaks) == (5, 2, 2, 1)
    assert each.mean_turns == (2 + 2 + 1 + 3 + 3) / 5
    assert each.change_given_right == 1 / 2
    assert each.change_given_wrong == 3 / 3
    assert (each.prompt_tokens, each.completion_tokens) == (11 * 120, 11 * 10)
    assert each.points == pytest.approx(20.0)
    assert each.tokens_per_point == pytest.approx(11 * 130 / 20)


def test_nothing_is_refined_without_refine_turns() -> None:
    assert report("toolalpaca", ITEMS, 0).refinement == Refinement()


def test_nothing_gained_has_no_price() -> None:
    each = report("toolalpaca", [BROKEN, KEPT], 2).refinement
    assert (each.points, each.tokens_per_point, each.change_given_wrong) == (-50.0, None, None)
    assert report("toolalpaca", [], 2).refinement.mean_turns is None


def test_what_tells_no_tokens_has_no_price() -> None:
    untold = [replace(item, prompt_tokens=(0,) * 4, completion_tokens=(0,) * 4) for item in ITEMS]
    found = report("toolalpaca", untold, 3)
    assert (found.refinement.points, found.refinement.tokens_per_point) == (pytest.approx(20.0), None)
    assert "tokens per point gained –" in report_text(found)


@pytest.mark.parametrize("none", [unanswered("m", "a", 3), replace(unanswered("l", "a", 3), error_types=("too_long",) * 4)])
def test_what_was_not_answered_changes_no_mean_turns_and_no_probability(none: Traced) -> None:
    each, alone = report("toolalpaca", [*ITEMS, none, none], 3).refinement, report("toolalpaca", ITEMS, 3).refinement
    assert (each.items, each.answered, alone.answered) == (7, 5, 5)
    assert (each.mean_turns, each.change_given_wrong) == (alone.mean_turns, alone.change_given_wrong)
    assert each.points == pytest.approx(100 / 7)
    assert "stops after" not in report_text(report("toolalpaca", [none], 3))


def test_every_category_and_strategy_is_counted_at_n() -> None:
    found = report("toolalpaca", ITEMS, 3)
    assert found.categories["a"]["direct"] == Accuracy(1, 2)
    assert found.categories["a"]["adaptive"] == Accuracy(1, 2)
    assert found.categories["b"]["vanilla"] == Accuracy(1, 3)
    assert found.categories["b"]["self_consistency"] == Accuracy(2, 3)
    assert found.averages["overall"]["direct"] == 2 / 5
    assert found.errors["direct"] == {"wrong_value": 3}


def test_curves_have_the_value_of_each_strategy_at_each_number_of_turns() -> None:
    source = random.Random(2)
    items = [
        traced(str(number), source.choice(BFCL), *source.choices([RIGHT, WRONG, OTHER], [5, 2, 1], k=11)) for number in range(400)
    ]
    found = report("bfcl", items, 10)
    assert list(found.curves) == ["simple", "non_live", "live", "overall"]
    for turns in (1, 4, 10):
        shorter = report("bfcl", items, turns)
        for strategy in STRATEGIES:
            right = {
                name: [item.right[chosen(strategy, item, turns)] for item in items if item.category == name] for name in BFCL
            }
            expected = averages_of("bfcl", {name: Accuracy(sum(each), len(each)) for name, each in right.items()})
            for name, value in expected.items():
                assert found.curves[name][strategy][turns - 1] == value
                assert shorter.averages[name][strategy] == value
    assert len(set(found.curves["overall"]["direct"])) == 1


def test_irrelevance_stands_beside_the_averages() -> None:
    items = [traced(name, name, RIGHT, WRONG, WRONG) for name in BFCL]
    without = report("bfcl", items, 2)
    found = report("bfcl", [*items, traced("no", "irrelevance", WRONG, RIGHT, RIGHT)], 2)
    assert found.beside == ["irrelevance"]
    assert (found.averages, found.refinement) == (without.averages, without.refinement)
    assert found.categories["irrelevance"]["adaptive"] == Accuracy(1, 1)
    assert "beside the averages: irrelevance: Direct 0.00, Adaptive Self-Refine 100.00" in report_text(found)


def test_languages_of_simple_are_told_though_they_have_no_column() -> None:
    text = report_text(report("bfcl", [traced("1", "simple_python", RIGHT), traced("2", "multiple", RIGHT)], 0))
    assert "within the averages: simple_python: Direct 100.00 (of 1)" in text
    assert "multiple: Direct" not in text


def test_missing_outputs_are_told_and_are_wrong_only_where_the_user_says_so() -> None:
    answered = [traced("1", "a", RIGHT)]
    left_out = report("toolalpaca", answered, 0, left_out={"a": 2})
    assert (left_out.averages["overall"]["direct"], left_out.missing, left_out.missing_wrong) == (1.0, {"a": 2}, False)
    assert "2 items have no output: not counted" in report_text(left_out)
    counted = report("toolalpaca", [*answered, unanswered("2", "a", 0)], 0)
    assert (counted.averages["overall"]["direct"], counted.missing, counted.missing_wrong) == (0.5, {"a": 1}, True)
    assert counted.errors["direct"] == {"missing_output": 1}
    assert list(counted.averages["overall"]) == ["direct"]


def test_a_part_of_a_benchmark_says_so_everywhere() -> None:
    found = report("toolalpaca", ITEMS, 3, available=114)
    assert report_text(found).startswith("toolalpaca: 5 of its 114 items")
    assert report_json(found)["available"] == 114
    assert "toolalpaca,limited,items,,3,5,,114,," in report_csv(found).splitlines()
    assert report("toolalpaca", ITEMS, 3, available=5).available is None


def test_questions_without_room_and_cut_off_answers_are_told() -> None:
    cut = replace(FIXED, error_types=("truncated", None, None, None))
    full = replace(LOST, error_types=("too_long",) * 4)
    text = report_text(report("toolalpaca", [cut, full, KEPT], 3))
    assert "1 items did not fit into the model's context: counted as wrong" in text
    assert "1 items had their direct answer cut off: counted as wrong" in text


def test_a_report_is_json_csv_and_the_layout_of_table_1() -> None:
    items = [traced(name, name, RIGHT, WRONG, WRONG) for name in BFCL]
    found = report("bfcl", items, 2)
    told = json.loads(json.dumps(report_json(found)))
    assert told["averages"]["overall"] == {"direct": 1.0, "adaptive": 0.0, "vanilla": 0.0, "self_consistency": 0.0}
    assert told["curves"]["n"] == [1, 2]
    assert told["categories"]["live_simple"]["direct"] == {
        "right": 1, "total": 1, "accuracy": 1.0, "low": pytest.approx(0.2065, abs=1e-4), "high": 1.0,
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(report_csv(found))))
    assert {row["part"] for row in rows} == {"category", "average", "curve", "refinement", "error"}
    [live] = [row for row in rows if (row["part"], row["name"], row["strategy"]) == ("average", "live", "direct")]
    assert (live["benchmark"], live["n"], live["value"]) == ("bfcl", "2", "1.0")
    text = report_text(found).splitlines()
    assert text[1].split() == ["Non-Live", "Live", "Overall"]
    assert text[2].split() == ["Parallel", "Parallel"]
    assert text[3].split() == [*["Simple", "Multiple", "Parallel", "Multiple"] * 2, "Non-live", "Live", "Overall"]
    assert text[4].split() == ["Direct", *["100.00"] * 11]
    assert text[8] == "the paper's own figures, Table 1, for comparison:"
    assert text[21].startswith("  paper: ToolACE-R + Adaptive Self-Refine") and text[21].endswith("86.49")
    assert {len(line) for line in [*text[1:2], *text[3:8], *text[9:22]]} == {len(text[3])}


def test_a_benchmark_without_some_categories_leaves_its_averages_open() -> None:
    found = report("bfcl", [traced("1", "live_simple", RIGHT, RIGHT)], 1)
    assert found.averages["overall"]["direct"] is None
    assert found.curves["live"]["adaptive"] == (None,)
    assert "–" in report_text(found)


def test_weights_of_the_averages_add_up() -> None:
    totals = {"simple_python": 400, "simple_java": 100, "simple_javascript": 50, "irrelevance": 240}
    totals |= dict.fromkeys(NON_LIVE, 200) | dict(zip(LIVE, (258, 1053, 16, 24), strict=True))
    weights = weights_of("bfcl", totals)
    assert {name: sum(each.values()) for name, each in weights.items()} == pytest.approx(dict.fromkeys(weights, 1.0))
    assert weights["overall"]["simple_java"] == pytest.approx(1 / 24)
    assert weights["live"]["live_multiple"] == pytest.approx(1053 / 1351)
    assert weights_of("apibank", {"one": 3, "two": 1}) == {"overall": {"one": 0.75, "two": 0.25}}
    assert weights_of("bfcl", {"multiple": 3}) == {}


def test_a_clear_gain_is_one_and_a_small_change_is_not() -> None:
    counts = {"a": Paired(100, 2, 30, 20), "b": Paired(100, 5, 7, 10), "c": Paired(50, 20, 2, 0)}
    found = contrast_of_counts("heldout", counts)
    assert {name: each.verdict for name, each in found.categories.items()} == {
        "a": "gain", "b": "no difference that these items show", "c": "loss",
    }  # fmt: skip
    overall = found.averages["overall"]
    assert overall.difference == pytest.approx((28 + 2 - 18) / 346)
    assert overall.low < overall.difference < overall.high
    assert overall.counts == Paired(250, 27, 39, 30)
    assert overall.verdict == "no difference that these items show"


def test_two_evaluations_are_compared_on_the_items_of_both() -> None:
    first = outcomes(ITEMS, "direct", 3)
    second = outcomes([*ITEMS[1:], traced("9", "b", RIGHT, RIGHT, RIGHT, RIGHT)], "adaptive", 3)
    found = contrast("toolalpaca", first, second)
    assert (found.items, found.only_first, found.only_second) == (4, 1, 1)
    assert found.categories["a"].counts == Paired(only_first=1)
    assert found.categories["b"].counts == Paired(both=1, only_second=1, neither=1)
    told = json.loads(json.dumps(contrast_json(found)))
    assert told["averages"]["overall"]["verdict"] == "no difference that these items show"
    assert "1 items only in before, 1 only in after" in contrast_text(found, "before", "after")


def test_the_figures_of_a_large_evaluation_take_little_time() -> None:
    counts = {name: Paired(80, 10, 15, 20) for name in BFCL}
    grown = {name: Paired(*(1000 * each for each in counts[name])) for name in BFCL}
    small, large = contrast_of_counts("bfcl", counts), contrast_of_counts("bfcl", grown)
    assert small.averages["overall"].difference == pytest.approx(large.averages["overall"].difference)
    assert large.averages["overall"].verdict == "gain"
