"""What a training step costs: plain full fine-tuning (`techniques: []`) against a hand-written PyTorch loop.

The same rows in the same batches and precision, step by step in turns, CPU seconds.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS, STEPS, QUICK_STEPS = "step_cost", 3, 120, 12
PRECISIONS = ("bf16", "fp32")


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    files = {"train": str(data.table("banking77", "train")), "base": data.base_folder()}
    steps = QUICK_STEPS if given.quick else STEPS
    for seed in range(given.seeds):
        for precision in PRECISIONS:
            one = partial(work, "step_cost", **files, steps=steps, precision=precision, seed=seed)
            results.measure(precision, seed, OURS, one)
    print(section(results.records()))


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    made, ratios = [], {}
    for precision in dict.fromkeys(record["name"] for record in records):
        steps = np.array(
            [pair for r in records if r["name"] == precision for pair in zip(r["ours"], r["hand"], strict=True)]
        )
        ours, hand = np.median(steps, axis=0)
        ratios[precision] = float(np.median(steps[:, 0] / steps[:, 1]))
        made.append([precision, f"{1e3 * ours:.1f}", f"{1e3 * hand:.1f}", f"{ratios[precision]:.3f}", str(len(steps))])
    worst = max(ratios.values())
    measured = ", ".join(f"{ratio:.3f} in {precision}" for precision, ratio in ratios.items())
    promise = Claim("a step costs at most 1.15 times the hand-written one", measured, worst <= 1.15)
    head = ["precision", "project, CPU ms a step", "by hand, CPU ms a step", "ratio", "steps"]
    told = "Medians; the ratio is the median of the ratios of the two steps on one batch."
    return "\n\n".join([claims([promise]), told, table(head, made)])


if __name__ == "__main__":
    main()
