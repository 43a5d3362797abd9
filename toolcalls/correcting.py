"""Correcting: a sample with another truth, which must be one that its tools accept and that a model can write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolcalls.answers import Call, Calls, ParseFailure, Text
from toolcalls.canonical import answer_key
from toolcalls.errors import InputError
from toolcalls.importing import category_of
from toolcalls.parsing import parse
from toolcalls.records import Sample
from toolcalls.rendering import render
from toolcalls.schema import check_calls


def corrected(sample: Sample, calls: Sequence[Call] | None, text: str = "") -> Sample:
    """The sample with these calls as its truth, or with None with the text. Its category follows where it was of the number
    of calls.

    Raises InputError that names every problem, and for a truth that is the sample's already.
    """
    found = text_problems(text) if calls is None else call_problems(calls, sample)
    if found:
        raise InputError("the truth cannot be this: " + "; ".join(found))
    truth = None if calls is None else tuple(calls)
    made = replace(sample, truth=truth, truth_text=text.strip() if truth is None else None)
    if _key(made) == _key(sample):
        raise InputError("this is the truth already; change it, or keep the sample as it is")
    return replace(made, category=category_of(made) if sample.category == category_of(sample) else sample.category)


def call_problems(calls: Sequence[Call], sample: Sample) -> list[str]:
    """What keeps these calls from being the truth, in words; with several calls each says which."""
    if not calls:
        return ["there is no call; give one, or a text that calls nothing"]
    try:
        return _tool_problems(calls, sample) or _form_problems(tuple(calls))
    except RecursionError:
        return ["it is nested too deeply; make it flatter"]


def _tool_problems(calls: Sequence[Call], sample: Sample) -> list[str]:
    found = []
    for number, call in enumerate(calls, 1):
        where = f"call {number}, " if len(calls) > 1 else ""
        found += [f"{where}{problem}" for problem in check_calls([call], sample.tools)]
    return found


def _form_problems(calls: tuple[Call, ...]) -> list[str]:
    """The truth must survive the call form, or no model could ever give it."""
    try:
        back = parse(render(calls))
    except ValueError as error:
        return [f"it cannot be written in the call form ({error}); rename or shorten what stands there"]
    if back == Calls(calls, "paper"):
        return []
    why = back.reason if isinstance(back, ParseFailure) else "it reads back differently"
    return [f"it cannot be written in the call form ({why}); rename or shorten what stands there"]


def text_problems(text: str) -> list[str]:
    """What keeps a text from being the truth of a sample that calls nothing."""
    if not text.strip():
        return ["there is neither a call nor a text; give one of them"]
    if not isinstance(parse(text), Text):
        return ["the text reads as calls of tools; give them as calls, or write it in other words"]
    return []


def _key(sample: Sample) -> str:
    if sample.truth is None:
        return answer_key(Text((sample.truth_text or "").strip()))
    return answer_key(Calls(sample.truth, "paper"))
