from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from toolcalls.answers import Call
from toolcalls.prompts import REFINE_PROMPT, SYSTEM_PROMPTS, direct_messages, run_messages, system_text, variant_of
from toolcalls.records import Message, Sample
from toolcalls.settings import Settings
from toolcalls.system_texts import take_apart

TOOLS = (
    {"name": "bookFlight", "description": "Écrire {other information}", "parameters": {"type": "dict", "properties": {}}},
    {"name": "now"},
)
NOW = "The current time is 2024-10-02 18:18:11."
SAMPLE = Sample("s1", TOOLS, (Message("user", "Book."),), (Call("now"),), other=NOW)


def test_template_0_renders_as_in_figures_5_and_7() -> None:
    head, tools, other = system_text(SAMPLE).rsplit("\n", 2)
    assert head.startswith("You are an expert in composing functions. You are given a question")
    assert head.endswith("Here is a list of functions in JSON format that you can invoke:")
    assert head.count("\n\n") == 2
    assert json.loads(tools) == list(TOOLS)
    assert "Écrire {other information}" in tools
    assert other == NOW


def test_figures_5_and_6_are_the_paper_s_words(data_dir: Path) -> None:
    paper = data_dir.parent / "paper" / "toolace-r-v1.txt"
    if not paper.is_file():
        pytest.skip("the paper's text does not lie beside the data")
    words = " ".join(paper.read_text().split())
    assert " ".join(SYSTEM_PROMPTS[0].split()) in words
    assert f"{REFINE_PROMPT} Figure 6" in words


def test_without_other_information_nothing_follows_the_tools() -> None:
    bare = Sample("s1", TOOLS, SAMPLE.messages, SAMPLE.truth)
    for variant in range(len(SYSTEM_PROMPTS)):
        text = system_text(bare, variant)
        assert "{candidate tools}" not in text
        assert text == text.strip()


@pytest.mark.parametrize("variant", range(len(SYSTEM_PROMPTS)))
def test_every_variant_says_what_figure_5_says(variant: int) -> None:
    template = SYSTEM_PROMPTS[variant]
    assert template.count("{candidate tools}") == template.count("{other information}") == 1
    assert "[func_name1(params_name1=params_value1, params_name2=params_value2,...), func_name2(params)]" in template
    assert "JSON" in template
    assert any(word in template for word in ("none of", "No tool", "no tool", "no function", "cannot serve", "of no use"))
    assert any(word in template for word in ("required", "requires", "lacks"))
    text = system_text(SAMPLE, variant)
    assert json.dumps(list(TOOLS), ensure_ascii=False) in text
    assert NOW in text


def test_there_are_at_least_twelve_variants_all_different() -> None:
    assert len(set(SYSTEM_PROMPTS)) == len(SYSTEM_PROMPTS) >= 13


def test_a_rendered_system_text_can_be_taken_apart_again() -> None:
    apart = take_apart(system_text(SAMPLE))
    assert apart == (TOOLS, NOW, True)


def test_variants_are_chosen_by_run_and_sample_and_all_are_used() -> None:
    chosen = [variant_of(0, f"sample {number}") for number in range(2000)]
    counts = Counter(chosen)
    assert len(counts) == len(SYSTEM_PROMPTS)
    assert min(counts.values()) > 2000 / len(SYSTEM_PROMPTS) / 2
    assert chosen == [variant_of(0, f"sample {number}") for number in range(2000)]
    assert chosen != [variant_of(1, f"sample {number}") for number in range(2000)]
    assert variant_of(0, "sample", 1) == 0


def test_messages_begin_with_the_system_text() -> None:
    assert direct_messages(SAMPLE, 3) == (Message("system", system_text(SAMPLE, 3)), Message("user", "Book."))


def test_option_keep_uses_the_source_s_system_text_where_there_is_one() -> None:
    kept = Sample("s1", TOOLS, SAMPLE.messages, SAMPLE.truth, system="Own text.")
    assert direct_messages(kept, keep=True)[0].content == "Own text."
    assert direct_messages(kept)[0].content == system_text(kept)
    assert direct_messages(SAMPLE, keep=True)[0].content == system_text(SAMPLE)


def test_a_run_s_messages_follow_its_settings() -> None:
    def system(**options: object) -> str:
        return run_messages(SAMPLE, Settings(**options))[0].content  # type: ignore[arg-type]

    assert system() == system_text(SAMPLE, variant_of(0, "s1"))
    assert system(seed=5) == system_text(SAMPLE, variant_of(5, "s1"))
    assert system(prompts="fixed") == system(prompts="keep") == system_text(SAMPLE, 0)
