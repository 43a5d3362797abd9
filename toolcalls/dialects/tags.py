"""Calls between marks of their own, block after block: `<tool_call>…</tool_call>`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from toolcalls.answers import Call
from toolcalls.dialects.carrying import uncarried
from toolcalls.literals import Reader


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark as its dialect writes it, and the pattern of what is tolerated in its place."""

    own: str
    like: re.Pattern[str]

    def stands(self, reader: Reader) -> bool:
        return self.like.match(reader.text, reader.position) is not None

    def pass_over(self, reader: Reader) -> None:
        """Move over the mark; raises Unreadable where it does not stand."""
        found = self.like.match(reader.text, reader.position)
        if found is None or found[0] == self.own:
            reader.expect(self.own)
            return
        reader.tolerate("another tag")
        reader.position = found.end()


def mark(own: str, like: str = "") -> Mark:
    return Mark(own, re.compile(like or re.escape(own), re.IGNORECASE))


def read_blocks(reader: Reader, opening: Mark, closing: Mark, body: Callable[[Reader], list[Call]]) -> list[Call]:
    """Read every block that follows with nothing but space between; a closing mark may be left out before the next block."""
    calls: list[Call] = []
    while True:
        opening.pass_over(reader)
        _look_past(reader, _FENCE, "fence")
        calls += body(reader)
        _look_past(reader, _STRAY, "stray mark")
        _look_past(reader, _FENCE, "fence")
        if opening.stands(reader):
            reader.tolerate("missing tag")
            continue
        closing.pass_over(reader)
        end = reader.position
        reader.skip_space()
        if not opening.stands(reader):
            reader.position = end
            return calls


def _look_past(reader: Reader, what: re.Pattern[str], said: str) -> None:
    """Move over space, and over what may stand there against the form."""
    reader.skip_space()
    if found := what.match(reader.text, reader.position):
        reader.tolerate(said)
        reader.position = found.end()
        reader.skip_space()


def unmarked(form: str, name: str) -> str:
    """The name, which stands between tags as it is; raises ValueError where `form` could not carry it."""
    if not name or _UNFIT.search(name) or name != name.strip():
        raise uncarried(f"the name {name!r}", form)
    return name


NAME = r"[^<>\n\0\ud800-\udfff]{1,1024}+"  # a name between tags, with the space around it
_FENCE: Final = re.compile(r"`{3,}\w*")
_STRAY: Final = re.compile(r"[}\]](?=\s*(?:</|```))")  # a bracket too many
_UNFIT: Final = re.compile(r"[<>\n]")
TOOL_CALL: Final = mark("<tool_call>", r"<tool_?calls?(?:\s[^<>\n]{0,128})?>")
TOOL_CALL_END: Final = mark("</tool_call>", r"</tool_?calls?>")
