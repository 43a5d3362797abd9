"""Read an answer as a model really writes it, without ever evaluating it.

The paper's form is `[name(parameter=value, …), …]` (Fig. 5). Names may hold spaces, dots, hyphens and parentheses, as the
ToolACE data set's do: `[User Feed (Video Posts) V2(user="x")]`. Values are Python or JSON literals. One pass, no
backtracking; recursion is bounded by `Limits.depth`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolcalls.answers import Answer, Call, Calls, Json, ParseFailure, Text
from toolcalls.literals import Reader, Unreadable


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before any work is spent on it."""

    length: int = 65_536  # characters of an answer
    depth: int = 32  # nested lists and dicts in one value
    digits: int = 64  # digits of one number
    calls: int = 512  # calls of one answer
    name: int = 256  # characters of a tool's or parameter's name


LIMITS = Limits()

_PARAMETER = r"[^\s=(),\"'{}][^=(),\"'{}\n]*"
_ARGUMENTS = re.compile(rf"\(\s*(?:{_PARAMETER}=(?!=)|\)\s*(?:[,\]]|$))")
_NAME_STOP = re.compile(r"[(),\[\]{}=\"\n]")
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
        return Calls(tuple(_calls(Reader(text, limits.depth, limits.digits), limits)), "paper")
    except Unreadable as failure:
        return ParseFailure(str(failure), failure.position)


def _is_calls_start(text: str) -> bool:
    """Whether the text begins like a list of calls: `[` and no end, or nothing after it, or a parenthesis before it."""
    body = text.strip()
    inside, closed, after = body[1:].partition("]")
    return body.startswith("[") and (not closed or "(" in inside or bool(inside.strip() and not after))


def _calls(reader: Reader, limits: Limits) -> list[Call]:
    """Read `[call, call, …]` up to the end of the text."""
    reader.skip_space()
    reader.expect("[")
    calls: list[Call] = []
    reader.skip_space()
    while not reader.accept("]"):
        if len(calls) == limits.calls:
            raise reader.unreadable(f"more than {limits.calls} calls")
        calls.append(Call(_name(reader, limits), _arguments(reader, limits)))
        reader.skip_space()
        if not reader.accept(","):
            reader.expect("]")
            break
        reader.skip_space()
    reader.skip_space()
    if not reader.at_end():
        raise reader.unreadable("text after the calls")
    return calls


def _name(reader: Reader, limits: Limits) -> str:
    """Read a tool's name up to the parenthesis that opens its arguments.

    A parenthesis belongs to the name unless `parameter=` follows, or `)` and the end of the call.
    """
    start, depth = reader.position, 0
    plain = _PLAIN_NAME.match(reader.text, start)
    if plain and len(plain[0]) <= limits.name:
        reader.position = plain.end()
        return plain[0].rstrip()
    while stop := _NAME_STOP.search(reader.text, reader.position):
        reader.position = stop.start()
        if reader.position - start > limits.name:
            raise reader.unreadable(f"a tool's name of more than {limits.name} characters")
        mark = stop[0]
        if mark == "(" and _ARGUMENTS.match(reader.text, stop.start()):
            break
        if mark not in "()," or (mark == "," and depth == 0):
            raise reader.unreadable("a positional argument" if depth else f"{mark!r} before named arguments in parentheses")
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if depth < 0:
            raise reader.unreadable("a closing parenthesis without an opening one")
        reader.position += 1
    else:
        raise reader.unreadable("a call without arguments in parentheses")
    name = reader.text[start : reader.position].strip()
    if not name or depth or name[0] in "'\"":
        raise reader.unreadable("a call without a tool's name" if not name else "a tool's name that cannot be read")
    return name


def _arguments(reader: Reader, limits: Limits) -> dict[str, Json]:
    """Read `(parameter=value, …)`."""
    reader.expect("(")
    arguments: dict[str, Json] = {}
    reader.skip_space()
    while not reader.accept(")"):
        if limits is LIMITS and _read_plain(reader, arguments):
            continue
        name = reader.parameter(_PARAMETER_NAME, limits.name)
        if name in arguments:
            raise reader.unreadable(f"parameter {name!r} given twice")
        reader.skip_space()
        arguments[name] = reader.value()
        reader.skip_space()
        if not reader.accept(","):
            reader.expect(")")
            break
        reader.skip_space()
    return arguments


def _read_plain(reader: Reader, arguments: dict[str, Json]) -> bool:
    """Read one argument of a frequent shape at once, up to the next one or to `)`; of any other nothing is read."""
    found = _PLAIN.match(reader.text, reader.position)
    if found is None or found[1] in arguments:
        return False
    name, text, fraction, whole, word, texts = found.groups()
    if text is not None:
        arguments[name] = text
    elif whole is not None:
        arguments[name] = int(whole)
    elif fraction is not None:
        arguments[name] = float(fraction)
    else:
        arguments[name] = _TEXT.findall(texts) if texts is not None else word == "True"
    reader.position = found.end()
    return True


_PLAIN_NAME = re.compile(rf"[^\W\d][\w .-]*+(?={_ARGUMENTS.pattern})")
_CHARACTERS = r'[^"\\\0\ud800-\udfff]*'  # of a text that stands as it is
_TEXT = re.compile(f'"({_CHARACTERS})"')
_PLAIN = re.compile(
    r"([^\W\d][\w.-]{0,127})="
    rf'(?:"({_CHARACTERS})"|(-?(?:0|[1-9][0-9]{{0,17}})\.[0-9]{{1,17}})|(-?(?:0|[1-9][0-9]{{0,17}}))|(True|False)'
    rf'|\[("{_CHARACTERS}"(?:,\s*"{_CHARACTERS}")*)\])'
    r"(?:\s*,\s*|\s*(?=\)))"
)
_PARAMETER_NAME = re.compile(rf"({_PARAMETER})=(?!=)")
