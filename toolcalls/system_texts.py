"""Take a ToolACE system text apart: the paper's instructions, the tools, and what else it says."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from toolcalls.answers import Json
from toolcalls.errors import InputError
from toolcalls.rows import decoded_at
from toolcalls.schema import tool_name

_LIST_START = re.compile(r"\[\s*(?=\{)")
_MARKER = re.compile(r"that you can invoke:?\s*", re.IGNORECASE)
_FORMAT = re.compile(r"\[func\w*\(.{0,200}?func\w*\(params\)\]", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n+")
_TRIES = 16  # places where a list of tools may begin
_COMMON = 4096  # characters of a text around the tools that is likely to come again, and worth remembering

_INSTRUCTIONS = """\
you are an expert in composing functions
you are given a question and a set of possible functions
based on the question, you will need to make one or more function/tool calls to achieve the purpose
if none of the function can be used, point it out
if none of the functions can be used, point it out
if the given question lacks the parameters required by the function, also point it out
you should only return the function call in tools call sections
you should only return the tool call in tools call sections
you should only return the function calls in your response
here is a list of functions in json format that you can invoke
should you decide to return the function call(s)
if you decide to invoke any of the function(s), you must put it in the format of
put it in the format of
no other text must be included
you should not include any other text in the response""".splitlines()


class SystemText(NamedTuple):
    """`other` is what is neither instruction nor tools, e.g. the current time. `understood`: only such lines are in it."""

    tools: tuple[dict[str, Json], ...]
    other: str
    understood: bool


def take_apart(text: str) -> SystemText:
    """Find the tools, a JSON list anywhere in the text, and drop the sentences that Fig. 5 and its kin say themselves.

    Raises InputError when there is no list of tools.
    """
    tools, start, end = _tools(text)
    before, after = text[:start], text[end:]
    if len(before) + len(after) > _COMMON:
        return SystemText(tools, *_rest(before, after))
    return SystemText(tools, *_common_rest(before, after))


def _rest(before: str, after: str) -> tuple[str, bool]:
    """What the text around the tools says that no instruction says, and whether that is understood."""
    rest = _FORMAT.sub("\n", before + "\n" + re.sub(r"\A\s*\.", "", after))
    rest = re.sub(r"(?<=[,(\w])\n(?=[a-z])", " ", rest)  # an instruction broken across two lines
    kept = [piece.strip() for piece in _SENTENCE.split(rest) if _words(piece) and _words(piece) not in _INSTRUCTIONS]
    understood = all(re.search(r"\b(time|date|today|now|location|timezone)\b", piece, re.IGNORECASE) for piece in kept)
    return "\n".join(kept), understood


_common_rest = functools.lru_cache(256)(_rest)


def _words(sentence: str) -> str:
    return " ".join(sentence.split()).strip(" .:;!").lower()


def _tools(text: str) -> tuple[tuple[dict[str, Json], ...], int, int]:
    """The tools and where their list begins and ends."""
    for found, _ in zip(_LIST_START.finditer(text), range(_TRIES), strict=False):
        try:
            value, end = decoded_at(text, found.start())
        except InputError:
            raise
        except (ValueError, RecursionError):
            continue
        if all(isinstance(tool, dict) and tool_name(tool) for tool in value):
            return tuple(value), found.start(), end
    marker = _MARKER.search(text)
    if marker and (empty := re.compile(r"\[\s*\]").match(text, marker.end())):
        return (), empty.start(), empty.end()
    raise InputError('the system text holds no JSON list of tools; put the tools there as [{"name": …, "parameters": …}, …]')
