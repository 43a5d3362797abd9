"""Read an answer as a model really writes it, without ever evaluating it.

The paper's form is `[name(parameter=value, …), …]` (Fig. 5). Names may hold spaces, dots, hyphens and parentheses, as the
ToolACE data set's do: `[User Feed (Video Posts) V2(user="x")]`. Values are Python or JSON literals. One pass, no
backtracking; recursion is bounded by `Limits.depth`.
"""

from __future__ import annotations

import re

from toolcalls.answers import Answer, Call, Calls, ParseFailure, Text
from toolcalls.dialects import named
from toolcalls.limits import LIMITS, Limits
from toolcalls.literals import Reader, Unreadable

__all__ = ["LIMITS", "Limits", "parse"]

_CALL_LIKE = re.compile(
    r"\(\s*[\w.$@\[\]-]{1,128}\s*=(?!=)"  # f(a=
    r"|\[\s*[^\W\d][\w.-]{0,128}\("  # [f(
    r"|\A\s*\[[^\[\]\n]{0,256}\("  # [f g (
    r"|\A\s*[^\W\d][\w.-]*\([^()\n]*\)\s*\Z"  # f() alone
    r"|<tool_?call|<function_?call"
    r"|\"(?:name|function)\"\s*:[^{}\[\]]{0,512}\"(?:arguments|parameters)\"\s*:",
    re.IGNORECASE,
)


def parse(text: str, *, limits: Limits = LIMITS) -> Answer:
    """Read an answer: `Calls`, `Text` when nothing in it looks like a call, else `ParseFailure`. Never raises.

    A list of calls must be the whole answer but for outer space; a call-like span within prose is a ParseFailure, and so is
    any other list. `[]` calls nothing and is Text. So is the empty text, but that is no no-call (see `selection.judge`).
    """
    if len(text) > limits.length:
        return ParseFailure(f"longer than {limits.length} characters", limits.length)
    found = _CALL_LIKE.search(text)
    if found is None and not _is_calls_start(text):
        return Text(text)
    if not text.lstrip().startswith("["):
        return ParseFailure("calls must stand alone, in square brackets", found.start() if found else 0)
    try:
        return Calls(tuple(_paper(Reader(text, limits))), "paper")
    except Unreadable as failure:
        return ParseFailure(str(failure), failure.position)


def _is_calls_start(text: str) -> bool:
    """Whether the text begins like a list of calls: `[` and no end, or nothing after it, or a parenthesis before it."""
    body = text.strip()
    inside, closed, after = body[1:].partition("]")
    return body.startswith("[") and (not closed or "(" in inside or bool(inside.strip() and not after))


def _paper(reader: Reader) -> list[Call]:
    reader.skip_space()
    calls = named("paper").read(reader)
    reader.skip_space()
    if not reader.at_end():
        raise reader.unreadable("text after the calls")
    return calls
