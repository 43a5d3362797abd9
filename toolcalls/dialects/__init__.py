"""The ways of writing calls that Whetstone reads and writes, one file each."""

from __future__ import annotations

import functools
from typing import Final

from toolcalls.dialects import (
    bare_json,
    bfcl_fc,
    deepseek,
    functionary,
    gemma,
    glaive,
    glm,
    harmony,
    hermes,
    invoke,
    kimi,
    llama3,
    mistral,
    openai,
    paper,
    qwen,
    qwen2,
    react,
    strings,
    toolrl,
    when2call,
)
from toolcalls.dialects.dialect import Dialect

# In the order in which those that begin at one place are tried.
DIALECTS: Final[tuple[Dialect, ...]] = (
    when2call.DIALECT,
    qwen.DIALECT,
    glm.DIALECT,
    toolrl.DIALECT,
    hermes.DIALECT,
    functionary.DIALECT,
    qwen2.DIALECT,
    glaive.DIALECT,
    llama3.DIALECT,
    mistral.DIALECT,
    deepseek.DIALECT,
    kimi.DIALECT,
    invoke.DIALECT,
    harmony.DIALECT,
    react.DIALECT,
    gemma.DIALECT,
    openai.DIALECT,
    bare_json.DIALECT,
    paper.DIALECT,
    strings.DIALECT,
    bfcl_fc.DIALECT,
)

QUICK: Final = tuple((dialect.name, dialect.quick) for dialect in DIALECTS if dialect.quick)
_NEEDS: Final = tuple({dialect.needs: None for dialect in DIALECTS if not dialect.needs.startswith("<")})
_TAGS: Final = tuple({dialect.needs: None for dialect in DIALECTS if dialect.needs.startswith("<")})


def dialects_of(text: str) -> tuple[Dialect, ...]:
    """The dialects whose calls may stand in a text, in their order."""
    needs = [need for need in _NEEDS if need in text]
    if "<" in text:
        needs += [need for need in _TAGS if need in text]
    if text.startswith("[") and "(" not in needs and ("]" not in text or "（" in text):
        needs.append("(")  # a list of the paper's that was cut off, or has the parenthesis of another script
    return _with(tuple(needs))


@functools.cache
def _with(needs: tuple[str, ...]) -> tuple[Dialect, ...]:
    return tuple(dialect for dialect in DIALECTS if dialect.needs in needs)


def named(form: str) -> Dialect:
    """The dialect of that name; raises ValueError for an unknown one."""
    try:
        return _BY_NAME[form]
    except KeyError:
        raise ValueError(f"unknown call form {form!r}; known: {', '.join(map(repr, _BY_NAME))}") from None


_BY_NAME: Final = {dialect.name: dialect for dialect in DIALECTS}
