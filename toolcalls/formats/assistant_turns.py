"""Assistant turns as data sets write them: calls in any call form, calls as JSON, or words."""

from __future__ import annotations

import itertools
import json
import operator
import re
from collections.abc import Iterable

from toolcalls.answers import Answer, Call, Calls, ParseFailure, Text
from toolcalls.conversations import Said
from toolcalls.dialects import named
from toolcalls.parsing import parse
from toolcalls.rendering import render

_THOUGHTS = re.compile(r"\s*<(think|scratch_pad)>.*?</\1>\s*", re.DOTALL)
_CALL_TAG = re.compile(
    r"<tool_?call|<function_?call|<function=|\[TOOL_CALLS\]|<\|python_tag\|>|<｜tool▁call|<\|tool_call|✿FUNCTION✿", re.IGNORECASE
)
_LOOSE = {"prose", "no brackets"}  # what a tolerant reading looks past to find calls in words, code within prose say
_GUESSED = {"expression", "unquoted text", "positional argument", "nested too deep", "replaced character"}


def written(value: str, trained: bool = True) -> Said:
    """A turn of a format whose calls are text: calls in any form, or words. Calls amid words are a problem."""
    return _said(value, parse(value), trained)


def words_or_calls(value: str, trained: bool = True) -> Said:
    """A turn of a format that marks its calls, by a field or by tags: what looks like one amid words is code, and words."""
    value = without_thoughts(value)
    answer = parse(value)
    if isinstance(answer, Calls):
        is_code = not _LOOSE.isdisjoint(answer.tolerated) and not named(answer.form).tagged
    else:
        meant = isinstance(answer, Text) or value.lstrip().startswith(("[", "<")) or _CALL_TAG.search(value)
        is_code = not meant
    return Said("assistant", value, trained=trained) if is_code else _said(value, answer, trained)


def _said(value: str, answer: Answer, trained: bool) -> Said:
    if isinstance(answer, Text):
        return Said("assistant", value, problem="" if value.strip() else "is empty", trained=trained)
    if isinstance(answer, ParseFailure):
        problem = f"holds something like a call that cannot be read: {answer.reason} at character {answer.position}"
        return Said("assistant", value, problem=problem, trained=trained)
    if answer.form == "paper" and not answer.tolerated:
        return Said("assistant", value, answer.calls, trained=trained)
    return Said("assistant", shown(answer.calls), answer.calls, problem=_doubt(answer), trained=trained, written=value)


def _doubt(answer: Calls) -> str:
    """Why calls that can be read are no truth to learn from; empty where they are."""
    if "prose" in answer.tolerated and not named(answer.form).tagged:
        return "holds words around its calls; keep one of them"
    guessed = ", ".join(word for word in answer.tolerated if word in _GUESSED)
    return f"holds calls that can only be guessed at ({guessed}); name parameters and give literals" if guessed else ""


def structured(calls: Iterable[Call], trained: bool = True) -> Said:
    """A turn whose calls came as JSON; its context text is the rendered call form."""
    calls = tuple(calls)
    return Said("assistant", shown(calls), calls, structured=True, trained=trained)


def shown(calls: tuple[Call, ...]) -> str:
    """Calls as later turns show them: in the paper's form, or as JSON where that cannot carry them."""
    try:
        return render(calls)
    except ValueError:
        return json.dumps([{"name": call.name, "arguments": call.arguments} for call in calls], ensure_ascii=False)


def without_thoughts(text: str) -> str:
    """The text less the thinking that it begins with."""
    position = 0
    while found := _THOUGHTS.match(text, position):
        position = found.end()
    return text[position:]


def joined(turns: Iterable[Said]) -> tuple[Said, ...]:
    """One turn for those that the assistant takes in a row: calls are parallel, and words beside calls are left out."""
    made: list[Said] = []
    for role, run in itertools.groupby(turns, key=_role):
        said = list(run)
        made += [_one(said)] if role == "assistant" and len(said) > 1 else said
    return tuple(made)


_role = operator.attrgetter("role")


def _one(said: list[Said]) -> Said:
    told = [each for each in said if each.calls is not None or each.content.strip()]
    if len(told) < 2:
        return (told or said)[0]
    calling = [each for each in told if each.calls is not None]
    problem = next((each.problem for each in told if each.problem), "")
    trained = all(each.trained for each in calling or told)
    if not calling:
        words = "\n\n".join(each.content.strip() for each in told)
        return Said("assistant", words, problem=problem, trained=trained)
    calls = tuple(call for each in calling for call in each.calls or ())
    return Said("assistant", shown(calls), calls, structured=True, problem=problem, trained=trained)
