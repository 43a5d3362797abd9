from __future__ import annotations

import csv
from pathlib import Path

import pytest

from toolcalls.evaluation import Accuracy
from toolcalls.official.averages import ACEBENCH, LIVE, NON_LIVE, SIMPLE, acebench_average, bfcl_averages

COUNTS = {
    "simple_python": 400,
    "simple_java": 100,
    "simple_javascript": 50,
    "multiple": 200,
    "parallel": 200,
    "parallel_multiple": 200,
    "live_simple": 258,
    "live_multiple": 1053,
    "live_parallel": 16,
    "live_parallel_multiple": 24,
}


def _accuracy(category: str, percent: float) -> Accuracy:
    return Accuracy(round(percent / 100 * COUNTS[category]), COUNTS[category])


# Rows of Table 1: Simple, Multiple, Parallel and Parallel Multiple of Live, and Live.
@pytest.mark.parametrize(
    ("parts", "live"),
    [
        ((84.88, 79.77, 87.50, 75.00), 80.75),  # GPT-4o-2024-11-20
        ((73.26, 76.73, 81.25, 70.83), 76.02),  # ToolACE-8B
        ((81.78, 81.01, 87.50, 83.33), 81.27),  # ToolACE-R
        ((82.95, 81.58, 87.50, 83.33), 81.94),  # + Adaptive Self-Refine
    ],
)
def test_live_average_is_the_papers(parts: tuple[float, ...], live: float) -> None:
    averages = bfcl_averages({name: _accuracy(name, percent) for name, percent in zip(LIVE, parts, strict=True)})
    assert averages.live is not None
    assert round(100 * averages.live, 2) == live
    assert (averages.simple, averages.non_live, averages.overall) == (None, None, None)


def test_overall_is_the_papers_for_toolace_8b_from_its_published_parts() -> None:
    """Simple's three languages are those of the leaderboard of 2025-01-18, the paper's source."""
    percents = {
        "simple_python": 91,
        "simple_java": 65,
        "simple_javascript": 74,
        "multiple": 93.5,
        "parallel": 90.5,
        "parallel_multiple": 89.5,
    }
    percents |= {"live_simple": 73.26, "live_multiple": 76.73, "live_parallel": 81.25, "live_parallel_multiple": 70.83}
    averages = bfcl_averages({category: _accuracy(category, percent) for category, percent in percents.items()})
    figures = [averages.simple, averages.non_live, averages.live, averages.overall]
    assert [round(100 * figure, 2) for figure in figures if figure is not None] == [76.67, 87.54, 76.02, 81.78]


def test_a_category_without_samples_leaves_its_averages_open() -> None:
    full = {category: Accuracy(1, 2) for category in (*SIMPLE, *NON_LIVE, *LIVE)}
    assert bfcl_averages(full).overall == 0.5
    assert bfcl_averages(full | {"simple_java": Accuracy(0, 0)}).simple is None
    assert bfcl_averages(full | {"simple_java": Accuracy(0, 0)}).live == 0.5
    assert bfcl_averages(full | {"live_parallel": Accuracy(0, 0)}).live is None


# Rows of Table 7: Bool, Enum, Number, List, Object Short, Object Deep, Single, Parallel, and Overall.
@pytest.mark.parametrize(
    ("parts", "overall"),
    [
        ((94, 94, 98, 94, 64, 96, 84, 72), 87.00),  # GPT-4o-2024-11-20
        ((50, 74, 48, 60, 30, 44, 55, 44), 50.63),  # Llama3.1-8B-Inst
        ((88, 96, 94, 94, 50, 92, 83, 74), 83.88),  # ToolACE-R
    ],
)
def test_acebench_average_is_the_papers(parts: tuple[int, ...], overall: float) -> None:
    by_category = {name: Accuracy(percent, 100) for name, percent in zip(ACEBENCH, parts, strict=True)}
    average = acebench_average(by_category)
    assert average is not None
    assert 100 * average == pytest.approx(overall, abs=0.00501)
    assert acebench_average({name: by_category[name] for name in ACEBENCH[1:]}) is None


def test_averages_are_those_of_the_leaderboard(data_dir: Path) -> None:
    folder = data_dir / "bfcl" / "leaderboard_2025-01-18"
    columns = {
        "simple_python": "Python Simple AST",
        "simple_java": "Java Simple AST",
        "simple_javascript": "JavaScript Simple AST",
        "multiple": "Multiple AST",
        "parallel": "Parallel AST",
        "parallel_multiple": "Parallel Multiple AST",
    }
    with (folder / "data_non_live.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 50
    for row in rows:
        averages = bfcl_averages({name: _accuracy(name, float(row[column][:-1])) for name, column in columns.items()})
        assert averages.simple is not None
        assert averages.non_live is not None
        assert 100 * averages.simple == pytest.approx(float(row["Simple AST"][:-1]), abs=0.00501), row["Model"]
        assert 100 * averages.non_live == pytest.approx(float(row["AST Summary"][:-1]), abs=0.00501), row["Model"]
