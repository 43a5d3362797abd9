"""A refine pair ⟨q, T⟩, A₁, r → A: what A₁ has wrong, what is trained of it, and what the model made of it k times."""

from __future__ import annotations

from dataclasses import dataclass

from curation.models import Iteration, RefinePair, User
from curation.pages.answers import CallView, between
from curation.pages.sample_page import SamplePanel, record_of, sample_panel
from curation.pages.verdict_words import CHANGES
from curation.stages.filtering import VerdictFilter
from curation.stages.pool import comparator_of
from toolcalls.answers import Calls
from toolcalls.prompts import REFINE_PROMPT
from toolcalls.records import Sample
from toolcalls.selection import answer_of, truth_text


@dataclass(frozen=True, slots=True)
class PairPanel:
    """The panel of a pair: that of the sample's refine turn, and the pair itself."""

    panel: SamplePanel
    first_answer: str
    first_calls: tuple[CallView, ...]  # from A₁ to A, parameter by parameter; empty where they cannot be compared
    refine_prompt: str
    target: str
    change: str
    change_tone: str
    broken: int  # refinements that are wrong though A₁ was right


def pair_panel(iteration: Iteration, sample: int, f: VerdictFilter, user: User) -> PairPanel:
    """Raises Http404 for a sample that has no refine pair in the iteration."""
    panel = sample_panel(iteration, sample, f, user)
    pair = RefinePair.objects.get(iteration=iteration, version=panel.version)
    record = record_of(panel.version, panel.sample.key)
    change, tone = CHANGES[panel.change]
    return PairPanel(
        panel=panel,
        first_answer=pair.first_answer,
        first_calls=_correction(record, pair.first_answer, iteration),
        refine_prompt=REFINE_PROMPT,
        target=truth_text(record),
        change=change,
        change_tone=tone,
        broken=panel.judged.attempts - panel.judged.hits if pair.identical_exact else 0,
    )


def _correction(record: Sample, first_answer: str, iteration: Iteration) -> tuple[CallView, ...]:
    """What the refinement is to change: A₁ beside A."""
    comparator = comparator_of(iteration.run.choices)
    answer = answer_of(first_answer, comparator)
    if record.truth is None or not isinstance(answer, Calls):
        return ()
    return between(answer.calls, record.truth, record, comparator)
