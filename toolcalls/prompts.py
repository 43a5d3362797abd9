"""The prompts a model sees: the system text (Fig. 5 and variants of it) and the refine prompt (Fig. 6)."""

from __future__ import annotations

import hashlib
import json
import re

from toolcalls.prompt_variants import VARIANTS
from toolcalls.records import Message, Sample
from toolcalls.settings import Settings

FIGURE_5 = """\
You are an expert in composing functions. You are given a question and a set of possible functions. Based on the question, \
you will need to make one or more function/tool calls to achieve the purpose. If none of the function can be used, point it \
out. If the given question lacks the parameters required by the function, also point it out. You should only return the tool \
call in tools call sections.

If you decide to invoke any of the function(s), you MUST put it in the format of: [func_name1(params_name1=params_value1, \
params_name2=params_value2,...), func_name2(params)]

You should not include any other text in the response. Here is a list of functions in JSON format that you can invoke:
{candidate tools}
{other information}"""

SYSTEM_PROMPTS: tuple[str, ...] = (FIGURE_5, *VARIANTS)

REFINE_PROMPT = (
    "Please refine your answer. Directly output the refined answer, or the original answer if you think it is already perfect."
)

_PLACE = re.compile(r"\{(candidate tools|other information)\}")


def system_text(sample: Sample, variant: int = 0) -> str:
    """Render system prompt number `variant` with the sample's tools (one JSON list) and other information, if any."""
    values = {"candidate tools": json.dumps(list(sample.tools), ensure_ascii=False), "other information": sample.other}
    return _PLACE.sub(lambda place: values[place[1]], SYSTEM_PROMPTS[variant]).strip("\n")


def variant_of(run_seed: int, sample_id: str, count: int = len(SYSTEM_PROMPTS)) -> int:
    """Choose a system prompt, 0 ≤ variant < count, for a sample: the same in both turns and in training (§A.3)."""
    digest = hashlib.sha256(json.dumps([run_seed, sample_id]).encode()).digest()
    return int.from_bytes(digest[:8], "big") % count


def direct_messages(sample: Sample, variant: int = 0, *, keep: bool = False) -> tuple[Message, ...]:
    """⟨q, T⟩ as messages, the system text first. With `keep` a sample that kept its source's system text uses that."""
    system = sample.system if keep and sample.system is not None else system_text(sample, variant)
    return (Message("system", system), *sample.messages)


def run_messages(sample: Sample, settings: Settings) -> tuple[Message, ...]:
    """⟨q, T⟩ as sampling, refining and training of a run see it, by `settings.prompts` and `settings.seed`.

    Evaluation does not use this but `direct_messages(sample)`: Fig. 5 (§A.3, "those used during inference").
    """
    variant = variant_of(settings.seed, sample.id) if settings.prompts == "diversified" else 0
    return direct_messages(sample, variant, keep=settings.prompts == "keep")
