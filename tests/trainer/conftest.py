"""Models and tokenizers small enough to make on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TEMPLATE = (
    "{% for m in messages %}<|user|> {{ m['content'] }} {% if m['role'] == 'assistant' %}<|end|> {% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
VOCABULARY = 120


@pytest.fixture(scope="session")
def word_tokenizer() -> Any:
    """One token per word, w4 … w119; <|end|> ends an answer."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    special = ["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"]
    words = {word: number for number, word in enumerate([*special, *(f"w{n}" for n in range(4, VOCABULARY))])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<|pad|>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|pad|>")
    made.add_special_tokens({"additional_special_tokens": special[2:]})
    made.chat_template = TEMPLATE
    return made


@pytest.fixture(scope="session")
def model_folder(word_tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of two layers as a Hugging Face folder."""
    folder = tmp_path_factory.mktemp("model")
    random_model("Llama").save_pretrained(folder)
    word_tokenizer.save_pretrained(folder)
    return folder


def random_model(family: str, **changes: Any) -> Any:
    """A random model of two layers with grouped queries (4 heads, 2 of keys and values), in float32."""
    import torch
    import transformers

    settings = {
        "vocab_size": VOCABULARY,
        "hidden_size": 128,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "initializer_range": 0.3,
        "bos_token_id": None,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**settings | changes)
    return getattr(transformers, f"{family}ForCausalLM")(config).eval()


@pytest.fixture(scope="session")
def make_model() -> Any:
    """random_model, for tests."""
    return random_model
