"""A user's request in words, together with the calls that answer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from toolcalls.answers import Call
from trainer.tiny.slots import Draw, say
from trainer.tiny.tools import Tool
from trainer.tiny.vocabulary import CONNECTIVES, LEADS

ATTEMPTS = 40  # draws of a call's values before the whole request is given up


class Request(NamedTuple):
    """A query and its true answer."""

    query: str
    calls: tuple[Call, ...]


def draw_request(draw: Draw, tools: Sequence[Tool], allowed: Callable[[Call], bool]) -> Request | None:
    """Draw one request over these tools, every call of which is allowed; None when the dice did not find one."""
    query, previous = "", None
    calls: list[Call] = []
    for _ in range(draw.weighted(draw.settings.calls)):
        tool = previous if previous and draw.random.random() < 0.5 else draw.pick(tools)
        drawn = _draw_call(draw, tool, lambda call: call not in calls and allowed(call))
        if drawn is None:
            return None
        phrases, call = drawn
        elliptic = tool is previous and draw.random.random() < draw.settings.ellipsis
        lead = "another one" if elliptic else draw.word(LEADS).format(call=tool.phrase)
        if query:
            query += draw.word(CONNECTIVES) + (lead if lead.startswith("I ") else lead[0].lower() + lead[1:])
        else:
            query = lead[0].upper() + lead[1:]
        query = " ".join((query, *phrases))
        calls.append(call)
        previous = tool
    ending = draw.pick((".", ".", "?")) if query.startswith(("Can ", "Could ")) else "."
    return Request(query + ending, tuple(calls))


def _draw_call(draw: Draw, tool: Tool, allowed: Callable[[Call], bool]) -> tuple[list[str], Call] | None:
    for _ in range(ATTEMPTS):
        kinds = [kind for kind in tool.names if kind not in tool.optional or draw.random.random() < 0.5]
        said = {kind: say(draw, kind) for kind in kinds}
        call = Call(tool.name, {tool.names[kind]: said[kind].value for kind in kinds})
        if allowed(call):
            phrases = [said[kind].phrase for kind in kinds]
            draw.random.shuffle(phrases)
            return phrases, call
    return None
