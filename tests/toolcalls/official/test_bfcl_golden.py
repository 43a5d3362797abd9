"""The verdicts that bfcl-eval itself gave on the golden rows."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from toolcalls.official.bfcl import Questions, score

FILES = {
    "bfcl_canonical": 3335,
    "bfcl_perturbed": 14748,
    "model_gemma4-e4b-toolcall-v02": 1385,
    "model_glyphh-ada-1.1": 1988,
    "model_claude-sonnet-4-5-20250929-FC": 227,
    "model_DeepSeek-V3.1-Terminus-FC": 227,
}


@pytest.mark.parametrize("name", FILES)
def test_verdict_error_type_and_reasons_are_the_official_ones(name: str, data_dir: Path) -> None:
    questions = Questions(data_dir / "bfcl")
    judged: Counter[str] = Counter()
    for line in (data_dir / "golden" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        question = questions.question(row["category"], row["sample_id"])
        scored = score(row["category"], row["mode"], row["output_text"], question.functions, question.answer)
        agrees = (scored.valid, scored.error_type) == (row["official_valid"], row["official_error_type"])
        if scored.reasons:  # the sentences too; where no match is found, the original goes on with those about each call
            sentences = json.dumps(list(scored.reasons), ensure_ascii=False).removesuffix("]")
            agrees &= row["official_error"].startswith(sentences[:300])
        judged["agree" if agrees else row["id"]] += 1
    assert judged == {"agree": FILES[name]}
