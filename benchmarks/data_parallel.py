"""Two workers against one: rows a second of partial tuning of MiniLM, and their losses on the same batches.

Each worker is a process of one thread; runs of one and of two processes come in turns. Wall time decides, since a core
more is what a second worker is for; CPU time says what the reduction costs.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS, STEPS, QUICK_STEPS = "data_parallel", 3, 50, 8
SIZES = {"2 blocks, batch 64": (2, 64), "2 blocks, batch 128": (2, 128), "3 blocks, batch 128": (3, 128)}
"""Trained blocks of the base, and rows of a batch."""
ROWS, QUICK_ROWS = 4000, 200
LEAST, CLOSE = 1.6, 1e-4


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    train = str(data.table("ag_news_small", "train"))
    for seed in range(given.seeds):
        for name, (blocks, batch) in SIZES.items():
            for count in (1, 2):
                quick = {"batch": 16, "steps": QUICK_STEPS, "rows": QUICK_ROWS}
                full = {"batch": batch, "steps": STEPS, "rows": ROWS}
                settings = {"blocks": blocks, "seed": seed, "train": train} | (quick if given.quick else full)
                one = partial(work, "data_parallel", processes=count, **settings)
                results.measure(f"{name}, {count} of them", seed, OURS, one)
    print(section(results.records()))


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    pairs = [
        (name, one, two)
        for name in SIZES
        for one in records
        for two in records
        if (one["name"], two["name"]) == (f"{name}, 1 of them", f"{name}, 2 of them") and one["seed"] == two["seed"]
    ]
    if not pairs:
        return "Not measured yet."
    made, ratios = [], {}
    for name in dict.fromkeys(name for name, _, _ in pairs):
        own = [(one, two) for called, one, two in pairs if called == name]
        speed = [np.median([r["rows"] / r["wall"] for r in each]) for each in zip(*own, strict=True)]
        each = [two["rows"] / two["wall"] / (one["rows"] / one["wall"]) for one, two in own]
        ratios[name] = float(np.median(each))
        cpu = float(np.median([two["cpu"] / one["cpu"] for one, two in own]))
        cells = [f"{speed[0]:.1f}", f"{speed[1]:.1f}", f"{ratios[name]:.2f}", f"{cpu:.2f}", str(len(own))]
        made.append([name, *cells])
    apart = max(abs(a - b) for _, one, two in pairs for a, b in zip(one["losses"], two["losses"], strict=True))
    best = max(ratios.values())
    told = ", ".join(f"{ratio:.2f} with {name}" for name, ratio in ratios.items())
    promises = [
        Claim(f"two workers make at least {LEAST} times the rows a second of one", told, best >= LEAST),
        Claim(f"their losses differ by less than {CLOSE:g} in every step", f"{apart:.1e}", apart < CLOSE),
    ]
    head = ["", "one worker, rows/s", "two, rows/s", "ratio", "CPU of both, to one's", "pairs"]
    return "\n\n".join([claims(promises), "Medians over pairs of runs in turns.", table(head, made)])


if __name__ == "__main__":
    main()
