"""Labels in doubt: 5 % of the training labels are made wrong, each by another class drawn at random, and the profile of
the rows (`graft profile`) names those that it doubts.

Found: the share of the planted ones that is named. Planted of named: the share of the named that was planted; the sets
have wrong labels of their own, which count as mistakes here. Untouched: how many are named before anything is planted.
Features of MiniLM and of Whisper's encoder (graft bases get whisper-base), frozen; a probe of five folds.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SETS = "label_errors", ("trec", "fsdd")
SHARE, DRAWS, FEW = 0.05, 5, 300
FOUND, RIGHT = 0.6, 0.5


def main() -> None:
    given = options.parse(__doc__)
    results = Results(NAME, given)
    for name in SETS[:1] if given.quick else SETS:
        tables = {part: str(data.table(name, part)) for part in ("train", "test")}
        cut = {"few": FEW if given.quick else None, "seeds": 1 if given.quick else DRAWS}
        results.measure(name, 0, OURS, partial(work, NAME, name=name, share=SHARE, **tables, **cut))
    print(section(results.records()))


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    found = {name: record for name in SETS for record in records if record["name"] == name}
    if not found:
        return "Not measured yet."
    rows, least = [], [1.0, 1.0]
    for name, record in found.items():
        shares = [[one["hit"] / one["planted"] for one in record["runs"]]]
        shares += [[one["hit"] / max(1, one["named"]) for one in record["runs"]]]
        least = [min(so_far, float(np.mean(share))) for so_far, share in zip(least, shares, strict=True)]
        named = f"{np.mean([one['named'] for one in record['runs']]):,.0f}"
        facts = [f"{record['rows']:,}", str(record["classes"]), f"{record['runs'][0]['planted']:,}", named]
        rows.append([name, *facts, *(mean_and_spread(share, 100) for share in shares), f"{record['untouched']:,}"])
    told = [
        Claim(
            "at least 60 % of the planted labels are named, on both sets", f"{100 * least[0]:.0f} %", least[0] >= FOUND
        ),
        Claim("at least 50 % of the named are planted, on both sets", f"{100 * least[1]:.0f} %", least[1] >= RIGHT),
    ]
    head = ["set", "rows", "classes", "planted", "named", "found, %", "planted of named, %", "untouched"]
    return "\n\n".join([claims(told), table(head, rows)])


if __name__ == "__main__":
    main()
