"""`python -m toolcalls compare`: how far an output is from the truth."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from toolcalls.answers import Answer, Call, Calls, ParseFailure, Text
from toolcalls.commands.json_lines import answer_lines
from toolcalls.commands.truths import truth_of
from toolcalls.comparing import Comparator, Difference
from toolcalls.equality import Folding
from toolcalls.parsing import parse
from toolcalls.wire import Fields


def add_arguments(parser: argparse.ArgumentParser) -> None:
    plain = Comparator()
    parser.add_argument("--tolerance", type=_count, default=plain.tolerance, help="parameters that may differ in a pair of calls")
    parser.add_argument("--no-schema-defaults", action="store_true", help="an omitted parameter equals no default of the schema")
    parser.add_argument("--string-folding", choices=get_args(Folding), default=plain.string_folding)
    parser.add_argument("--numeric-tolerance", type=_fraction, default=plain.numeric_tolerance, metavar="FRACTION")
    parser.add_argument("--nested", action="store_true", help="places inside a value count, not the parameter once")
    parser.add_argument("--strict", action="store_true", help="read outputs strictly")


def run(arguments: argparse.Namespace) -> int:
    """Compare every line of standard input."""
    comparator = Comparator(
        schema_defaults=not arguments.no_schema_defaults,
        tolerance=arguments.tolerance,
        string_folding=arguments.string_folding,
        numeric_tolerance=arguments.numeric_tolerance,
        nested=arguments.nested,
        reading="strict" if arguments.strict else "tolerant",
    )
    return answer_lines(lambda row: compared(row, comparator))


def compared(row: dict[str, Any], comparator: Comparator) -> dict[str, Any]:
    """The verdict of {"truth", "output", "tools"}; raises InputError for a truth that cannot be read.

    verdict: "exact", "approximate", "no_call" (neither calls), else why it is neither: a word of `selection.REASONS`.
    """
    fields = Fields(row, "the line")
    truth = truth_of(fields)
    tools = fields.items("tools", lambda data, where: dict(Fields(data, where).data)) if row.get("tools") is not None else ()
    output = fields.get("output", str)
    answer = parse(output, strict=comparator.reading == "strict")
    form = answer.form if isinstance(answer, Calls) else None
    if not isinstance(answer, Calls) or not truth:
        verdict = _verdict_without_pairs(answer, truth)
        return _line(verdict, 0 if verdict == "no_call" else None, (), form)
    comparison = comparator.compare(truth, answer.calls, tools)
    verdict = comparison.reason or ("approximate" if comparison.max_param_diff else "exact")
    return _line(verdict, comparison.max_param_diff, comparison.differences, form)


def _verdict_without_pairs(answer: Answer, truth: tuple[Call, ...]) -> str:
    """An empty answer is no no-call: it says nothing."""
    if isinstance(answer, ParseFailure):
        return "unparsable"
    if isinstance(answer, Text):
        return "not_a_call" if truth or not answer.text.strip() else "no_call"
    return "wrong_count"


def _line(verdict: str, diff: int | None, differences: tuple[Difference, ...], form: str | None) -> dict[str, Any]:
    return {"verdict": verdict, "max_param_diff": diff, "differences": [_difference(each) for each in differences], "form": form}


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "path": difference.path,
        "kind": difference.kind,
        "expected": difference.expected,
        "given": difference.given,
        "text": difference.text,
    }


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError("at least 0")
    return count


def _fraction(text: str) -> float:
    fraction = float(text)
    if not 0 <= fraction < 1:
        raise argparse.ArgumentTypeError("a fraction from 0 to below 1")
    return fraction
