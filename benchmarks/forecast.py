"""What more rows bring, foretold: the learning curve of a probe is measured on a quarter of the training rows and
carried on to all of them; then the probe learns from all, and its test score is held against the forecast.

Features of frozen bases: MiniLM, EfficientNet-Lite0 (CIFAR-10, 4,000 rows of each table), Whisper's encoder (FSDD).
Smaller draws of the quarter are scored on the test rows, which nobody chooses by. The first draw counts for the claim;
the others show how it varies.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SETS = "forecast", ("trec", "banking77", "sst2", "ag_news_small", "cifar10", "fsdd")
DRAWS, FEW = 3, 800
HELD, WIDTH = 5, 0.04


def main() -> None:
    given = options.parse(__doc__)
    results = Results(NAME, given)
    for name in SETS[:1] if given.quick else SETS:
        tables = {part: str(data.table(name, part)) for part in ("train", "test")}
        cut = {"few": FEW if given.quick else None, "seeds": 1 if given.quick else DRAWS}
        results.measure(name, 0, OURS, partial(work, NAME, name=name, **tables, **cut))
    print(section(results.records()))


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    found = {name: record for name in SETS for record in records if record["name"] == name}
    if not found:
        return "Not measured yet."
    rows = []
    for name, record in found.items():
        first = record["runs"][0]
        held = sum(one["low"] <= one["came"] <= one["high"] for one in record["runs"])
        quarter = f"{record['rows'] // 4:,}"
        told = f"{100 * first['score']:.1f} ({100 * first['low']:.1f} to {100 * first['high']:.1f})"
        came, width = f"{100 * first['came']:.1f}", f"{100 * (first['high'] - first['low']):.1f}"
        facts = [quarter, f"{100 * first['now']:.1f}", told, width, came]
        rows.append([name, f"{record['rows']:,}", *facts, f"{held} of {len(record['runs'])}"])
    firsts = [record["runs"][0] for record in found.values()]
    held = sum(one["low"] <= one["came"] <= one["high"] for one in firsts)
    width = float(np.mean([one["high"] - one["low"] for one in firsts]))
    told = [
        Claim(
            "the forecast from a quarter of the rows holds the test score of all on at least 5 of 6 sets",
            f"on {held} of {len(firsts)}",
            held >= HELD,
        ),
        Claim("its interval is at most 4 points wide in the mean", f"{100 * width:.1f} points", width <= WIDTH),
    ]
    head = ["set", "rows", "a quarter", "scores, %", "forecast of all (95 %)", "width", "came", "draws held"]
    return "\n\n".join([claims(told), table(head, rows)])


if __name__ == "__main__":
    main()
