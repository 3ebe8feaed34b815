"""How often verdicts are wrong where nothing is to be found, and right where something is.

What is supposed and what is not: differences of independent repeats, and of repeats that overlap as Nadeau and Bengio
say; scores that are counted in rows; and rows that are really split again and again.
"""

from __future__ import annotations

import numpy as np
import pytest

from evidence.ablation.tables_of_scores import OVERLAP, cells_of, leave_one_out, simulated
from graftwork.evidence.ablation.cells import Cell, Design
from graftwork.evidence.ablation.judge import judged

TABLES, MOST_WRONG = 1000, 80
"""8 of 100, which is 16 of 200; 5 of 100 are expected where repeats overlap as supposed, fewer where they don't."""


def wrong_verdicts(design: Design, tables: list[list[Cell]], looks: tuple[int, ...] = ()) -> int:
    return sum(any(one.verdict != "open" for one in judged(design, cells, looks=looks)) for cells in tables)


@pytest.mark.parametrize("looks", [(), (5, 10)], ids=["plain", "racing"])
@pytest.mark.parametrize("repeats", [5, 10, 20])
@pytest.mark.parametrize("overlap", [0.0, OVERLAP])
@pytest.mark.parametrize("names", [("useless",), ("useless", "idle", "vain", "null")])
def test_a_useless_arm_is_seldom_taken_for_useful(
    names: tuple[str, ...], overlap: float, repeats: int, looks: tuple[int, ...]
) -> None:
    design, draws = leave_one_out(names), np.random.default_rng(len(names) + repeats)
    tables = [simulated(design, {}, repeats, draws, overlap) for _ in range(TABLES)]
    assert wrong_verdicts(design, tables, looks) <= MOST_WRONG


def test_without_the_correction_it_would_be_wrong_far_too_often() -> None:
    """The simulation has what the correction is for."""
    design, draws = leave_one_out(("useless",)), np.random.default_rng(0)
    tables = [simulated(design, {}, 20, draws) for _ in range(TABLES)]
    blind = [[Cell(c.arm, c.repeat, c.score, 1, 10**9) for c in cells] for cells in tables]
    assert wrong_verdicts(design, blind) > TABLES / 4


@pytest.mark.parametrize("rows", [20, 200])
def test_scores_that_are_counted_in_rows_mislead_no_more(rows: int) -> None:
    """Shares of right answers in few rows, where a useless arm flips an answer now and then."""
    design, draws = leave_one_out(("useless",)), np.random.default_rng(rows)
    tables = []
    for _ in range(TABLES):
        right = draws.binomial(rows, 0.8, 10)
        scores = {arm: list((right + draws.integers(-1, 2, 10)) / rows) for arm in design.arms}
        tables.append(cells_of(design, scores))
    assert wrong_verdicts(design, tables) <= MOST_WRONG


@pytest.mark.parametrize("repeats", [5, 10, 20])
def test_rows_that_are_split_again_and_again_mislead_no_more(repeats: int) -> None:
    """Ridge regressions with and without a useless column, on real splits of the same 100 rows."""
    design, draws = leave_one_out(("useless",)), np.random.default_rng(repeats)
    tables = []
    for _ in range(TABLES):
        inputs = draws.normal(size=(100, 4))
        target = inputs[:, 0] + draws.normal(size=100)
        scores: dict[str, list[float]] = {arm: [] for arm in design.arms}
        for _ in range(repeats):
            order = draws.permutation(100)
            held, kept = order[:20], order[20:]
            for arm, players in design.arms.items():
                used = inputs if players else inputs[:, :3]
                gram = used[kept].T @ used[kept] + 1e-3 * np.eye(used.shape[1])
                weights = np.linalg.solve(gram, used[kept].T @ target[kept])
                scores[arm].append(-float(np.mean((used[held] @ weights - target[held]) ** 2)))
        tables.append(cells_of(design, scores))
    # A useless column does a little harm, which some tables find: that is no mistake, so only "helps" is one.
    wrong = sum(judged(design, cells)[0].verdict == "helps" for cells in tables)
    assert wrong <= MOST_WRONG


@pytest.mark.parametrize("looks", [(), (5, 10, 20, 40)], ids=["plain", "racing"])
@pytest.mark.parametrize("overlap", [0.0, OVERLAP])
def test_three_standard_deviations_are_found_in_ten_repeats(overlap: float, looks: tuple[int, ...]) -> None:
    design, draws = leave_one_out(("useful",)), np.random.default_rng(3)
    tables = [simulated(design, {"useful": 3.0}, 10, draws, overlap) for _ in range(TABLES)]
    found = sum(judged(design, cells, looks=looks)[0].verdict == "helps" for cells in tables)
    assert found >= 0.9 * TABLES


def test_so_are_they_among_five_comparisons() -> None:
    names = ("useful", "b", "c", "d", "e")
    design, draws = leave_one_out(names), np.random.default_rng(4)
    tables = [simulated(design, {"useful": 3.0}, 10, draws) for _ in range(TABLES)]
    assert sum(judged(design, cells)[0].verdict == "helps" for cells in tables) >= 0.9 * TABLES
