"""How many verdicts each value of each facet has, under the other filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, F, Func, Value

from curation.models import Iteration
from curation.models.decisions import DecisionKind
from curation.models.verdicts import Change, Outcome
from curation.stages.verdict_filter import NO_CALL, UNDECIDED, VerdictFilter, facet_condition, facet_names, matching, written

LABELS = {
    "outcome": "Verdict",
    "change": "From A₁ to A",
    "hits": "Hits",
    "decision": "Decision",
    "category": "Category",
    "calls": "Calls of the truth",
    "tool": "Tool",
    "language": "Language",
}
MOST = 40  # values of a facet that are shown: the most frequent, and those that are chosen
_COLUMNS = {"hits": "approximate_hits"}  # facets whose column is named otherwise


@dataclass(frozen=True, slots=True)
class FacetValue:
    """`value` as addresses write it; `count` is what choosing it alone would find under the other facets."""

    value: str
    label: str
    count: int
    active: bool


@dataclass(frozen=True, slots=True)
class Facet:
    name: str
    label: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """The facets, and how many verdicts the whole filter finds."""

    total: int
    facets: tuple[Facet, ...]


def facets_of(iteration: Iteration, f: VerdictFilter) -> tuple[Facet, ...]:
    """Each facet counted under all the other filters."""
    return counted(iteration, f).facets


def counted(iteration: Iteration, f: VerdictFilter) -> Counted:
    """How often each combination of the plain facets occurs, from which all of them are added up, and the tools."""
    plain = [name for name in facet_names(f.turn) if name != "tool"]
    cube, tools = _both(iteration, f, plain) if f.q else (_cube(iteration, f, plain), _tools(iteration, f))
    tally = {name: _tally(cube, f, plain, name) for name in plain} | {"tool": tools}
    facets = tuple(_facet(name, tally[name], f, iteration.run.choices.k) for name in facet_names(f.turn))
    total = sum(number for values, number in cube if _passes(values, f, plain))
    return Counted(total, facets)


_Cube = list[tuple[dict[str, Any], int]]  # combinations of values, with their counts


def _cube(iteration: Iteration, f: VerdictFilter, names: list[str]) -> _Cube:
    """Each combination of values that occurs under the tools chosen."""
    rows = matching(iteration, VerdictFilter(f.turn, tool=f.tool)).order_by().values_list(*_columns(names))
    return [_combination(names, row) for row in rows.annotate(Count("pk"))]


def _columns(names: Iterable[str]) -> list[str]:
    return [_COLUMNS.get(name, name) for name in names]


def _combination(names: list[str], row: tuple[Any, ...]) -> tuple[dict[str, Any], int]:
    return {name: _value(name, value) for name, value in zip(names, row, strict=False)}, row[-1]


# Postgres looks once for the words, which takes longer than to count what has them; and then counts twice.
BOTH = """
WITH found AS MATERIALIZED ({found})
SELECT {columns}, NULL, count(*) FROM found WHERE of_tools GROUP BY {columns}
UNION ALL SELECT {nothing}, tool, count(*) FROM (SELECT unnest(tools) AS tool FROM found WHERE of_others) named GROUP BY tool
"""


def _both(iteration: Iteration, f: VerdictFilter, names: list[str]) -> tuple[_Cube, Counter[Any]]:
    """Under a search: each combination of values under the tools chosen, and the tools under the other facets."""
    columns, others = _columns(names), [(name, getattr(f, name)) for name in names if getattr(f, name)]
    conditions = {
        "of_tools": facet_condition("tool", f.tool) if f.tool else Value(True),
        "of_others": reduce(and_, (facet_condition(*each) for each in others)) if others else Value(True),
    }
    scope = matching(iteration, VerdictFilter(f.turn, q=f.q)).order_by().annotate(**conditions)
    try:
        found, params = scope.values(*columns, "tools", *conditions).query.sql_with_params()
    except EmptyResultSet:  # there is no word in the search
        return [], Counter()
    listed = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(BOTH.format(found=found, columns=listed, nothing=", ".join(["NULL"] * len(columns))), params)
        rows = cursor.fetchall()
    cube = [_combination(names, (*row[:-2], row[-1])) for row in rows if row[0] is not None]
    return cube, Counter({tool: count for *_, tool, count in rows if tool is not None})


def _value(name: str, stored: Any) -> Any:
    if name == "calls" and stored is None:
        return NO_CALL
    return UNDECIDED if name == "decision" and not stored else stored


def _tally(cube: _Cube, f: VerdictFilter, names: list[str], of: str) -> Counter[Any]:
    others = [name for name in names if name != of and getattr(f, name)]
    counts: Counter[Any] = Counter()
    for values, number in cube:
        if _passes(values, f, others):
            counts[values[of]] += number
    return counts


def _passes(values: Mapping[str, Any], f: VerdictFilter, names: Iterable[str]) -> bool:
    return all(not getattr(f, name) or values[name] in getattr(f, name) for name in names)


def _tools(iteration: Iteration, f: VerdictFilter) -> Counter[Any]:
    scope = matching(iteration, replace(f, tool=())).order_by()
    rows = scope.annotate(name=Func(F("tools"), function="unnest")).values_list("name").annotate(Count("pk"))
    return Counter(dict(rows))


def _facet(name: str, counts: Counter[Any], f: VerdictFilter, k: int) -> Facet:
    chosen = getattr(f, name)
    shown = [value for value, _ in counts.most_common(MOST)]
    shown += [value for value in (*chosen, *_always(name, k)) if value not in shown]
    values = (
        FacetValue(written(name, value), label_of(name, value), counts[value], value in chosen)
        for value in sorted(shown, key=lambda value: _place(name, value, counts))
    )
    return Facet(name, LABELS[name], tuple(values))


def _always(name: str, k: int) -> Iterable[Any]:
    """Values that are shown even where nothing has them."""
    return range(k + 1) if name == "hits" else ()


_ORDER = {"outcome": Outcome.values, "change": Change.values, "decision": [UNDECIDED, *DecisionKind.values]}


def _place(name: str, value: Any, counts: Counter[Any]) -> Any:
    """Closed lists and numbers in their order, the rest by count."""
    if name in _ORDER:
        return _ORDER[name].index(value)
    return value if name in ("hits", "calls") else (-counts[value], value)


OUTCOME_LABELS = {
    "exact": "exact",
    "approximate": "approximate only",
    "param_mismatch": "parameters differ",
    "too_many_calls": "too many calls",
    "wrong_count": "wrong number of calls",
    "wrong_tool": "wrong tool",
    "unparsable": "unparsable",
    "not_a_call": "not a call",
    "truncated": "truncated",
    "too_long": "prompt too long",
    "excluded": "excluded (calls nothing)",
}
CHANGE_LABELS = {"stop": "stop (A₁ = A)", "small": "small fix", "large": "large fix"}
DECISION_LABELS = {"none": "undecided", "keep": "kept", "drop": "dropped", "discuss": "to discuss", "fix": "truth fixed"}
_WORDS = {"outcome": OUTCOME_LABELS, "change": CHANGE_LABELS, "decision": DECISION_LABELS}


def label_of(name: str, value: Any) -> str:
    """A facet's value in words."""
    if name == "calls" and value == NO_CALL:
        return "none"
    return _WORDS.get(name, {}).get(value) or str(value) or "(none given)"
