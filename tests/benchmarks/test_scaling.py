"""benchmarks/scaling.py: the formulas of docs/clusters.md, against sums by hand."""

from __future__ import annotations

import pytest

from scaling import efficiency, shared_row, step_seconds


def test_a_step_is_computed_in_parts_and_its_gradients_go_round_a_ring() -> None:
    assert step_seconds(1, 0.5, 1e9, 1e9, 0.1, 4) == 2.0, "one worker sums nothing"
    # 2 rows of 0.5 s; each sends half of 1 GB twice at 1 GB/s; two messages of 0.1 s
    assert step_seconds(2, 0.5, 1e9, 1e9, 0.1, 4) == pytest.approx(1.0 + 1.0 + 0.2)
    # 1 row; three quarters of 1 GB twice; six messages
    assert step_seconds(4, 0.5, 1e9, 1e9, 0.1, 4) == pytest.approx(0.5 + 1.5 + 0.6)


def test_efficiency_is_one_where_nothing_is_lost() -> None:
    assert efficiency(8.0, 2.0, 4) == 1.0
    assert efficiency(8.0, 4.0, 4) == 0.5


def test_of_a_predicted_row_only_the_workers_part_is_shared() -> None:
    assert shared_row({"row": 10.0, "serial": 2.0}, 4) == 4.0
