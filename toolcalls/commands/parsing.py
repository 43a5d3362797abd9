"""`python -m toolcalls parse`: what an answer calls."""

from __future__ import annotations

import argparse
import io
import sys
from typing import Any

from toolcalls.answers import Call, Calls, ParseFailure
from toolcalls.commands.json_lines import answer_lines, failed, write
from toolcalls.parsing import LIMITS, parse
from toolcalls.wire import Fields


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jsonl", metavar="FIELD", help="read JSON lines and parse this field of each; else one text")
    parser.add_argument("--strict", action="store_true", help="calls alone, in one dialect's own spelling")


def run(arguments: argparse.Namespace) -> int:
    """Parse standard input: one text, or a field of every line."""
    strict: bool = arguments.strict
    if arguments.jsonl is not None:
        return answer_lines(lambda row: parsed(Fields(row, "the line").get(arguments.jsonl, str), strict=strict))
    try:  # no more than one character over the limit, which `parse` then tells
        text = io.TextIOWrapper(sys.stdin.buffer, "utf-8", newline="").read(LIMITS.length + 1)
    except UnicodeDecodeError as error:
        return failed(f"not a text in UTF-8: {error}")
    write(parsed(text, strict=strict))
    return 0


def parsed(text: str, *, strict: bool = False) -> dict[str, Any]:
    """One of "calls", "text" and "failure", with "form" and "tolerated"."""
    answer = parse(text, strict=strict)
    if isinstance(answer, Calls):
        return {"calls": [_call(call) for call in answer.calls], "form": answer.form, "tolerated": list(answer.tolerated)}
    if isinstance(answer, ParseFailure):
        return {"failure": {"reason": answer.reason, "position": answer.position}, "form": None, "tolerated": []}
    return {"text": answer.text, "form": None, "tolerated": []}


def _call(call: Call) -> dict[str, Any]:
    return {"name": call.name, "arguments": call.arguments}
