"""The transformers engine: any Hugging Face causal language model, on CPU or CUDA. The default without a GPU."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from toolcalls.records import Message
from trainer.encoding import end_token_ids, prompt_ids
from trainer.engines.decoders import Decoder, decoder_for
from trainer.engines.decoding import Budget, Row, decode, queue_of
from trainer.engines.protocol import Completion, EngineError, Request, fits, too_long
from trainer.models import load_model, load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)


class TransformersEngine:
    """Batched decoding with prompts shared between attempts.

    One `generate` call is one batch: the same requests run beside the same neighbours in the same order, so that in float32
    with a fixed number of threads they give the same tokens bit for bit. A batch of further attempts alone goes on with the
    prompts of the batches since the last that held first attempts, which begins anew.

    Not in charge of loading: see `open_transformers`.
    """

    name = "transformers"

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        max_length: int,
        budget: Budget | None = None,
        decoder: Decoder | None = None,
    ) -> None:
        positions = getattr(model.config, "max_position_embeddings", None) or max_length
        self.max_length = min(max_length, positions)
        self.model, self.tokenizer, self.budget = model, tokenizer, budget or Budget()
        self.end_ids = end_token_ids(tokenizer, model.config)
        self.decoder = decoder or decoder_for(model, self.max_length)

    def encode(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The prompt's token ids by the model's chat template."""
        return tuple(prompt_ids(self.tokenizer, messages))

    def generate(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """Completions as rows end. On a memory error the rows not yet ended start again, in batches of half the size."""
        fitting = []
        for request in requests:
            if fits(request, self.max_length):
                fitting.append(request)
            else:
                yield from too_long(request)
        if any(not request.first for request in fitting):
            self.decoder.forget(self.budget.kept)
        queue = queue_of(fitting)
        while queue:
            failure = ""
            try:
                for row in decode(self.decoder, queue, self.budget, frozenset(self.end_ids)):
                    yield row.completion(self.text(row.tokens))
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if not _is_memory_error(error):
                    raise
                failure = str(error).splitlines()[0]
            queue = [Row(row.request, row.attempt) for row in queue if row.finish is None]
            if failure:
                self._shrink(failure, len(queue))

    def _shrink(self, failure: str, waiting: int) -> None:
        smaller = replace(self.budget, rows=min(self.budget.rows, waiting)).halved()
        if smaller is None:
            raise EngineError(f"One attempt at a time does not fit into memory ({failure}). Lower max_length or max_new_tokens.")
        log.warning("out of memory with %d rows; going on with %d (%s)", self.budget.rows, smaller.rows, failure)
        self.budget = smaller
        self.decoder.forget(smaller.kept)
        gc.collect()
        if self.model.device.type == "cuda":
            torch.cuda.empty_cache()

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as text: special tokens shown, no clean-up of spaces."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def close(self) -> None:
        """Give back the model's memory."""
        self.__dict__.pop("decoder", None)
        self.__dict__.pop("model", None)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def open_transformers(
    model_path: str, *, dtype: str, threads: int, max_length: int, device: str | None = None, **limits: Any
) -> TransformersEngine:
    """Load a model folder onto `device` (default: CUDA when there is one). `limits`: rows, tokens and kept of Budget.

    Sets torch's number of CPU threads for the whole process, because sums depend on it. Raises InputError for no model.
    """
    torch.set_num_threads(threads)
    tokenizer = load_tokenizer(model_path)
    model = load_model(model_path, dtype, device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return TransformersEngine(model, tokenizer, max_length=max_length, budget=Budget(**limits))


def _is_memory_error(error: RuntimeError) -> bool:
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in text or "not enough memory" in text
