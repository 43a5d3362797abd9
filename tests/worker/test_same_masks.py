"""What the trainer writes of its rows is what the record reads, one row at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.stages import masks
from trainer.checkpoints import write_rows
from trainer.encoding import EncodedRow


def test_a_row_is_found_among_many_and_one_left_out_is_none(tmp_path: Path) -> None:
    rows = [
        EncodedRow(f"s{number}", "direct", tuple(range(number + 2)), number + 1, (*(["q\u2028ü "] * (number + 1)), "<end>"))
        for number in range(50)
    ]
    write_rows(tmp_path, [None if number % 7 == 3 else row for number, row in enumerate(rows)])
    for number, row in enumerate(rows):
        line = masks.row_at(tmp_path / masks.ROWS, number)
        if number % 7 == 3:
            assert line is None
            continue
        assert line is not None
        assert (line["sample_id"], tuple(line["input_ids"])) == (row.sample_id, row.input_ids)
        assert [piece.text for piece in masks.pieces_of(line)] == list(row.pieces)
        assert [piece.trained for piece in masks.pieces_of(line)] == [label != -100 for label in row.labels]


def test_a_row_beyond_the_last_is_a_fault_and_not_another_row(tmp_path: Path) -> None:
    write_rows(tmp_path, [EncodedRow("s", "direct", (1, 2), 1, ("a", "b"))])
    with pytest.raises(masks.struct.error):
        masks.row_at(tmp_path / masks.ROWS, 1)
