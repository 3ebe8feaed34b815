"""Tables of numbers and categories: the default and the two trained bases against scikit-learn's linear model
(LogisticRegression, RidgeCV) and its gradient boosting (HistGradientBoosting, its defaults).

The sets are those that come with scikit-learn, 30 % held out by the seed, and two columns of fashion_products to
predict from its other columns, on its own test rows. Scores are accuracy, for diabetes R2. Differences are paired by
the seed (split and model), with 95 % intervals by Student's t over the seeds. CPU seconds are of the whole process,
imports included; scoring is not counted.
"""

from __future__ import annotations

from functools import partial

from harness import options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.shown import paired, points
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "tabular", 10
SETS = ("breast_cancer", "wine", "diabetes", "digits", "fashion-gender", "fashion-season")
METHODS = {"LR": "scikit-learn", "auto": OURS, "HGB": "scikit-learn", "table-mlp": OURS, "ft-transformer": OURS}
"""The package of each method; the project's in between the peers'."""
NAMES = {"LR": "linear", "HGB": "boosting", "auto": "graftwork, default"}
FEWER_SEEDS = {"table-mlp": 3, "ft-transformer": 1}
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
        if seed < FEWER_SEEDS.get(method, SEEDS):
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
        [
            name,
            NAMES.get(method, method),
            mean_and_spread([record["score"] for record in of], 100),
            _difference(found, name, method),
            *_costs(of),
        ]
        for name in SETS
        for method in METHODS
        if (of := found.get((name, method)))
    ]
    head = ["set", "method", "score, %", "default less it, points", "CPU s", "seeds"]
    return "\n\n".join([claims([_near(found, "LR"), _near(found, "HGB")]), table(head, made)])


def _scores(found: dict[tuple[str, str], list[Record]], name: str, method: str) -> dict[int, float]:
    return {record["seed"]: record["score"] for record in found.get((name, method), [])}


def _pairs(found: dict[tuple[str, str], list[Record]], name: str, method: str) -> tuple[list[float], list[float]]:
    """Scores of another method and of the default, on the seeds that both have."""
    theirs, ours = _scores(found, name, method), _scores(found, name, "auto")
    seeds = sorted(set(theirs) & set(ours))
    return [theirs[seed] for seed in seeds], [ours[seed] for seed in seeds]


def _difference(found: dict[tuple[str, str], list[Record]], name: str, method: str) -> str:
    theirs, ours = _pairs(found, name, method)
    return points(theirs, ours) if ours and method != "auto" else ""


def _costs(records: list[Record]) -> list[str]:
    return [mean_and_spread([record["cpu"] for record in records], digits=0), str(len(records))]


def _near(found: dict[tuple[str, str], list[Record]], peer: str) -> Claim:
    """Whether on no set the interval of the default's difference to a peer lies wholly a point below it."""
    promise = (
        f"on no set the interval of the default's difference to the {NAMES[peer]} model is wholly below "
        f"-{100 * NEAR:.0f} point"
    )
    below, counted = [], 0
    for name in SETS:
        theirs, ours = _pairs(found, name, peer)
        if ours:
            counted += 1
            mean, _, high = paired(theirs, ours)
            worst = mean if len(ours) < 2 else high
            below += [f"{name} {points(theirs, ours)}"] if worst < -NEAR else []
    if not counted:
        return Claim(promise, "", None)
    return Claim(
        promise, f"on {counted - len(below)} of {counted}" + (f"; not {', '.join(below)}" if below else ""), not below
    )


if __name__ == "__main__":
    main()
