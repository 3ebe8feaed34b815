"""A profile of 100,000 rows of text and numbers: CPU seconds beyond computing the base's features once, and how many of
the rows that were planted (copies, near copies, rows with another label) it names.

The rows are made of the questions of Banking77: the beginning of one and the end of another one of the same class, and
five columns of numbers. One thread; imports are left out.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS = "profiles", 1
ROWS, QUICK_ROWS, TEST_SHARE, PLANTED_SHARE = 100_000, 2_000, 0.05, 0.01
LIMIT, NAMED = 60.0, 0.95
CASE = "100,000 rows"


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for seed in range(given.seeds):
        with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as name:
            folder = Path(name)
            rows, planted = made(QUICK_ROWS if given.quick else ROWS, seed)
            test = made(int(TEST_SHARE * len(rows)), seed + 1000)[0]
            train = data.write(folder / "train.csv", rows)
            settings = {"train": str(train), "test": str(data.write(folder / "test.csv", test)), "base": "minilm"}
            results.measure(CASE, seed, OURS, partial(work, "profiles", planted=planted, **settings))
    print(section(results.records()))


def made(count: int, seed: int) -> tuple[list[data.Row], dict[str, list[int]]]:
    """So many rows, and the numbers of those that were planted, by what should be found."""
    draw = np.random.default_rng(seed)
    by_class: dict[str, list[list[str]]] = {}
    for row in data.read(data.table("banking77", "train")):
        by_class.setdefault(row["label"], []).append(row["text"].split())
    planted, labels = max(1, int(PLANTED_SHARE * count)), sorted(by_class)
    rows = [_row(by_class, labels[at], draw) for at in draw.integers(len(labels), size=count - 3 * planted)]
    long = [at for at, row in enumerate(rows) if len(row["text"]) > 120]
    chosen = draw.permutation(len(rows))
    copies = [dict(rows[at]) for at in chosen[:planted]]
    near = [rows[at] | {"text": f"{rows[at]['text']} ok"} for at in long[:planted]]
    other = [rows[at] | {"label": labels[labels.index(rows[at]["label"]) - 1]} for at in chosen[planted : 2 * planted]]
    each = {"duplicates": copies, "near-duplicates": near, "conflicts": other}
    numbers, start = {}, len(rows)
    for about, more in each.items():
        numbers[about] = list(range(start + 1, start + len(more) + 1))
        rows += more
        start = len(rows)
    return rows, {about: found for about, found in numbers.items() if found}


def _row(by_class: dict[str, list[list[str]]], label: str, draw: np.random.Generator) -> data.Row:
    first, second = (by_class[label][at] for at in draw.integers(len(by_class[label]), size=2))
    words = [*first[: len(first) * 2 // 3], *second[len(second) // 3 :]]
    numbers = {f"number {at}": f"{value:.4f}" for at, value in enumerate(draw.normal(size=5))}
    return {"text": " ".join(words), "label": label, **numbers}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    cpu, features, plain = (
        float(np.mean([record[name] for record in records])) for name in ("cpu", "with features", "without features")
    )
    named = {about: float(np.mean([record["named"][about] for record in records])) for about in records[0]["named"]}
    worst = min(named.values())
    promises = [
        Claim("at most 60 CPU seconds beyond computing the features once", f"{cpu:.0f} s", cpu <= LIMIT),
        Claim("at least 95 of 100 planted rows of each kind are named", f"least {100 * worst:.0f}", worst >= NAMED),
    ]
    made = [
        ["the profile, features in the cache", f"{cpu:.0f}"],
        ["with computing the features", f"{features:.0f}"],
        ["without features (`--no-features`)", f"{plain:.0f}"],
    ]
    found = [[about, f"{100 * share:.1f}"] for about, share in named.items()]
    return "\n\n".join([claims(promises), table(["what", "CPU s"], made), table(["planted", "named, %"], found)])


if __name__ == "__main__":
    main()
