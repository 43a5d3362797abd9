"""The tiny base's tokenizer: a BPE in which a word is the same token wherever it stands and long fixed texts are one token.

Words must look alike in the query, the schema and the answer, or a small model does not learn to copy them. So the normaliser
writes "▁" for a space and also before a word at the start of a text or after one of `"([_.>]}` or a line break; decoding takes
exactly those marks out again. A text without a "▁" of its own, and without a space right before a system prompt, comes back
unchanged. The fixed parts of the system prompts, the refine prompt and the boilerplate of the tools' JSON are added tokens:
they would otherwise fill the context.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from toolcalls.prompts import REFINE_PROMPT, SYSTEM_PROMPTS, direct_messages, system_text
from toolcalls.records import Sample
from toolcalls.rendering import render
from trainer.tiny.world import conversations

PAD, END = "<|pad|>", "<|end|>"
SPECIAL = (PAD, END, "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
CONTEXT_TOKENS = 2048
MERGED_TOKENS = 1800  # wanted size of the BPE vocabulary; rare pairs end it earlier
SPELLING_CONVERSATIONS = 6000
TOOLS_JSON = (
    '[{"name": "',
    '}, {"name": "',
    '", "description": "',
    '", "parameters": {"type": "dict", "properties": {"',
    '": {"type": "string"',
    '": {"type": "integer"',
    '": {"type": "float"',
    '": {"type": "boolean"',
    '": {"type": "array", "items": {"type": "string"}',
    ', "enum": ["',
    '", "',
    '}, "',
    '}}, "required": ["',
    '"]}}]',
    '"]}',
)
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
_OPENERS = r'["(\[_.>\]}\n]'
_LETTERS = "(?=▁*[A-Za-z])"
_PROBE_TOOLS = ({"name": "probe"},)
_CUT = "\0"


def build_tokenizer(*, seed: int) -> PreTrainedTokenizerFast:
    """Train the tokenizer on conversations of the world's seen words, with each system prompt in its turn."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Replace(" ", "▁"),
        normalizers.Replace(Regex(rf"^{_LETTERS}|(?<={_OPENERS}){_LETTERS}"), "▁"),
    ])  # fmt: skip
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"▁?[A-Za-z]+|[0-9]|[^A-Za-z0-9]"), "isolated")
    tokenizer.decoder = decoders.Sequence([
        decoders.ByteFallback(),
        decoders.Fuse(),
        decoders.Replace(Regex(rf"(?:^|(?<={_OPENERS})|(?<= ))▁{_LETTERS}"), ""),
        decoders.Replace("▁", " "),
    ])  # fmt: skip
    special = [AddedToken(text, special=True, normalized=False) for text in SPECIAL]
    fixed = [AddedToken(text, special=False, normalized=False) for text in fixed_texts()]
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens(fixed)
    tokenizer.train_from_iterator(_spelling_texts(seed), _bpe_trainer())
    tokenizer.add_tokens(fixed)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        padding_side="left",
        model_max_length=CONTEXT_TOKENS,
        clean_up_tokenization_spaces=False,
    )
    wrapped.chat_template = CHAT_TEMPLATE
    return wrapped


def fixed_texts() -> list[str]:
    """The texts that are one token each: parts of every system prompt, the refine prompt, the boilerplate of tools in JSON."""
    texts = dict.fromkeys(TOOLS_JSON)
    for variant in range(len(SYSTEM_PROMPTS)):
        texts.update(dict.fromkeys(_prompt_parts(variant)))
    texts[REFINE_PROMPT] = None
    return list(texts)


def _prompt_parts(variant: int) -> Iterator[str]:
    """What a system prompt says before and after its tools, with and without other information."""
    for other in ("", f"The current time is {_CUT}"):
        text = system_text(Sample(id="", tools=_PROBE_TOOLS, messages=(), truth=None, other=other), variant)
        yield from filter(None, text.replace(json.dumps(_PROBE_TOOLS), _CUT).split(_CUT))


def _bpe_trainer() -> trainers.BpeTrainer:
    return trainers.BpeTrainer(
        vocab_size=MERGED_TOKENS,
        special_tokens=[*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))],
        initial_alphabet=[*map(chr, range(33, 127)), "▁"],
        min_frequency=3,
        show_progress=False,
    )


def _spelling_texts(seed: int) -> Iterable[str]:
    """What is left of whole conversations when the fixed texts are cut out: the merges need not spell those."""
    fixed = re.compile("|".join(re.escape(text) for text in sorted(fixed_texts(), key=len, reverse=True)))
    samples = (sample for drawn in conversations("spelling", seed=seed) for sample in drawn)
    for number, sample in enumerate(islice(samples, SPELLING_CONVERSATIONS)):
        messages = direct_messages(sample, number % len(SYSTEM_PROMPTS))
        for text in (*(message.content for message in messages), render(sample.truth or ())):
            yield from filter(None, fixed.split(text))
