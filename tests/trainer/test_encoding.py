"""Prompts and loss masks, token by token, with the chat templates of Llama-3.1, Qwen2.5 and two generations of Mistral."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PretrainedConfig, PreTrainedTokenizerFast

from toolcalls.errors import InputError
from toolcalls.records import Message, TrainingRow
from trainer.encoding import encode_row, end_token_ids, prompt_hash, prompt_ids

LLAMA = """{{- bos_token }}
{%- if not date_string is defined %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}
{%- else %}{%- set system_message = "" %}{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Cutting Knowledge Date: December 2023\\n" }}{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}
        {%- else %}{{- message.content }}{%- endif %}{{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"""

LLAMA_TODAY = LLAMA.replace('date_string = "26 Jul 2024"', 'date_string = strftime_now("%d %b %Y")')
TODAY_ONLY = LLAMA.replace("date_string", "today").replace('today = "26 Jul 2024"', 'today = strftime_now("%Y-%m-%d")')

QWEN = """{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or
           (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
        {{- '\\n<tool_response>\\n' }}{{- message.content }}{{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""

MISTRAL = """{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}
{%- if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}
{%- elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}
{%- else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"""

MISTRAL_3 = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}{%- set loop_messages = messages[1:] %}
{%- else %}{%- set loop_messages = messages %}{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}{{- "[INST] " + message["content"] + "[/INST]" }}{%- endif %}
    {%- elif message["role"] == "assistant" %}{{- " " + message["content"] + eos_token }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial system message!") }}
    {%- endif %}
{%- endfor %}"""

CORPUS = [
    'Book me a table in Rome, please. [get_weather(city="Rome", days=2)]',
    "system user assistant Today Date: 26 Jul 2024",
] * 3
A1, TARGET = '[f(city="Paris")]', '[f(city="Rom 北京", n=1)]'
DIRECT = (Message("system", "You have tools."), Message("user", "Weather in Rome?"))
REFINE = (*DIRECT, Message("assistant", A1), Message("user", "Refine it."))
ROWS = [TrainingRow("s", "direct", DIRECT, TARGET), TrainingRow("s", "refine", REFINE, TARGET)]


def byte_level(specials: list[str], template: str, **tokens: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE as Llama-3 and Qwen2.5 have it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=specials, show_progress=False)
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=template, **tokens)


def sentencepiece_style(specials: list[str], template: str, scheme: str) -> PreTrainedTokenizerFast:
    """A BPE with spaces as ▁ and byte fallback, as Mistral's converted SentencePiece models have it."""
    characters = sorted({character for text in CORPUS for character in text.replace(" ", "▁")} | set('▁[]()=",_fn1P'))
    pieces = [*specials, *(f"<0x{byte:02X}>" for byte in range(256)), *characters, "▁[", "Ro", "Rom"]
    merges = [("▁", "["), ("R", "o"), ("Ro", "m")]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in specials])
    if scheme == "legacy":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, chat_template=template, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def llama(template: str = LLAMA) -> PreTrainedTokenizerFast:
    specials = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    return byte_level(specials, template, bos_token="<|begin_of_text|>", eos_token="<|eot_id|>")


def qwen() -> PreTrainedTokenizerFast:
    return byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], QWEN, eos_token="<|im_end|>", pad_token="<|endoftext|>")


def mistral(scheme: str = "legacy") -> PreTrainedTokenizerFast:
    return sentencepiece_style(["<unk>", "<s>", "</s>"], MISTRAL, scheme)


def mistral_3() -> PreTrainedTokenizerFast:
    return sentencepiece_style(["<unk>", "<s>", "</s>", "[INST]", "[/INST]"], MISTRAL_3, "first")


BASES: dict[str, tuple[Any, str]] = {
    "llama-3.1": (llama, "<|eot_id|>"),
    "qwen2.5": (qwen, "<|im_end|>"),
    "mistral-legacy": (mistral, "</s>"),
    "mistral-metaspace": (lambda: mistral("first"), "</s>"),
    "mistral-0.3": (mistral_3, "</s>"),
}
PROMPTS = {
    "llama-3.1": (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
        "Today Date: 26 Jul 2024\n\nYou have tools.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nWeather in Rome?<|eot_id|>"
        '<|start_header_id|>assistant<|end_header_id|>\n\n[f(city="Paris")]<|eot_id|>'
        "<|start_header_id|>user<|end_header_id|>\n\nRefine it.<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "qwen2.5": (
        "<|im_start|>system\nYou have tools.<|im_end|>\n<|im_start|>user\nWeather in Rome?<|im_end|>\n"
        '<|im_start|>assistant\n[f(city="Paris")]<|im_end|>\n<|im_start|>user\nRefine it.<|im_end|>\n<|im_start|>assistant\n'
    ),
    "mistral-legacy": '<s>[INST] You have tools.\n\nWeather in Rome? [/INST][f(city="Paris")]</s>[INST] Refine it. [/INST]',
    "mistral-metaspace": '<s>[INST] You have tools.\n\nWeather in Rome? [/INST][f(city="Paris")]</s>[INST] Refine it. [/INST]',
    "mistral-0.3": '<s>[INST] Weather in Rome?[/INST] [f(city="Paris")]</s>[INST] You have tools.\n\nRefine it.[/INST]',
}


@pytest.fixture(scope="module", params=list(BASES))
def base(request: pytest.FixtureRequest) -> tuple[str, PreTrainedTokenizerFast, str]:
    make, end = BASES[request.param]
    return request.param, make(), end


@pytest.mark.parametrize("row", ROWS, ids=["direct", "refine"])
def test_training_context_is_the_sampling_prompt_token_by_token(base: Any, row: TrainingRow) -> None:
    _, tokenizer, _ = base
    encoded = encode_row(tokenizer, row)
    assert list(encoded.input_ids[: encoded.label_start]) == prompt_ids(tokenizer, row.messages)


@pytest.mark.parametrize("row", ROWS, ids=["direct", "refine"])
def test_loss_falls_on_the_target_and_one_end_token_only(base: Any, row: TrainingRow) -> None:
    _, tokenizer, end = base
    encoded = encode_row(tokenizer, row)
    trained = [token for token, label in zip(encoded.input_ids, encoded.labels, strict=True) if label != -100]
    assert [label for label in encoded.labels if label != -100] == trained
    assert trained[-1] == tokenizer.convert_tokens_to_ids(end)
    assert trained.count(trained[-1]) == 1
    assert tokenizer.decode(trained[:-1]).strip() == TARGET
    assert len(encoded.labels) == len(encoded.input_ids) == len(encoded.pieces)


def test_nothing_of_the_first_answer_nor_its_end_token_is_trained(base: Any) -> None:
    _, tokenizer, end = base
    encoded = encode_row(tokenizer, ROWS[1])
    ends = [i for i, token in enumerate(encoded.input_ids) if token == tokenizer.convert_tokens_to_ids(end)]
    text_before_label = "".join(encoded.pieces[: encoded.label_start])
    assert A1 in text_before_label
    assert [encoded.labels[i] for i in ends[:-1]] == [-100] * (len(ends) - 1)
    assert encoded.labels[ends[-1]] == encoded.input_ids[-1]
    assert len(ends) >= 2


def test_prompt_is_the_template_verbatim(base: Any) -> None:
    name, tokenizer, _ = base
    encoded = encode_row(tokenizer, ROWS[1])
    assert "".join(encoded.pieces[: encoded.label_start]) == PROMPTS[name]


def test_pieces_joined_are_the_text_even_where_characters_take_several_tokens(base: Any) -> None:
    name, tokenizer, end = base
    encoded = encode_row(tokenizer, ROWS[0])
    space = " " if name == "mistral-0.3" else ""
    assert "".join(encoded.pieces[encoded.label_start :]) == space + TARGET + end


def test_first_end_token_is_the_templates_own_turn_end(base: Any) -> None:
    _, tokenizer, end = base

    ids = end_token_ids(tokenizer, PretrainedConfig(eos_token_id=[7, 9]))
    assert ids[0] == tokenizer.convert_tokens_to_ids(end)
    assert {7, 9} <= set(ids)


def test_end_token_is_the_turn_end_even_when_the_tokenizer_names_another() -> None:
    tokenizer = byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], QWEN, eos_token="<|endoftext|>")
    assert end_token_ids(tokenizer) == tuple(tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"]))


def test_a_base_without_any_end_token_is_refused() -> None:
    with pytest.raises(InputError, match="no end token"):
        end_token_ids(byte_level([], "{% for m in messages %}{{ m.content }}{% endfor %}"))


@pytest.mark.parametrize("template", [LLAMA_TODAY, TODAY_ONLY], ids=["llama-3.2", "strftime only"])
def test_dates_in_templates_are_pinned(template: str) -> None:
    text = llama().decode(prompt_ids(llama(template), DIRECT))
    assert "Today Date: 26 Jul 2024" in text or "Today Date: 2024-07-26" in text


def test_tool_results_become_user_turns_where_the_template_has_no_tool_role() -> None:
    messages = (
        *DIRECT,
        Message("assistant", A1),
        Message("tool", "sunny"),
        Message("tool", "warm"),
        Message("user", "And Milan?"),
    )
    text = mistral().decode(prompt_ids(mistral(), messages), skip_special_tokens=False)
    assert text.endswith("[INST] sunny\n\nwarm\n\nAnd Milan? [/INST]")
    assert "ipython" in llama().decode(prompt_ids(llama(), messages))


def test_a_template_that_silently_drops_the_system_text_gets_it_folded() -> None:
    dropping = byte_level(
        ["<e>"], "{% for m in messages %}{% if m.role != 'system' %}{{ m.content }}<e>{% endif %}{% endfor %}", eos_token="<e>"
    )
    assert "You have tools.\n\nWeather in Rome?" in dropping.decode(prompt_ids(dropping, DIRECT))


def test_a_conversation_the_template_refuses_is_an_input_error() -> None:
    with pytest.raises(InputError, match="must alternate"):
        prompt_ids(mistral(), (Message("user", "a"), Message("user", "b")))


def test_a_tokenizer_that_merges_over_the_border_still_trains_what_sampling_prompts() -> None:
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2, "<e>": 3}, [("a", "b")]))
    tokenizer.add_special_tokens([AddedToken("<e>", special=True)])
    template = "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}<e>{% endif %}{% endfor %}"
    merging = PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=template, eos_token="<e>")
    encoded = encode_row(merging, TrainingRow("s", "direct", (Message("user", "a"),), "b"))
    assert (encoded.input_ids, encoded.label_start, encoded.pieces) == ((0, 1, 3), 1, ("a", "b", "<e>"))


def test_prompt_hash_depends_on_every_token_and_their_order() -> None:
    assert prompt_hash([1, 2]) == "34fb5c825de7ca4aea6e712f19d439c1da0c92c37b423936c5f618545ca4fa1f"
    assert len({prompt_hash(ids) for ids in ([1, 2], [2, 1], [1], [1, 2, 0], [258])}) == 5
