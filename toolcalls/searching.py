"""The words by which a sample is found, and those of a query: the same rule for both, for every script.

Text is folded (NFKC, case), then cut into runs of letters and digits. Scripts that put no space between words (Chinese,
Japanese, Thai) are cut into pairs of neighbouring characters; a query of one such character matches by prefix.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable

from toolcalls.records import Sample

LONGEST = 64  # characters of a word that count
MOST = 2000  # different words of a sample that are kept
# Han, kana, Thai, Lao, Khmer, Myanmar: no space between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_ASCII = bytes(ord(chr(byte).lower()) if chr(byte).isalnum() else 32 for byte in range(128)) + bytes(128)  # else a space


def words(text: str) -> list[str]:
    """The words of a text in their order, repeated ones again."""
    if text.isascii():
        found = text.encode().translate(_ASCII).decode().split()
        return found if max(map(len, found), default=0) <= LONGEST else [word[:LONGEST] for word in found]
    found = []
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _IS_UNSPACED.match(run):
            found += (run[place : place + 2] for place in range(max(1, len(run) - 1)))
        else:
            found.append(run[:LONGEST])
    return found


def sample_words(sample: Sample, key: str | None = None) -> set[str]:
    """What a sample is found by: its id (or the key that it is stored under), what was said, its truth's tools and values."""
    return different_words(sample_text(sample, key))


def sample_text(sample: Sample, key: str | None = None) -> str:
    """The text whose words `sample_words` are."""
    texts = [sample.id if key is None else key, *[message.content for message in sample.messages]]
    if sample.truth is None:
        texts.append(sample.truth_text or "")
    for call in sample.truth or ():
        texts.append(call.name)
        _add_texts(texts, call.arguments.values())
    return "\n".join(texts)


def different_words(text: str) -> set[str]:
    """The first MOST different words of a text."""
    found = words(text)
    different = set(found)
    return different if len(different) <= MOST else set(itertools.islice(dict.fromkeys(found), MOST))


def _add_texts(texts: list[str], values: Iterable[object]) -> None:
    """Texts and numbers among the values, and within lists and objects."""
    for value in values:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            _add_texts(texts, value.values())
        elif isinstance(value, list | tuple):
            _add_texts(texts, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            texts.append(str(value))


def query_words(query: str) -> tuple[tuple[str, ...], str | None]:
    """The words that must all be there, and the last one where it is a beginning (what is being typed), else None."""
    found = list(dict.fromkeys(words(query)))
    if not found:
        return (), None
    last = found[-1]
    unfinished = not query[-1:].isspace() and (not _IS_UNSPACED.match(last) or len(last) == 1)
    return (tuple(found[:-1]), last) if unfinished else (tuple(found), None)
