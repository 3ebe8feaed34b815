"""Few rows: 8 examples a class, the default against SetFit (5 iterations) and embeddings + logistic regression.

CPU seconds of training alone, imports excluded; accuracy on the whole test table. Every method has the same rows.
The draws (seeds 10 to 14) are others than those that the default was tried on while it was built (0 to 4).
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "few_shot", 5
SETS = ("sst2", "trec", "tweeteval_emotion", "banking77")
PER_CLASS, FIRST_SEED, ITERATIONS = 8, 10, 5
METHODS = {
    OURS: ("ours", OURS),
    "SetFit": ("setfit", "setfit"),
    "embeddings + LR": ("embeddings", "sentence-transformers"),
}
PEERS = tuple(name for name in METHODS if name != OURS)
RESAMPLES = 2000

Right = dict[str, dict[str, np.ndarray]]
"""By set and method, which test rows were right: (seeds, rows)."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for name in SETS[1:2] if given.quick else SETS:  # the slowest set last: what is measured by then is a whole
        for seed in range(FIRST_SEED, FIRST_SEED + given.seeds):
            measure(results, given, name, seed)
    print(section(results.records()))


def measure(results: Results, given: Options, name: str, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        drawn = data.few(data.read(data.table(name, "train")), PER_CLASS, seed)
        train = data.write(Path(folder) / "train.csv", drawn)
        shared = {"train": str(train), "test": str(data.table(name, "test")), "base": data.base_folder(), "seed": seed}
        iterations = 1 if given.quick else ITERATIONS
        for label, (method, package) in METHODS.items():
            one = partial(work, "few_shot", **shared, method=method, iterations=iterations)
            results.measure(f"{label}, {name}", seed, package, one)


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    right, cpu = gathered(records)
    if not right:
        return "Not measured yet."
    head = ["set", *METHODS, *(f"minus {peer}" for peer in PEERS), *(f"CPU s, {method}" for method in METHODS)]
    made = [[name, *_scores(right[name]), *_differences([right[name]]), *_seconds(cpu[name])] for name in right]
    means = {method: [float(np.mean([of[method].mean() for of in right.values()]))] for method in METHODS}
    total = {method: [float(sum(np.mean(of[method]) for of in cpu.values()))] for method in METHODS}
    last = ["all", *(f"{100 * means[method][0]:.1f}" for method in METHODS)]
    made.append([*last, *_differences(list(right.values())), *_seconds(total)])
    told = (
        f"Accuracy in %, mean and standard deviation of the draws ({_seeds(right)}); differences in points, 95 % "
        "intervals (bootstrap over draws and test rows, paired). CPU seconds: mean of a draw; the last row sums them."
    )
    return "\n\n".join([claims(kept(right, cpu)), told, table(head, made)])


def gathered(records: list[Record]) -> tuple[Right, dict[str, dict[str, list[float]]]]:
    """Right rows and CPU seconds of the sets and draws that every method has."""
    by: dict[str, dict[int, dict[str, Record]]] = {}
    for record in records:
        method, _, name = record["name"].rpartition(", ")
        by.setdefault(name, {}).setdefault(record["seed"], {})[method] = record
    right: Right = {}
    cpu: dict[str, dict[str, list[float]]] = {}
    for name, draws in by.items():
        whole = [draw for draw in draws.values() if len(draw) == len(METHODS)]
        if whole:
            right[name] = {m: np.array([[c == "1" for c in draw[m]["right"]] for draw in whole]) for m in METHODS}
            cpu[name] = {m: [draw[m]["cpu"] for draw in whole] for m in METHODS}
    return right, cpu


def kept(right: Right, cpu: dict[str, dict[str, list[float]]]) -> list[Claim]:
    def mean(method: str) -> float:
        return float(np.mean([of[method].mean() for of in right.values()]))

    worst = min((float(of[OURS].mean() - of[p].mean()), p, name) for name, of in right.items() for p in PEERS)
    lead, other = mean(OURS) - mean("SetFit"), mean(OURS) - mean("embeddings + LR")
    ours, theirs = (sum(np.mean(of[method]) for of in cpu.values()) for method in (OURS, "SetFit"))
    share = ours / theirs
    return [
        Claim("at least 2 points above SetFit, mean over the sets", f"{100 * lead:+.1f}", lead >= 0.02),
        Claim("above embeddings + logistic regression, mean over the sets", f"{100 * other:+.1f}", other > 0),
        Claim(
            "never more than 1 point below either on any set",
            f"least: {100 * worst[0]:+.1f} ({worst[1]}, {worst[2]})",
            worst[0] >= -0.01,
        ),
        Claim("at most a quarter of SetFit's CPU time, summed", f"{share:.2f} of it", share <= 0.25),
    ]


def interval(sets: list[dict[str, np.ndarray]], peer: str) -> tuple[float, float, float]:
    """Mean difference to the peer over the sets, and its 95 % interval: draws and test rows are drawn again, and both
    methods are compared on the same ones (Efron & Tibshirani 1993, chapter 8)."""
    draw = np.random.default_rng(0)
    means = []
    for of in sets:
        ahead = of[OURS].astype(np.float32) - of[peer]
        seeds, rows = ahead.shape
        means.append([_resampled(ahead, draw, seeds, rows) for _ in range(RESAMPLES)])
    low, high = np.quantile(np.mean(means, axis=0), [0.025, 0.975])
    value = np.mean([of[OURS].mean() - of[peer].mean() for of in sets])
    return float(value), float(low), float(high)


def _resampled(ahead: np.ndarray, draw: np.random.Generator, seeds: int, rows: int) -> float:
    by_row = ahead[draw.integers(seeds, size=seeds)].mean(axis=0)
    return float(by_row[draw.integers(rows, size=rows)].mean())


def _scores(of: dict[str, np.ndarray]) -> list[str]:
    return [mean_and_spread(of[method].mean(axis=1).tolist(), 100) for method in METHODS]


def _differences(sets: list[dict[str, np.ndarray]]) -> list[str]:
    def shown(value: float, low: float, high: float) -> str:
        return f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"

    return [shown(*interval(sets, peer)) for peer in PEERS]


def _seconds(cpu: dict[str, list[float]]) -> list[str]:
    return [f"{np.mean(cpu[method]):.1f}" for method in METHODS]


def _seeds(right: Right) -> str:
    """How many draws each set has."""
    return ", ".join(f"{name} {len(of[OURS])}" for name, of in right.items())


if __name__ == "__main__":
    main()
