from __future__ import annotations

import json
from pathlib import Path

from toolcalls.official.acebench.questions import Questions


def test_every_golden_verdict_and_error_type_is_given(data_dir: Path) -> None:
    questions = Questions(data_dir / "acebench")
    rows = [json.loads(line) for line in (data_dir / "golden" / "acebench_en_perturbed.jsonl").read_text().splitlines()]
    different = []
    for row in rows:
        scored = questions.score(row["sample_id"], row["category"], row["mode"], row["output_text"])
        if (scored.valid, scored.error_type) != (row["official_valid"], row["official_error_type"]):
            different.append(row["id"])
    assert len(rows) == 6764
    assert different == []
