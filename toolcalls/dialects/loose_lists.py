"""Calls in code as models really write them: in lists that lack something, on lines, after each other."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import Final

from toolcalls.answers import Call, Json
from toolcalls.dialects.call_arguments import open_arguments, read_argument
from toolcalls.dialects.call_names import ARGUMENTS, read_name_loosely
from toolcalls.expressions import LooseReader
from toolcalls.literals import Reader
from toolcalls.plain_lists import Stop, stride

_WORDS = r"(?:[A-Z][\w.&/-]*+ (?:[A-Z0-9(][\w.&/-]*+\)? ){0,11}(?=[A-Z0-9(]))"  # before the last word of a title
_NAMED = r"\(\s*[\w.$@\[\]-]{1,128}\s*=(?!=)"  # arguments that begin with a plain parameter's name
_REMARK = r"\s*+[^\s\](=]++\s++[^\s\](=][^\](=]*+(?<=\w )\([^()=\"'\]]+\)[^\](=]*\]\s*\Z"  # [No tool helps (no city)]
BEGINS: Final = re.compile(
    r"\A\[(?!\s*\{)(?:[^\]]*\Z|(?!" + _REMARK + r")[^\](（]*[(（])"  # a list that is the answer, or was to be
    r"|\[\s*[^\W\d][\w.-]*+\("  # [f(
    rf"|\[(?=[^\[\]{{}}\n\"'=]{{0,256}}{ARGUMENTS})"  # [f g(a=
    rf"|(?<![\w.-])(?<!def )[\w.-]++{_NAMED}"  # f(a=
    rf"|(?m:^){_WORDS}[\w.-]*+{_NAMED}"  # F G(a=
    rf"|(?m:^|(?<=^\())[\w.-]++[ \t]++{_NAMED}"  # f (a=
    r"|(?m:^|(?<=^\()|(?<=^`)|(?<=^``)|(?<=^```))[\w.-]++\((?=[^\n]*+(?<=[)\];,`]))"  # f(…) on a line
)
_NAMED_ARGUMENTS: Final = re.compile(_NAMED)
_NEXT: Final = re.compile(r"[\w.-]++\(")
_NEXT_SPACED: Final = re.compile(rf"{_WORDS}?[\w.-]++ ?{_NAMED}")
_NAMES_ONLY: Final = re.compile(r"\[\s*[^\W\d][\w.-]*+\s*[,\]]")
_TITLE: Final = re.compile(rf"{_WORDS}?[\w.-]++(?=[ \t]*+\()")
_BETWEEN: Final = re.compile(r"[\s,;]*(?:(?:[-*•]|[0-9]{1,3}[.)])[ \t]+)?")
_CHAINED: Final = re.compile(r"\s*\.[\w.]+\(")
_LINE_END: Final = re.compile(r"[ \t`)\],;.]*+(?:\Z|[\n<#])")
_LIST_LOST: Final = re.compile(r"\s*(?:\Z|`|<[|/a-z])|[ \t]*\n")
_LIST_END: Final = re.compile(r"\s*(?:\]|\Z)")


def read_loosely(reader: LooseReader) -> list[Call]:
    """Read every list and every call outside of one up to where words follow."""
    calls: list[Call] = []
    while True:
        if reader.text.startswith("[", reader.position):
            calls += _list(reader)
        else:
            calls.append(_bare(reader))
        if not _to_next(reader):
            return calls


def _to_next(reader: Reader) -> bool:
    """Move to the call or the list that follows with space, a comma, a semicolon or a list's mark between, if there is one."""
    if reader.at_end():
        return False
    between = _BETWEEN.match(reader.text, reader.position)
    assert between is not None  # the pattern matches everywhere
    found = BEGINS.match(reader.text, between.end())
    if found is None and ("," in between[0] or ";" in between[0]):
        found = _NEXT.match(reader.text, between.end()) or _NEXT_SPACED.match(reader.text, between.end())
    if found is None and _NAMES_ONLY.match(reader.text, between.end()) and reader.text[reader.position - 1] == "]":
        reader.position = between.end()
        raise reader.unreadable("a call without arguments in parentheses")
    if found is None or (found[0][0] != "[" and not {",", ";", "\n"} & {*between[0]}):
        return False
    if found[0][0] == "[":
        reader.tolerate("several lists")
    reader.position = between.end()
    return True


def _call(reader: LooseReader, name: str) -> Call:
    """Read the arguments of a call outside of a list."""
    _count(reader)
    arguments: dict[str, Json] = {}
    open_arguments(reader)
    while True:
        if reader.may_stride():
            stop = stride(reader.text, reader.position, [], arguments, 0, alone=True)
            reader.position = stop.position
            if stop.closed:
                break
        if not read_argument(reader, arguments):
            break
    return Call(name, arguments)


def _count(reader: Reader) -> None:
    if reader.count == reader.limits.calls:
        raise reader.limited(f"more than {reader.limits.calls} calls")
    reader.count += 1


def _list(reader: LooseReader) -> list[Call]:
    """Read a list of calls that may hold lists itself, end in a comma or lack its end."""
    calls: list[Call] = []
    opened, after = 0, False  # after a call or a list, where only a comma or an end may stand
    while True:
        before = reader.position
        reader.skip_space()
        if not after and reader.accept("["):
            opened += 1
            if opened > reader.limits.depth:
                raise reader.limited("lists nested too deep")
            if opened > 1:
                reader.tolerate("extra bracket")
            after, closed = _strides(reader, calls)
            opened -= closed
        elif reader.accept("]"):
            opened, after = opened - 1, True
        elif after and reader.accept(")"):
            reader.tolerate("extra bracket")
        elif after and reader.accept(","):
            after = False
            if _LIST_END.match(reader.text, reader.position):
                reader.tolerate("trailing comma")
        elif calls and _is_lost(reader, before, after):
            reader.tolerate("missing bracket")
            reader.position = before
            return calls
        else:
            if after:
                _expect_new_line(reader, before)
            arguments: dict[str, Json] = {}
            name = read_name_loosely(reader)
            _count(reader)
            open_arguments(reader)
            calls.append(Call(name, arguments))
            after, closed = _strides(reader, calls, arguments)
            opened -= closed
        if not opened:
            return calls


def _strides(reader: LooseReader, calls: list[Call], arguments: dict[str, Json] | None = None) -> tuple[bool, bool]:
    """Go on from a call or from an argument to a place between calls that needs a closer look.

    Whether that is right behind a call or the list, and whether it is behind the list.
    """
    while True:
        if reader.may_stride():
            before = len(calls)
            stop = _next_stop(reader, calls, arguments)
            reader.count += len(calls) - before
            reader.position, arguments = min(stop.position, len(reader.text)), stop.arguments
            if arguments is None:
                return stop.after or stop.closed, stop.closed
        elif arguments is None:
            return False, False
        if not read_argument(reader, arguments):
            return True, False


def _next_stop(reader: LooseReader, calls: list[Call], arguments: dict[str, Json] | None) -> Stop:
    most = reader.limits.calls - reader.count
    ahead, reader.ahead = reader.ahead, None
    if ahead and ahead.start == reader.position and len(ahead.calls) <= most:
        calls += ahead.calls
        return ahead.stop
    return stride(reader.text, reader.position, calls, arguments, len(calls) + most)


def _is_lost(reader: Reader, before: int, after: bool) -> bool:
    """Whether a list ends here without its bracket: where the text does, after a call also at a mark or before other words."""
    if not after:
        return reader.at_end()
    return bool(_LIST_LOST.match(reader.text, before)) and not _NEXT.match(reader.text, reader.position)


def _expect_new_line(reader: Reader, before: int) -> None:
    """Look past a comma in whose place a new line stands."""
    if "\n" not in reader.text[before : reader.position]:
        reader.expect("]")
    reader.tolerate("missing comma")


def _bare(reader: LooseReader) -> Call:
    """Read a call outside of a list; one whose arguments have no names must be the last thing on its line, or before others."""
    found = _TITLE.match(reader.text, reader.position)
    if found is None:
        raise reader.unreadable("a call without a tool's name")
    if iskeyword(found[0]):
        raise reader.limited("code, not calls")
    reader.position = found.end()
    reader.skip_space()
    reader.tolerate("no brackets")
    named = _NAMED_ARGUMENTS.match(reader.text, reader.position)
    call = _call(reader, found[0])
    if _CHAINED.match(reader.text, reader.position):
        raise reader.limited("a call on what another gives")
    if not named and not _LINE_END.match(reader.text, reader.position):
        following = _BETWEEN.match(reader.text, reader.position)
        if not following or not _NEXT.match(reader.text, following.end()):
            raise reader.unreadable("words after a call without brackets")
    if reader.accept("]"):
        reader.tolerate("missing bracket")
    return call
