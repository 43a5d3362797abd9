"""From messages to token ids: one encoding for sampling, refining, training and evaluation, and the loss mask of a row."""

from __future__ import annotations

import datetime
import hashlib
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import TemplateError

from toolcalls.errors import InputError
from toolcalls.records import Message, TrainingRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PINNED_DATE = datetime.date(2024, 7, 26)  # what Llama-3.1's own template falls back to; never today, or prompts would drift
_PROBE = "Quixotic-probe"
_accepted: dict[tuple[str, tuple[str, ...]], bool] = {}  # does this chat template print these roles? Found once by trying


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """One training row as the model sees it. Loss falls on `input_ids[label_start:]`: the target and its end token.

    `pieces` has one string per token; joined they are the row's text, the characters as they were written.
    """

    sample_id: str
    kind: Literal["direct", "refine"]
    input_ids: tuple[int, ...]
    label_start: int
    pieces: tuple[str, ...]

    @property
    def labels(self) -> tuple[int, ...]:
        """One label per token, -100 where no loss falls."""
        return (-100,) * self.label_start + self.input_ids[self.label_start :]


def prompt_ids(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> list[int]:
    """Token ids of a conversation up to where the assistant's answer begins. Raises InputError when the template refuses it."""
    return _tokenize(tokenizer, _prompt_text(tokenizer, messages))


def prompt_hash(ids: Sequence[int]) -> str:
    """sha256 of token ids, hex: each id as four bytes, little-endian."""
    words = array("I", ids)
    if sys.byteorder == "big":
        words.byteswap()
    return hashlib.sha256(words).hexdigest()


def end_token_ids(tokenizer: PreTrainedTokenizerBase, model_config: Any = None) -> tuple[int, ...]:
    """The tokens that end an answer; the first is what the chat template writes after an assistant's turn, and is trained.

    The others are the tokenizer's and the model's own end tokens. Raises InputError when there is none at all.
    """
    configured = getattr(model_config, "eos_token_id", None)
    others = configured if isinstance(configured, (list, tuple)) else [configured]
    suffix = _tokenize(tokenizer, _turn(tokenizer)[1])
    written = suffix[:1] if suffix and suffix[0] in tokenizer.added_tokens_decoder else []
    ends = dict.fromkeys(token for token in (*written, tokenizer.eos_token_id, *others) if token is not None)
    if not ends:
        raise InputError("This base has no end token: neither its chat template, its tokenizer nor its config names one.")
    return tuple(int(token) for token in ends)


def encode_row(tokenizer: PreTrainedTokenizerBase, row: TrainingRow) -> EncodedRow:
    """The prompt exactly as it is sampled, then the target (with the space some templates put before it) and its end token."""
    prompt = _prompt_text(tokenizer, row.messages)
    ids, pieces = _tokenize_with_pieces(tokenizer, prompt)
    start = len(ids)
    target = _turn(tokenizer)[0] + row.target
    whole, whole_pieces = _tokenize_with_pieces(tokenizer, prompt + target)
    if whole[:start] == ids:
        ids, pieces = whole, whole_pieces
    else:  # the tokenizer would merge across the border; sampling cannot, since the prompt's tokens are given
        target_ids, target_pieces = _tokenize_with_pieces(tokenizer, target)
        ids, pieces = ids + target_ids, pieces + target_pieces
    end = end_token_ids(tokenizer)[0]
    return EncodedRow(row.sample_id, row.kind, (*ids, end), start, (*pieces, str(tokenizer.decode([end]))))


def _turn(tokenizer: PreTrainedTokenizerBase) -> tuple[str, str]:
    """What the template writes between the prompt and an assistant's last turn, if white space (Mistral: " "), and after it.

    Found on a conversation of its own: some templates render the turns before the last differently once an answer follows.
    """
    question = Message("user", "?")
    prompt = _render(tokenizer, [question], generation=True)
    before, _, after = _render(tokenizer, [question, Message("assistant", _PROBE)], generation=False).rpartition(_PROBE)
    lead = before.removeprefix(prompt)
    return ("" if lead.strip() else lead), after


def _prompt_text(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    return _render(tokenizer, messages, generation=True)


def _render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], *, generation: bool) -> str:
    try:
        return _apply(tokenizer, _fitted(tokenizer, messages), generation=generation)
    except (TemplateError, TypeError) as error:
        roles = ", ".join(message.role for message in messages)
        raise InputError(f"The base's chat template refuses a conversation of {roles}: {error}") from error


def _fitted(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> Sequence[Message]:
    """The conversation in roles that the template knows: system folded into the first user turn, tool results as user turns."""
    roles = {message.role for message in messages}
    if "tool" in roles and not _accepts(tokenizer, ("user", "assistant", "tool")):
        messages = without_tool_turns(messages)
    if messages[0].role == "system" and not _accepts(tokenizer, ("system", "user")):
        system, *rest = messages
        first = next((i for i, message in enumerate(rest) if message.role == "user"), None)
        if first is None:
            return [Message("user", system.content), *rest]
        rest[first] = Message("user", f"{system.content}\n\n{rest[first].content}")
        return rest
    return messages


def without_tool_turns(messages: Sequence[Message]) -> list[Message]:
    """The conversation with what tools gave back said by the user."""
    return _merged([Message("user", m.content) if m.role == "tool" else m for m in messages])


def _merged(messages: Sequence[Message]) -> list[Message]:
    """Neighbouring user turns as one, since templates without a tool role want users and assistants to alternate."""
    merged = list(messages[:1])
    for before, message in pairwise(messages):
        if before.role == message.role == "user":
            merged[-1] = Message("user", f"{merged[-1].content}\n\n{message.content}")
        else:
            merged.append(message)
    return merged


def _accepts(tokenizer: PreTrainedTokenizerBase, roles: tuple[str, ...]) -> bool:
    """Whether the template prints every turn of such a conversation; some raise, some silently leave a role out."""
    key = (str(tokenizer.chat_template), roles)
    if key not in _accepted:
        try:
            text = _apply(tokenizer, [Message(role, f"{_PROBE}-{role}") for role in roles], generation=True)
            _accepted[key] = all(f"{_PROBE}-{role}" in text for role in roles)
        except (TemplateError, TypeError):
            _accepted[key] = False
    return _accepted[key]


def _apply(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], *, generation: bool) -> str:
    return str(
        tokenizer.apply_chat_template(
            [{"role": message.role, "content": message.content} for message in messages],
            tokenize=False,
            add_generation_prompt=generation,
            date_string=PINNED_DATE.strftime("%d %b %Y"),
            strftime_now=PINNED_DATE.strftime,
        )
    )


def _tokenize(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _tokenize_with_pieces(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[list[int], list[str]]:
    """Token ids and the characters that each stands for; of tokens that share one character, the first gets it."""
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids = list(encoding["input_ids"])
    ends, reached = [0], 0
    for _, end in encoding["offset_mapping"]:
        reached = max(reached, end)
        ends.append(reached)
    ends[-1] = len(text) if ids else 0
    return ids, [text[start:end] for start, end in pairwise(ends)]
