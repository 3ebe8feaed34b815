"""Whether a tune chooses what is of no use: a fifth base that is a copy of MiniLM with noise in its weights, and a
technique that does nothing but begin the head from other random weights.

20 tunes, each on 320 rows of its own and 160 to compare on, of one of four sets of English texts, with both bases and
the technique to choose from. A plainer model is kept unless another one is better by more than chance, which errs in at
most 16 of 100 tunes where nothing is better.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from scipy import stats

from graftwork.evidence.tune.superior import ERROR
from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, table
from verdicts import SETS, with_text

NAME, SEEDS = "tune_planted", 1
DRAWS, ROWS, VALID, TESTED, TRIALS = 5, 320, 160, 300, 14
NOISE = 0.1
ALLOWED = 0.05
"""A promise on 20 tunes is kept if as many errors would be met in at least so many of 100 such benchmarks."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for name in SETS[:1] if given.quick else SETS:
            measure(results, given, name, Path(folder))
    print(section(results.records()))


def measure(results: Results, given: Options, name: str, folder: Path) -> None:
    rows = [with_text(row) for row in data.read(data.table(name, "train"))]
    order = np.random.default_rng(1).permutation(len(rows))
    tested = [with_text(row) for row in data.read(data.table(name, "test"))][: 30 if given.quick else TESTED]
    test = data.write(folder / f"{name}-test.csv", tested)
    for draw in range(1 if given.quick else DRAWS):
        whole = ROWS + VALID
        picked = [rows[at] for at in order[draw * whole : (draw + 1) * whole]]
        train = picked[: 60 if given.quick else ROWS]
        known = {row["label"] for row in train}  # a rare class may have no row to learn from
        parts = {"train": train, "validation": [row for row in picked[ROWS:] if row["label"] in known]}
        files = {part: str(data.write(folder / f"{name}-{draw}-{part}.csv", each)) for part, each in parts.items()}
        trials = 4 if given.quick else TRIALS
        one = partial(work, "planted", **files, test=str(test), noise=NOISE, trials=trials, seed=draw)
        results.measure(name, draw, OURS, one)


def section(records: Sequence[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    rows = []
    for name in dict.fromkeys(record["name"] for record in records):
        found = [record for record in records if record["name"] == name]
        wrong = [str(sum(wrong(record) for record in found)) for wrong in (noisy, useless)]
        seconds = f"{np.mean([record['cpu'] for record in found]):.0f}"
        accuracy = f"{100 * np.mean([record['accuracy'] for record in found]):.1f}"
        rows.append([name, str(len(found)), *wrong, accuracy, seconds])
    head = ["set", "tunes", "kept the noisy base", "kept the useless technique", "test accuracy, %", "CPU s of a tune"]
    return f"{claims(promised(records))}\n\n{table(head, rows)}"


def noisy(record: Record) -> bool:
    return str(record["base"]) != "minilm"


def useless(record: Record) -> bool:
    return any(one.partition(":")[0] == "placebo" for one in record["techniques"])


def promised(records: Sequence[Record]) -> list[Claim]:
    """Fewer errors than could be expected at the stated error of a choice."""
    whole, most = len(records) == len(SETS) * DRAWS, int(stats.binom.isf(ALLOWED, len(records), ERROR))
    made = []
    for what, wrong in (("the noisy base", noisy), ("the useless technique", useless)):
        count = sum(wrong(record) for record in records)
        promise = f"{what} is kept in at most {most} of {len(records)} tunes, as an error of {ERROR:.0%} allows"
        made.append(Claim(promise, f"in {count}", count <= most if whole else None))
    return made


if __name__ == "__main__":
    main()
