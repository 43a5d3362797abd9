"""One line of each form that a run can be exported in, cut short where a real one goes on."""

from __future__ import annotations

from dataclasses import dataclass

from curation.models.exports import ExportKind
from toolcalls.exporting import trl_line, whetstone_line
from toolcalls.records import Message, TrainingRow

QUESTION = "Weather in Rome, please."
ROW = TrainingRow("sample-7", "direct", (Message("system", "You are …"), Message("user", QUESTION)), '[get_weather(city="Rome")]')
_SAMPLE = (
    '{"id": "sample-7", "tools": […], "messages": [{"role": "user", "content": "Weather in Rome, please."}], '
    '"truth": [{"name": "get_weather", "arguments": {"city": "Rome"}}], "truth_text": null, "other": "", "system": null, '
    '"category": "simple", "language": "", "split": "train", "version": 1, "sha256": "…", '
    '"verdict": {"outcome": "exact", "attempts": 8, "exact_hits": 5, …}, "decision": null'
)


@dataclass(frozen=True, slots=True)
class Example:
    kind: str
    label: str
    about: str
    line: str


EXAMPLES = (
    Example(
        ExportKind.TRAINING_SET,
        "Training set, whetstone",
        "A training row: its rendered messages and the target. It also stands in the trainer's own input.",
        whetstone_line(ROW),
    ),
    Example(ExportKind.TRAINING_SET, "Training set, trl", "TRL's conversational prompt and completion.", trl_line(ROW)),
    Example(
        ExportKind.POOL,
        "Pool",
        "A sample as an upload takes it, with the iteration's verdict and what people decided.",
        _SAMPLE + "}",
    ),
    Example(
        ExportKind.PAIRS,
        "Refine pairs",
        "The same, with the first answer A₁, the refine prompt and the target.",
        _SAMPLE + ', "change": "small", "identical_exact": false, "identical_text": false, '
        '"first_answer": "[get_weather(city=\\"Roma\\")]", "refine_prompt": "…", "target": "[get_weather(city=\\"Rome\\")]"}',
    ),
)
