"""Rows to label by advice (`graft advise --unlabelled --label`) against as many at random: a probe learns from some
rows and chooses more of the others, they are labelled, and it learns again.

Ten draws of the first rows, the same for all. Difference: points of test accuracy beside random rows, with a 95 %
interval over the draws, paired. Both ways of choosing were measured: clusters of uncertain rows (Zhdanov 2019), which
is what the command does, and BADGE (Ash et al. 2020).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.shown import paired
from harness.text import Claim, claims, table

NAME = "labelling"
SETS = {"trec": (100, 100), "banking77": (300, 300), "sst2": (100, 100), "ag_news_small": (100, 100)}
"""Rows to begin with, and rows that are labelled then."""
WAYS = {"clusters": "clusters", "badge": "BADGE"}
DRAWS, FEW, ENOUGH = 10, 400, 2


def main() -> None:
    given = options.parse(__doc__)
    results = Results(NAME, given)
    for name in list(SETS)[:1] if given.quick else SETS:
        tables = {part: str(data.table(name, part)) for part in ("train", "test")}
        start, rows = SETS[name]
        cut = {"few": FEW if given.quick else None, "seeds": 2 if given.quick else DRAWS}
        results.measure(name, 0, OURS, partial(work, NAME, name=name, start=start, rows=rows, **tables, **cut))
    print(section(results.records()))


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    found = {name: record for name in SETS for record in records if record["name"] == name}
    if not found:
        return "Not measured yet."
    rows, above = [], 0
    for name, record in found.items():
        runs = record["runs"]
        scores = {way: [one[way] for one in runs] for way in runs[0]}
        differences = {way: paired(scores["random"], scores[way]) for way in WAYS}
        above += differences["clusters"][1] > 0
        means = [f"{100 * float(np.mean(scores[way])):.1f}" for way in ("before", "random", *WAYS)]
        told = [_points(differences[way]) for way in WAYS]
        rows.append([name, f"{record['start']:,} + {record['labelled']:,}", *means, *told])
    claim = Claim(
        "rows that are advised bring more than random ones on at least two of four sets (interval above 0)",
        f"on {above} of {len(found)}",
        above >= ENOUGH,
    )
    ways = list(WAYS.values())
    head = ["set", "rows", "before, %", "random, %", *(f"{way}, %" for way in ways)]
    head += [f"{way}: difference" for way in ways]
    return "\n\n".join([claims([claim]), table(head, rows)])


def _points(difference: tuple[float, float, float]) -> str:
    value, low, high = (100 * one for one in difference)
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


if __name__ == "__main__":
    main()
