"""A report as plain text in the layout of the paper's Tables 1, 2 and 7, with the paper's rows as marked reference lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from toolcalls.contrasts import Contrast, Difference
from toolcalls.paper_tables import TABLE_1, TABLE_7, Column, reference_lines
from toolcalls.reports import Report
from toolcalls.strategies import CUT_OFF, NO_ROOM, STRATEGIES, Strategy

NAMES: Mapping[Strategy, str] = {
    "direct": "Direct",
    "adaptive": "Adaptive Self-Refine",
    "vanilla": "Vanilla Self-Refine",
    "self_consistency": "Self-Consistency",
}
NONE = "–"
UNKNOWN_ITEMS = ("apibank", "toolalpaca")  # no subset of theirs has as many items as the paper's accuracies fit
_WIDTH = 41  # characters of a row's name


def layout(found: Report) -> list[Column]:
    """The columns of the benchmark's table: the paper's, or its categories and overall."""
    table = {"bfcl": TABLE_1, "acebench": TABLE_7, "acebench-zh": TABLE_7}.get(found.benchmark)
    if table is not None:
        return list(table.columns)
    return [*(Column(name, "", found.benchmark, name) for name in found.categories), Column("Overall", "", "", "overall")]


def percents(found: Report, strategy: Strategy) -> dict[str, float | None]:
    """A strategy's accuracy in percent by category and by average, as the columns name them."""
    values: dict[str, float | None] = {name: by_strategy[strategy].value for name, by_strategy in found.categories.items()}
    values |= {name: by_strategy[strategy] for name, by_strategy in found.averages.items()}
    return {name: None if value is None else 100 * value for name, value in values.items()}


def report_text(found: Report) -> str:
    """The table, the paper's lines under it, and the categories that have no column."""
    columns = layout(found)
    limited = "" if found.available is None else f" of its {found.available}"
    lines = [f"{found.benchmark}: {found.items}{limited} items, accuracy in percent", *_heading(columns)]
    strategies = [each for each in STRATEGIES if each in found.errors]
    for strategy in strategies:
        turns = "" if strategy == "direct" else f" (n = {found.n})"
        lines.append(_line(NAMES[strategy] + turns, columns, percents(found, strategy)))
    references = reference_lines(found.benchmark)
    if references:
        which = " (which items they are of is not known)" if found.benchmark in UNKNOWN_ITEMS else ""
        lines.append(f"the paper's own figures, Table {references[0].table}, for comparison{which}:")
        lines += [_line(f"  paper: {each.name}", columns, each.figures) for each in references]
    return "\n".join([*lines, *_without_column(found, columns, strategies), *_refinement(found), *_missing(found)]) + "\n"


def contrast_text(found: Contrast, first: str, second: str) -> str:
    """What changed from one evaluation to another, a line per category and average."""
    lines = [
        f"{found.benchmark}: {second} against {first}, {found.items} items of both",
        f"{'':{_WIDTH}}{'both':>7}{'only 1st':>10}{'only 2nd':>10}{'neither':>9}{'points':>9}{'95 % interval':>18}{'p':>9}",
    ]
    lines += [_difference(name, each) for name, each in found.categories.items()]
    lines += [_difference(f"= {name}", each) for name, each in found.averages.items()]
    if found.only_first or found.only_second:
        lines.append(f"not compared: {found.only_first} items only in {first}, {found.only_second} only in {second}")
    return "\n".join(lines) + "\n"


def _heading(columns: Sequence[Column]) -> list[str]:
    """Groups over their columns, then the columns' names, a word a line."""
    widths = _widths(columns)
    groups = "".join(
        f"{group:>{sum(width for _, width in members)}}"
        for group, members in groupby(zip(columns, widths, strict=True), key=lambda pair: pair[0].group)
    )
    words = [column.name.split() for column in columns]
    deepest = max(map(len, words))
    stacked = [[*[""] * (deepest - len(each)), *each] for each in words]
    lines = ["".join(f"{word:>{width}}" for word, width in zip(line, widths, strict=True)) for line in zip(*stacked, strict=True)]
    return [" " * _WIDTH + line for line in (groups, *lines) if line.strip()]


def _line(name: str, columns: Sequence[Column], figures: Mapping[str, float | None]) -> str:
    cells = ""
    for column, width in zip(columns, _widths(columns), strict=True):
        value = figures.get(column.figure)
        cells += f"{NONE if value is None else format(value, '.2f'):>{width}}"
    return f"{name:{_WIDTH}}{cells}"


def _widths(columns: Sequence[Column]) -> list[int]:
    return [max(8, max(map(len, column.name.split()), default=0) + 2) for column in columns]


def _without_column(found: Report, columns: Sequence[Column], strategies: Sequence[Strategy]) -> Iterator[str]:
    """The languages of BFCL's Simple, and what the averages leave out."""
    shown, beside = {column.figure for column in columns}, found.beside
    for category, accuracies in found.categories.items():
        if category not in shown:
            place = "beside the averages" if category in beside else "within the averages"
            values = ", ".join(f"{NAMES[each]} {100 * accuracies[each].value:.2f}" for each in strategies)
            yield f"{place}: {category}: {values} (of {accuracies['direct'].total})"


def _refinement(found: Report) -> Iterator[str]:
    each = found.refinement
    if not found.n or each.mean_turns is None:
        return
    yield (
        f"adaptive: stops after {each.mean_turns:.2f} refine turns in the mean, {each.fixes} fixed, {each.breaks} broken, "
        f"P(change | right) {_number(each.change_given_right, 3)}, P(change | wrong) {_number(each.change_given_wrong, 3)}, "
        f"tokens per point gained {_number(each.tokens_per_point, 0)}"
    )


def _missing(found: Report) -> Iterator[str]:
    for error, what in ((NO_ROOM, "did not fit into the model's context"), (CUT_OFF, "had their direct answer cut off")):
        if count := found.errors["direct"].get(error):
            yield f"{count} items {what}: counted as wrong"
    if missing := sum(found.missing.values()):
        yield f"{missing} items have no output: " + ("counted as wrong" if found.missing_wrong else "not counted")


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def _difference(name: str, found: Difference) -> str:
    interval = f"{100 * found.low:+.2f} … {100 * found.high:+.2f}"
    both, first, second, neither = found.counts
    counts = f"{both:>7}{first:>10}{second:>10}{neither:>9}"
    return f"{name:{_WIDTH}}{counts}{100 * found.difference:>+9.2f}{interval:>18}{found.p:>9.4f}  {found.verdict}"
