"""An evaluation as files: its report as text or a table, and two evaluations item by item."""

from __future__ import annotations

import csv
import io

from curation.models import Benchmark, Evaluation
from curation.stages.errors import InputError
from curation.stages.evaluations_compared import Outcomes, Pair, outcomes
from curation.stages.scores import report_of
from toolcalls.report_rows import report_csv
from toolcalls.report_text import report_text
from toolcalls.reports import Report


def report_table(evaluation: Evaluation) -> str:
    """CSV with a row per figure."""
    return report_csv(_report(evaluation))


def report_words(evaluation: Evaluation) -> str:
    """In the layout of the paper's table, with its rows as reference lines; first what of its files is not as published."""
    return _changed(evaluation) + report_text(_report(evaluation))


def _changed(evaluation: Evaluation) -> str:
    made: Benchmark | None = getattr(evaluation.revision, "benchmark", None)
    names = [] if made is None else sorted(file["name"] for file in made.files if not file["known"])
    return f"{evaluation.revision}: not the known files: {', '.join(names)}\n" if names else ""


def _report(evaluation: Evaluation) -> Report:
    if evaluation.figures is None:
        raise InputError("this evaluation was made before there were reports; evaluate the model again")
    return report_of(evaluation.iteration, evaluation.revision, evaluation.outputs)


def pairs_table(pair: Pair) -> str:
    """CSV with a row per item, of either evaluation; empty where one does not have it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Outcomes._fields)
    writer.writerows(["" if value is None else value for value in each] for each in outcomes(pair))
    return text.getvalue()
