"""Two local nodes of Ray, each of one core, against one: trials a minute of `graft tune --cluster`, and what is chosen
with two nodes, with one, and without Ray.

All run 20 trials of the same search, in turns, by the wall clock, from the first trial to the end of the last one. The
process that makes the call shares the two cores with the nodes, and makes a model of each batch's best trial.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS, TRIALS, QUICK_TRIALS = "nodes", 2, 20, 3
ARMS = {"without Ray": 0, "one node": 1, "two nodes": 2}
FULL = {"base": "minilm", "rows": 1500, "epochs": 3, "batch": 8}
QUICK = {"base": "gru:width=8", "rows": 120, "epochs": 1, "batch": 2}
LEAST = 1.7


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    train = str(data.table("ag_news_small", "train"))
    settings = QUICK | {"trials": QUICK_TRIALS} if given.quick else FULL | {"trials": TRIALS}
    for seed in range(given.seeds):
        for name, nodes in ARMS.items():
            results.measure(name, seed, OURS, partial(work, "nodes", nodes=nodes, seed=seed, train=train, **settings))
    print(section(results.records()))


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    by = {(record["name"], record["seed"]): record for record in records}
    seeds = [seed for _, seed in by if all((name, seed) in by for name in ARMS)]
    seeds = sorted(set(seeds))
    if not seeds:
        return "Not measured yet."
    speed = {name: [60 * by[name, seed]["trials"] / by[name, seed]["wall"] for seed in seeds] for name in ARMS}
    ratios = [two / one for one, two in zip(speed["one node"], speed["two nodes"], strict=True)]
    same = all(by[name, seed]["chosen"] == by["without Ray", seed]["chosen"] for name in ARMS for seed in seeds)
    told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    promises = [
        Claim(
            f"two nodes run at least {LEAST} times the trials a minute of one", told, float(np.median(ratios)) >= LEAST
        ),
        Claim("the chosen recipe, and its score, are those of a tune without Ray", "yes" if same else "no", same),
    ]
    rows = [[name, *(f"{value:.2f}" for value in speed[name])] for name in ARMS]
    head = ["trials a minute", *(f"seed {seed}" for seed in seeds)]
    return "\n\n".join([claims(promises), table(head, rows)])


if __name__ == "__main__":
    main()
