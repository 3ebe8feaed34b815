"""Tables of numbers and categories: the default and the two trained bases against scikit-learn's linear model
(LogisticRegression, RidgeCV) and its gradient boosting (HistGradientBoosting, its defaults).

The sets are those that come with scikit-learn, 30 % held out by the seed, and two columns of fashion_products to
predict from its other columns, on its own test rows. Scores are accuracy, for diabetes R2. CPU seconds are of the whole
process, imports included; scoring is not counted.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from harness import options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "tabular", 3
SETS = ("breast_cancer", "wine", "diabetes", "digits", "fashion-gender", "fashion-season")
METHODS = {"LR": "scikit-learn", "auto": OURS, "HGB": "scikit-learn", "table-mlp": OURS, "ft-transformer": OURS}
"""The package of each method; the project's in between the peers'."""
NAMES = {"LR": "linear", "HGB": "boosting", "auto": "graftwork, default"}
ONE_SEED = ("ft-transformer",)
NEAR = 0.01


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for seed in range(given.seeds):
        for name in SETS[:3] if given.quick else SETS:
            measure(results, given, name, seed)
    print(section(results.records()))


def measure(results: Results, given: Options, name: str, seed: int) -> None:
    for method, package in METHODS.items():
        if seed == 0 or method not in ONE_SEED:
            one = partial(work, "tabular", set=name, method=method, seed=seed, quick=given.quick)
            results.measure(f"{name}, {method}", seed, package, one)


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        name, _, method = record["name"].partition(", ")
        found.setdefault((name, method), []).append(record)
    made = [
        [f"{name}", NAMES.get(method, method), mean_and_spread([r["score"] for r in of], 100), *_costs(of)]
        for name in SETS
        for method in METHODS
        if (of := found.get((name, method)))
    ]
    head = ["set", "method", "score, %", "CPU s", "seeds"]
    return "\n\n".join([claims([_near(found, "LR"), _near(found, "HGB")]), table(head, made)])


def _costs(records: list[Record]) -> list[str]:
    return [mean_and_spread([record["cpu"] for record in records], digits=0), str(len(records))]


def _near(found: dict[tuple[str, str], list[Record]], peer: str) -> Claim:
    """Whether the default is at most a point below a peer on each set, means over the seeds that both have."""
    promise = f"the default is at most {100 * NEAR:.0f} point below the {NAMES[peer]} model on each set"
    below, counted = [], 0
    for name in SETS:
        ours, theirs = ({r["seed"]: r["score"] for r in found.get((name, method), [])} for method in ("auto", peer))
        seeds = sorted(set(ours) & set(theirs))
        if seeds:
            counted += 1
            difference = float(np.mean([ours[seed] - theirs[seed] for seed in seeds]))
            below += [f"{name} {100 * difference:+.1f}"] if difference < -NEAR else []
    if not counted:
        return Claim(promise, "", None)
    return Claim(
        promise, f"on {counted - len(below)} of {counted}" + (f"; not {', '.join(below)}" if below else ""), not below
    )


if __name__ == "__main__":
    main()
