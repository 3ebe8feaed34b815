"""Whether a classifier can tell the rows of two tables apart: where it can't, they are alike in all that it sees.

It learns from half of the rows and answers for the other half. Where the tables are alike its answers are tosses of a
coin, so that the chance of doing so well is known (Lopez-Paz & Oquab 2017).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from graftwork.evidence.profile.finding import Finding, RowNote

ABOUT = "shift"
ALPHA = 0.01
LARGE = 0.6
"""The share of right answers from which a shift is more than a nuance."""
NAMED = 20


def two_sample(of_test: np.ndarray, is_test: np.ndarray, numbers: np.ndarray, *, name: str = "test") -> Finding:
    """What the answers say of the two tables.

    of_test (N,): the probability that a row is of the other table, by a classifier that did not learn from it; as many
    rows of each table. is_test (N,): whether it is. numbers (N,): the rows' numbers in their own table. name: what the
    other table is called.
    """
    rows = len(of_test)
    right = int(np.sum((of_test > 0.5) == is_test))
    share, chance = right / rows, chance_of(right, rows)
    numbers_of = {"rows": rows, "right": share, "p": chance, "differs": chance < ALPHA}
    told = f"a probe on the base's features tells {name} rows from training rows in {100 * share:.0f} of 100 cases"
    if chance >= ALPHA:
        said = f"The {name} rows look like the training rows: {told}, and guessing gives 50."
        return Finding(ABOUT, (said,), numbers_of)
    how = "clearly " if share >= LARGE else "a little "
    said = f"The {name} rows differ {how}from the training rows: {told}, where guessing would give 50."
    order = np.argsort(-of_test, kind="stable")
    other = [at for at in order if is_test[at] and of_test[at] > 0.5]
    alike = [at for at in order[::-1] if is_test[at] and of_test[at] < 0.5]
    notes = tuple(
        RowNote(int(numbers[at]), f"least like the training rows ({100 * of_test[at]:.0f} %)", table="test")
        for at in other[:NAMED]
    )
    seen = f"{len(other):,} of {len(other) + len(alike):,} {name} rows that were looked at"
    second = f"{seen} are taken for another table's; the clearest are named."
    remedy = f"Look at these {name} rows: a score on them is that of other data than what is trained on."
    return Finding(ABOUT, (said, second), numbers_of, notes, remedy)


def chance_of(right: int, rows: int) -> float:
    """The chance that so many tosses of a coin or more come out right.

    >>> round(chance_of(60, 100), 3), round(chance_of(8, 10), 4), chance_of(0, 10)
    (0.028, 0.0547, 1.0)
    """
    if rows > 2000:
        return 1 - NormalDist().cdf((right - 0.5 - rows / 2) / math.sqrt(rows / 4))
    return math.fsum(math.comb(rows, at) / 2**rows for at in range(right, rows + 1))
