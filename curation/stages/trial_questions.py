"""What a trial asks: messages, tools and other information, as a sample without a truth; within limits, and as it can be kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from curation.models import Project, SampleVersion
from curation.stages.copying import json_text, storable
from curation.stages.errors import InputError
from toolcalls.importing import check_asked
from toolcalls.records import Message, Sample
from toolcalls.wire import message_from_json, sample_from_json, to_json

LONGEST_TEXT = 100_000  # characters of all messages and the system text together
LONGEST_TOOLS = 200_000  # characters of the tools as JSON
MOST_TOOLS, MOST_MESSAGES = 256, 100
TITLE = 160  # characters
KEPT = ("tools", "messages", "other", "system")  # fields of a Sample that a row holds


def question(
    messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = (), other: str = "", system: str | None = None
) -> Sample:
    """Raises InputError, saying what to do, for what no model could be shown, or is longer than a trial may be."""
    length = sum(len(message.content) for message in messages) + len(other) + len(system or "")
    if not any(message.content.strip() for message in messages[-1:]):
        raise InputError("write a message: there is nothing to answer")
    if length > LONGEST_TEXT or len(messages) > MOST_MESSAGES:
        raise InputError(f"at most {MOST_MESSAGES} messages of {LONGEST_TEXT:,} characters can be tried; these have {length:,}")
    if len(tools) > MOST_TOOLS or len(json.dumps(tools, ensure_ascii=False)) > LONGEST_TOOLS:
        raise InputError(f"at most {MOST_TOOLS} tools of {LONGEST_TOOLS:,} characters as JSON can be tried; leave some out")
    said = tuple(Message(storable(message.role), storable(message.content)) for message in messages)
    plain = tuple(json.loads(json_text(tool)) for tool in tools)
    asked = Sample("trial", plain, said, None, other=storable(other), system=None if system is None else storable(system))
    check_asked(asked)
    return asked


def typed_question(conversation: str, message: str, tools: str, other: str, version: SampleVersion | None) -> Sample:
    """What a form says: the last message, and before it a JSON list of messages; tools as a JSON list, or one tool.

    A browser writes every end of a line its own way: what is otherwise a version's question is that question.
    """
    before = _messages(_json(conversation, "the earlier turns"))
    last = Message("user", _lines(message))
    own = None if version is None else sample_of(version)
    if own is not None and own.messages:
        last = replace(last, role=own.messages[-1].role)
    given = question((*before, last), _tools(_json(tools, "the tools")), _lines(other), None if own is None else own.system)
    if own is not None and _normal(given) == _normal(own):
        return _bare(own)
    return given


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text) if text.strip() else []
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} are not JSON: {error}; paste a list, [ … ]") from error


def _messages(value: Any) -> tuple[Message, ...]:
    if not isinstance(value, list):
        raise InputError('the earlier turns must be a JSON list of {"role": …, "content": …}')
    return tuple(message_from_json(one, f"earlier turn {number}") for number, one in enumerate(value, 1))


def _tools(value: Any) -> list[dict[str, Any]]:
    tools = [value] if isinstance(value, dict) else value
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise InputError('the tools must be a JSON list of objects, [{"name": …, "parameters": …}, …]')
    return tools


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _normal(asked: Sample) -> dict[str, Any]:
    """For comparing two questions."""
    bare = question_json(asked)
    messages = [{**message, "content": _lines(message["content"])} for message in bare["messages"]]
    return {**bare, "messages": messages, "other": _lines(bare["other"])}


def title_of(asked: Sample) -> str:
    """The message on one line, for lists."""
    words = " ".join(asked.messages[-1].content[: 4 * TITLE].split())
    return words if len(words) <= TITLE else f"{words[: TITLE - 1]}…"


def question_json(asked: Sample) -> dict[str, Any]:
    """For the row."""
    whole = to_json(asked)
    return {name: whole[name] for name in KEPT}


def question_of(kept: Mapping[str, Any]) -> Sample:
    """The inverse of question_json."""
    return sample_from_json({"id": "trial", "truth": None, **kept}, "the question")


def sample_of(version: SampleVersion) -> Sample:
    """With its truth."""
    return sample_from_json({**version.content, "id": "trial"}, f"sample version {version.pk}")


def asked_by(version: SampleVersion) -> Sample:
    """The question alone. Raises InputError for one that is longer than a trial may be."""
    own = sample_of(version)
    question(own.messages, own.tools, own.other, own.system)
    return _bare(own)


def _bare(own: Sample) -> Sample:
    return Sample("trial", own.tools, own.messages, None, other=own.other, system=own.system)


def newest_version(project: Project, sample: int) -> SampleVersion:
    """Of a sample of the project's data. Raises InputError when there is none."""
    found = SampleVersion.objects.filter(sample=sample, sample__dataset__project=project).order_by("-number")
    version = found.select_related("sample").first()
    if version is None:
        raise InputError(f"{project} has no sample {sample}; choose another")
    return version


def is_of(asked: Sample, version: SampleVersion) -> bool:
    """Whether a version's truth is the truth of this question."""
    return question_json(asked) == question_json(sample_of(version))
