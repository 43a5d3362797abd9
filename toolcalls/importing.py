"""Read samples from files of several formats; a row that cannot be used becomes a RowError, never an exception."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from json.encoder import encode_basestring, encode_basestring_ascii  # one text as JSON, by far the fastest way
from typing import Any, NamedTuple

from toolcalls.answers import Call, Calls, ParseFailure
from toolcalls.conversations import Conversation
from toolcalls.errors import InputError
from toolcalls.formats import OWN, READERS, recognised
from toolcalls.formats.whetstone import from_whetstone
from toolcalls.parsing import parse
from toolcalls.records import Message, Sample, Split
from toolcalls.rendering import render, surely_survives
from toolcalls.rows import Row, Source, read_rows
from toolcalls.schema import tool_name

FORMATS = (OWN, *READERS)
_NO_TEXT = ("images", "videos", "audios")
LONGEST = 1000  # turns of one row, each of which shows all before it
_HAN = re.compile(r"[\u4e00-\u9fff]")
_ROLES = {"user", "assistant", "tool"}
_WORD = re.compile(r"\w+")
_SPACED = bytes(ord(chr(byte).lower()) if chr(byte).isalnum() or byte == 95 else 32 for byte in range(128)) + bytes(128)
_ASCII = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_NOTHING_AROUND = '"other":"","system":null'
_READABLE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


@dataclass(frozen=True, slots=True)
class RowError:
    """A row, or a turn of one, that was left out: the line it begins on (from 1), what is wrong and what to do."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


def read_samples(lines: Source, format: str = "auto", name: str = "") -> Iterator[Sample | RowError]:  # noqa: A002
    """Yield the samples of a JSON array or of JSON lines, as text, bytes, or an iterable of lines such as an open file.

    `format` is one of FORMATS, or "auto": each row is recognised by its fields. Of a conversation each assistant turn is
    one sample with the turns before it as context; its id is `name:row.turn`, both from 1. Raises InputError for an
    unknown format.
    """
    if format not in ("auto", *FORMATS):
        raise InputError(f"unknown format {format!r}; known are auto, {', '.join(FORMATS)}")
    seen: dict[str, int] = {}
    given = f"{name or 'row'}:"
    for number, row in enumerate(read_rows(lines), 1):
        for found in _row_samples(row, format, f"{given}{number}"):
            if isinstance(found, Sample) and (first := seen.setdefault(found.id, number)) != number:
                yield RowError(row.line, f"id {found.id!r} was given before, by row {first}; make the ids unique")
            else:
                yield found


def _row_samples(row: Row, kind: str, identity: str) -> Iterator[Sample | RowError]:
    """The samples of one row, and an error for each turn that cannot be one."""
    try:
        if row.problem:
            raise InputError(row.problem)
        if not isinstance(row.value, dict):
            raise InputError(f"an object expected, not {type(row.value).__name__}")
        kind = recognised(row.value) if kind == "auto" else kind
        if kind == OWN:
            yield _checked(_filled_in(from_whetstone(row.value)))
            return
        conversation = _conversation(row.value, kind)
    except InputError as error:
        yield RowError(row.line, str(error))
        return
    answered = False
    for turn, said in enumerate(conversation.turns):
        if said.role == "assistant" and said.trained:
            answered = True
            try:
                yield _checked(_turn_sample(conversation, turn, identity))
            except InputError as error:
                yield RowError(row.line, f"turn {turn + 1}: {error}")
    if not answered:
        yield RowError(row.line, "no turn of the assistant that is to be learnt; add one or remove the row")


def _conversation(row: dict[str, Any], kind: str) -> Conversation:
    """The row as a conversation. Raises InputError when it is none, holds more than text, or goes on for too long."""
    for name in _NO_TEXT:
        if row.get(name):
            raise InputError(f"field {name!r} is given, and only text is read; leave such rows out")
    conversation = READERS[kind](row)
    if len(conversation.turns) > LONGEST:
        raise InputError(f"a conversation of more than {LONGEST} turns; cut it into shorter ones")
    return conversation


def _turn_sample(conversation: Conversation, turn: int, identity: str) -> Sample:
    """The sample whose truth is one assistant turn."""
    said = conversation.turns[turn]
    if said.problem:
        raise InputError(f"the assistant's turn {said.problem}; correct it or remove the turn")
    before = conversation.turns[:turn]
    messages = tuple([Message(each.role, each.content) for each in before])
    return Sample(
        id=conversation.id or f"{identity}.{turn + 1}",
        tools=conversation.tools,
        messages=messages,
        truth=said.calls,
        truth_text=said.truth_text,
        other=conversation.other,
        system=conversation.system,
        category=_category(said.calls, conversation.tools),
        language=_language(messages),
    )


def check_asked(sample: Sample) -> list[str]:
    """The tools' names. Raises InputError, saying what to do, when the sample could not be shown to a model."""
    if not sample.messages or sample.messages[-1].role == "assistant":
        raise InputError("no user or tool turn stands before the answer; a sample's messages must end with one")
    if not _ROLES.issuperset([message.role for message in sample.messages]):
        bad = sorted({message.role for message in sample.messages} - _ROLES)
        raise InputError(f"role {bad[0]!r} in the messages; allowed are user, assistant and tool")
    names = [tool_name(tool) for tool in sample.tools]
    if not all(names):
        raise InputError(f"tools[{names.index('')}]: field 'name' is missing; every tool needs a name")
    return names


def _checked(sample: Sample) -> Sample:
    """Raise InputError, saying what to do, when the sample could never be hit or could not be shown to a model."""
    names = check_asked(sample)
    if sample.truth is None:
        if not (sample.truth_text or "").strip():
            raise InputError("neither calls nor a text as the truth; give 'truth' or 'truth_text'")
        return sample
    for call in sample.truth:
        if call.name not in names:
            listed = ", ".join(sorted(names)) or "none"
            raise InputError(
                f"the truth calls the unknown tool {call.name!r} (known: {listed}); add the tool or correct the call"
            )
    _check_written(sample.truth)
    return sample


def _check_written(truth: tuple[Call, ...]) -> None:
    """The truth must survive the call form, or no model could ever give it."""
    if surely_survives(truth):
        return
    try:
        back = parse(render(truth))
        why = back.reason if isinstance(back, ParseFailure) else "it reads back differently"
    except ValueError as error:
        back, why = None, str(error)
    if back != Calls(truth, "paper"):
        raise InputError(f"the truth cannot be written in the call form ({why}); rename or shorten what stands there")


def _filled_in(sample: Sample) -> Sample:
    """Category and language where the source names none."""
    if sample.category and sample.language:
        return sample
    return replace(
        sample, category=sample.category or category_of(sample), language=sample.language or _language(sample.messages)
    )


def category_of(sample: Sample) -> str:
    """no_call, or simple, multiple, parallel, parallel_multiple as BFCL names them: by calls, and candidate tools."""
    return _category(sample.truth, sample.tools)


def _category(truth: tuple[Call, ...] | None, tools: Sequence[object]) -> str:
    if truth is None:
        return "no_call"
    if len(truth) == 1:
        return "simple" if len(tools) <= 1 else "multiple"
    return "parallel" if len(tools) <= 1 else "parallel_multiple"


def _language(messages: Sequence[Message]) -> str:
    query = _last_query(messages)
    return "zh" if not query.isascii() and _HAN.search(query) else ""


def _last_query(messages: Sequence[Message]) -> str:
    """The last thing the user said."""
    return next((message.content for message in reversed(messages) if message.role == "user"), "")


class ContentText(NamedTuple):
    """What a model is shown and asked for, as JSON without spaces; each part holds members of the object, without braces."""

    asked: str  # tools, messages
    truth: str  # truth, truth_text
    around: str  # other, system

    @property
    def whole(self) -> str:
        return f"{self.asked},{self.truth},{self.around}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(f"{{{self.whole}}}".encode()).hexdigest()

    @property
    def question_sha256(self) -> str:
        """The hash of all but the truth."""
        return hashlib.sha256(f"{self.asked},{self.around}".encode()).hexdigest()


def content_text(sample: Sample, *, ascii_only: bool = True) -> ContentText:
    """All fields but id, split, category and language."""
    encode, quoted = (_ASCII, encode_basestring_ascii) if ascii_only else (_READABLE, encode_basestring)
    messages = [f'{{"role":{quoted(message.role)},"content":{quoted(message.content)}}}' for message in sample.messages]
    calls = sample.truth and [{"name": call.name, "arguments": call.arguments} for call in sample.truth]
    text = "null" if sample.truth_text is None else quoted(sample.truth_text)
    plain = not sample.other and sample.system is None
    return ContentText(
        f'"tools":{encode(sample.tools)},"messages":[{",".join(messages)}]',
        f'"truth":{encode(calls)},"truth_text":{text}',
        _NOTHING_AROUND if plain else encode({"other": sample.other, "system": sample.system})[1:-1],
    )


def sample_hash(sample: Sample) -> str:
    """sha256, hex, of what a model is shown and asked for: all fields but id, split, category and language."""
    return content_text(sample).sha256


def split_of(sample: Sample, heldout_share: float) -> Split:
    """Held out or not, by the hash of the conversation's opening query and the tools' names.

    The opening query, so that all turns of a conversation, and all copies of it, fall on one side. Case, punctuation,
    space and the order of the tools make no difference. `heldout_share`: fraction 0–1.
    """
    opening = next((message.content for message in sample.messages if message.role == "user"), "")
    names = json.dumps(sorted({tool_name(tool) for tool in sample.tools}))
    if opening.isascii():  # its words are JSON as they are
        words = '", "'.join(opening.encode().translate(_SPACED).decode().split())
        key = f'[["{words}"], {names}]' if words else f"[[], {names}]"
    else:
        key = f"[{json.dumps(_WORD.findall(unicodedata.normalize('NFKC', opening).casefold()))}, {names}]"
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
    return "heldout" if place < heldout_share else "train"


def only_samples(found: Iterable[Sample | RowError]) -> list[Sample]:
    """All samples, or InputError naming the first rows that cannot be used and how many there are."""
    kept: list[Sample] = []
    errors: list[RowError] = []
    for each in found:
        kept.append(each) if isinstance(each, Sample) else errors.append(each)
    if errors:
        more = f" (and {len(errors) - 5} more)" if len(errors) > 5 else ""
        raise InputError("; ".join(map(str, errors[:5])) + more)
    return kept
