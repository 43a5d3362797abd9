"""The words by which a sample is found, and those of a query: the same rule for both, for every script.

Text is folded (NFKC, case), then cut into runs of letters and digits. Scripts that put no space between words (Chinese,
Japanese, Thai) are cut into pairs of neighbouring characters; a query of one such character matches by prefix.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator

from toolcalls.records import Sample

LONGEST = 64  # characters of a word that count
MOST = 2000  # different words of a sample that are kept
# Han, kana, Thai, Lao, Khmer, Myanmar: no space between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")
_ASCII = re.compile(rf"([a-z0-9]{{1,{LONGEST}}})[a-z0-9]*")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def words(text: str) -> list[str]:
    """The words of a text in their order, repeated ones again."""
    if text.isascii():
        return _ASCII.findall(text.lower())
    found: list[str] = []
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _IS_UNSPACED.match(run):
            found += (run[place : place + 2] for place in range(max(1, len(run) - 1)))
        else:
            found.append(run[:LONGEST])
    return found


def sample_words(sample: Sample, key: str | None = None) -> set[str]:
    """What a sample is found by: its id (or the key that it is stored under), what was said, its truth's tools and values."""
    texts = [sample.id if key is None else key, *(message.content for message in sample.messages), *_truth_texts(sample)]
    found = words("\n".join(texts))
    different = set(found)
    return different if len(different) <= MOST else set(itertools.islice(dict.fromkeys(found), MOST))


def _truth_texts(sample: Sample) -> Iterator[str]:
    if sample.truth is None:
        yield sample.truth_text or ""
        return
    for call in sample.truth:
        yield call.name
        yield from _strings(call.arguments)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def query_words(query: str) -> tuple[tuple[str, ...], str | None]:
    """The words that must all be there, and the last one where it is a beginning (what is being typed), else None."""
    found = list(dict.fromkeys(words(query)))
    if not found:
        return (), None
    last = found[-1]
    unfinished = not query[-1:].isspace() and (not _IS_UNSPACED.match(last) or len(last) == 1)
    return (tuple(found[:-1]), last) if unfinished else (tuple(found), None)
