"""How many verdicts each value of each facet has, under the other filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count, F, Func

from curation.models import Iteration
from curation.models.decisions import DecisionKind
from curation.models.verdicts import Change, Outcome, split_facets
from curation.stages.verdict_filter import NO_CALL, UNDECIDED, VerdictFilter, facet_condition, facet_names, matching, written
from toolcalls.settings import Settings

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
    settings = iteration.run.choices
    facets = tuple(_facet(name, tally[name], f, settings) for name in facet_names(f.turn))
    return Counted(sum(number for _, number in _passing(cube, f, plain, plain)), facets)


_Cube = list[tuple[tuple[Any, ...], int]]  # combinations of the plain facets' values, with their counts


def _cube(iteration: Iteration, f: VerdictFilter, names: list[str]) -> _Cube:
    """Each combination of values that occurs under the tools chosen."""
    rows = matching(iteration, VerdictFilter(f.turn, tool=f.tool)).order_by().values_list("facets")
    return [(_combination(names, facets), number) for facets, number in rows.annotate(Count("pk"))]


def _combination(names: list[str], facets: str) -> tuple[Any, ...]:
    values = split_facets(facets)
    return tuple(_value(name, values[_COLUMNS.get(name, name)]) for name in names)


# Postgres looks once for the words, which takes longer than to count what has them; and then counts twice.
BOTH = """
WITH found AS MATERIALIZED ({found})
SELECT facets, NULL, count(*) FROM found{of_tools} GROUP BY facets
UNION ALL SELECT NULL, tool, count(*) FROM (SELECT unnest(tools) AS tool FROM found{of_others}) named GROUP BY tool
"""


def _both(iteration: Iteration, f: VerdictFilter, names: list[str]) -> tuple[_Cube, Counter[Any]]:
    """Under a search: each combination of values under the tools chosen, and the tools under the other facets."""
    others = [(name, getattr(f, name)) for name in names if getattr(f, name)]
    conditions = {"of_tools": facet_condition("tool", f.tool)} if f.tool else {}
    if others:
        conditions["of_others"] = reduce(and_, (facet_condition(*each) for each in others))
    scope = matching(iteration, VerdictFilter(f.turn, q=f.q)).order_by().annotate(**conditions)
    try:
        found, params = scope.values("facets", "tools", *conditions).query.sql_with_params()
    except EmptyResultSet:  # there is no word in the search
        return [], Counter()
    where = {name: f" WHERE {name}" if name in conditions else "" for name in ("of_tools", "of_others")}
    rows = by_indexes(BOTH.format(found=found, **where), params)
    cube = [(_combination(names, facets), number) for facets, _, number in rows if facets is not None]
    return cube, Counter({tool: number for _, tool, number in rows if tool is not None})


def by_indexes(query: str, params: Sequence[Any]) -> list[Any]:
    """The rows of a query for which Postgres reads no table whole: where most samples have the words it would, and look into
    each one's words, which takes twice as long as the index that lists who has them; and all verdicts for one iteration's."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(query, params)
        rows = cursor.fetchall()
        cursor.execute("SET LOCAL enable_seqscan TO DEFAULT")  # of a transaction around this one
    return rows


def _value(name: str, stored: Any) -> Any:
    if name == "calls" and stored is None:
        return NO_CALL
    return UNDECIDED if name == "decision" and not stored else stored


def _tally(cube: _Cube, f: VerdictFilter, names: list[str], of: str) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    place = names.index(of)
    for values, number in _passing(cube, f, names, [name for name in names if name != of]):
        counts[values[place]] += number
    return counts


def _passing(cube: _Cube, f: VerdictFilter, names: list[str], asked: Iterable[str]) -> _Cube:
    """The combinations that the filter finds by the facets `asked`."""
    for name in asked:
        if chosen := getattr(f, name):
            place = names.index(name)
            cube = [each for each in cube if each[0][place] in chosen]
    return cube


def _tools(iteration: Iteration, f: VerdictFilter) -> Counter[Any]:
    scope = matching(iteration, replace(f, tool=())).order_by()
    rows = scope.annotate(name=Func(F("tools"), function="unnest")).values_list("name").annotate(Count("pk"))
    return Counter(dict(rows))


def _facet(name: str, counts: Counter[Any], f: VerdictFilter, settings: Settings) -> Facet:
    chosen = getattr(f, name)
    shown = [value for value, _ in counts.most_common(MOST)]
    shown += [value for value in (*chosen, *_always(name, settings)) if value not in shown]
    values = (
        FacetValue(written(name, value), _label(name, value, settings), counts[value], value in chosen)
        for value in sorted(shown, key=lambda value: _place(name, value, counts))
    )
    return Facet(name, LABELS[name], tuple(values))


def _always(name: str, settings: Settings) -> Iterable[Any]:
    """Values that are shown even where nothing has them."""
    most = 1 if settings.sampling_mode == "until_hit" else settings.k
    return range(most + 1) if name == "hits" else ()


def _label(name: str, value: Any, settings: Settings) -> str:
    """As label_of; where no attempt is made after the first hit, one hit stands for one or more."""
    if name == "hits" and value and settings.sampling_mode == "until_hit":
        return f"≥\u202f{value}"
    return label_of(name, value)


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
    "unknown": "unknown (too few attempts)",
}
CHANGE_LABELS = {"stop": "stop (A₁ = A)", "small": "small fix", "large": "large fix"}
DECISION_LABELS = {"none": "undecided", "keep": "kept", "drop": "dropped", "discuss": "to discuss", "fix": "truth fixed"}
_WORDS = {"outcome": OUTCOME_LABELS, "change": CHANGE_LABELS, "decision": DECISION_LABELS}


def label_of(name: str, value: Any) -> str:
    """A facet's value in words."""
    if name == "calls" and value == NO_CALL:
        return "none"
    return _WORDS.get(name, {}).get(value) or str(value) or "(none given)"
