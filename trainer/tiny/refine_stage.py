"""The second stage of pre-training: refining the model's own answers, right and wrong.

The first stage shows the refine turn only with the truth or an invented mistake before it. What the loop then asks for is to
refine what the model itself wrote; without having seen that, a refine turn breaks more answers than it mends (docs/tiny.md).
"""

from __future__ import annotations

import copy
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from toolcalls.answers import Calls
from toolcalls.comparing import Comparator
from toolcalls.parsing import parse
from toolcalls.prompts import REFINE_PROMPT, direct_messages
from toolcalls.records import DIRECT, Sample, Sampling
from toolcalls.rendering import render
from toolcalls.sampling import attempt_seed
from trainer.engines.protocol import Request
from trainer.engines.transformers import TransformersEngine
from trainer.tiny.full_training import Progress, Schedule, train_fully
from trainer.tiny.lessons import Lesson, batches, draw_variant, lesson
from trainer.tiny.tokenizer import CONTEXT_TOKENS, END
from trainer.tiny.world import world_samples

log = logging.getLogger(__name__)
TEMPERATURES = (0.0, 1.0)  # of a sample's two own answers


@dataclass(frozen=True, slots=True)
class RefineStage:
    """The parameters of the second stage."""

    seed: int = 0
    threads: int = 1  # CPU threads; sums depend on it
    samples: int = 4500  # of the world's "refining" mix
    batch_tokens: int = 4096  # padded tokens per optimiser step
    learning_rate: float = 1e-3  # peak
    warmup_steps: int = 20


@dataclass(frozen=True, slots=True)
class Question:
    """A sample under the system prompt that it was given, up to where the answer begins."""

    sample: Sample
    prompt: str


def refine(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, settings: RefineStage) -> Progress:
    """Train a float32 model in place on one direct row per sample and one refine row per distinct own answer."""
    torch.set_num_threads(settings.threads)
    dice = random.Random(f"refining/{settings.seed}")
    questions = [
        Question(sample, _prompt(sample, draw_variant(dice)))
        for sample in world_samples("refining", count=settings.samples, seed=settings.seed)
    ]
    answers = own_answers(model, tokenizer, questions, seed=settings.seed)
    rows = list(_rows(tokenizer, questions, answers))
    data = batches(rows, tokens=settings.batch_tokens, dice=dice)
    return train_fully(model, data, Schedule(len(data), settings.learning_rate, settings.warmup_steps, context_weight=0.0))


def own_answers(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, questions: Sequence[Question], *, seed: int
) -> dict[str, set[str]]:
    """What the model answers, greedily and sampled, by sample id; answers that did not end by themselves are left out."""
    engine = TransformersEngine(copy.deepcopy(model).eval(), tokenizer, max_length=CONTEXT_TOKENS)  # it changes its model
    requests = []
    for question in questions:
        ids = tuple(tokenizer.encode(question.prompt, add_special_tokens=False))
        room = len(tokenizer.encode(render(question.sample.truth or ()), add_special_tokens=False)) * 4 // 3 + 8
        for attempt, temperature in enumerate(TEMPERATURES):
            attempt_id = attempt_seed(seed, 0, question.sample.id, DIRECT, attempt)
            requests.append(Request(question.sample.id, ids, (attempt_id,), Sampling(temperature, max_new_tokens=room)))
    answers: dict[str, set[str]] = {question.sample.id: set() for question in questions}
    for completion in engine.generate(requests):
        if completion.finish_reason == "stop" and completion.text:
            answers[completion.request_id].add(completion.text)
    _report(questions, answers)
    return answers


def _rows(tokenizer: PreTrainedTokenizerBase, questions: Sequence[Question], answers: dict[str, set[str]]) -> Iterator[Lesson]:
    for question in questions:
        target = (render(question.sample.truth or ()) + END, True)
        yield lesson(tokenizer, [(question.prompt, False), target])
        for answer in sorted(answers[question.sample.id]):
            first = f"{question.prompt}{answer}{END}<|user|>{REFINE_PROMPT}<|assistant|>"
            yield lesson(tokenizer, [(first, False), target])


def _prompt(sample: Sample, variant: int) -> str:
    """The conversation as the chat template writes it, ready for the answer."""
    return "".join(f"<|{message.role}|>{message.content}" for message in direct_messages(sample, variant)) + "<|assistant|>"


def _report(questions: Sequence[Question], answers: dict[str, set[str]]) -> None:
    comparator = Comparator()
    pairs = [(question.sample, parse(answer)) for question in questions for answer in answers[question.sample.id]]
    exact = sum(
        isinstance(answer, Calls) and comparator.compare(sample.truth or (), answer.calls, sample.tools).max_param_diff == 0
        for sample, answer in pairs
    )
    log.info("%d questions, %d own answers, %d of them exact", len(questions), len(pairs), exact)
