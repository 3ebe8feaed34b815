"""Augmentations on networks from scratch: the same run with and without them, on few rows.

The differences are those of runs with the same seed, rows and steps, on the same test rows. The images are read at 16
of their 32 pixels a side, to keep the benchmark short.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import mean_and_spread, table

NAME, SEEDS = "augment", 3
VIEWS = 4


@dataclass(frozen=True)
class Case:
    """A data set, the base that is trained on it, and the sets of techniques to compare; the first is none.

    rows: of each part, drawn once for all. epochs: passes over them.
    """

    set: str
    column: str
    base: str
    epochs: int
    rows: dict[str, int]
    techniques: tuple[tuple[str, ...], ...]


IMAGES = Case(
    "cifar10",
    "image",
    "small-cnn:width=16,size=16",
    20,
    {"train": 2000, "validation": 500, "test": 2000},
    ((), ("flip", "crop"), ("rand-augment",), ("cutmix",)),
)
SOUNDS = Case(
    "fsdd",
    "audio",
    "mel-cnn:width=16,rate=8000",
    12,
    {"train": 500, "validation": 180, "test": 300},
    ((), ("spec-augment",)),
)
CASES = (SOUNDS, replace(SOUNDS, epochs=40), IMAGES, replace(IMAGES, epochs=60))
"""Short runs, and long ones: an augmentation needs passes to pay."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        cuts = {case.set: cut(case, Path(folder), given) for case in (IMAGES, SOUNDS)}
        for seed in range(given.seeds):
            for case in CASES:
                for techniques in case.techniques:
                    name = f"{case.set} ({case.epochs} passes), {' + '.join(techniques) or 'none'}"
                    one = partial(measure, case, cuts[case.set], techniques, seed, given)
                    results.measure(name, seed, OURS, one)
    print(section(results.records()))


def cut(case: Case, folder: Path, given: Options) -> dict[str, str]:
    """The rows of each part, as files."""
    files = {}
    for part, rows in case.rows.items():
        whole = pq.read_table(data.table(case.set, part))
        drawn = np.random.default_rng(0).permutation(whole.num_rows)[: 60 if given.quick else rows]
        files[part] = str(folder / f"{case.set}-{part}.parquet")
        pq.write_table(whole.take(drawn), files[part])
    return files


def measure(case: Case, parts: dict[str, str], techniques: tuple[str, ...], seed: int, given: Options) -> Record:
    settings: dict[str, Any] = {"column": case.column, "base": case.base, "techniques": list(techniques), **parts}
    return work("augment", **settings, seed=seed, views=VIEWS, epochs=1 if given.quick else case.epochs)


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    found = {(record["name"], record["seed"]): record for record in records}
    rows = []
    for name in dict.fromkeys(record["name"] for record in records):
        runs = [record for record in records if record["name"] == name]
        plain = [found.get((f"{name.partition(', ')[0]}, none", run["seed"])) for run in runs]
        pairs = [(run, other) for run, other in zip(runs, plain, strict=True) if other is not None]
        gains = [100 * (run["accuracy"] - other["accuracy"]) for run, other in pairs]
        views = [100 * (run["tta"] - run["accuracy"]) for run in runs]
        rows.append(
            [
                name,
                mean_and_spread([run["accuracy"] for run in runs], 100),
                "" if name.endswith("none") else signed(gains),
                signed(views),
                mean_and_spread([run["cpu"] for run in runs], digits=0),
                str(len(runs)),
            ]
        )
    head = [
        "set, techniques",
        "test accuracy, %",
        "against none, points",
        f"tta, {VIEWS} views, points",
        "CPU s",
        "seeds",
    ]
    return table(head, rows) if rows else "Not measured yet."


def signed(values: list[float]) -> str:
    """Mean difference, and those of each seed."""
    return f"{np.mean(values):+.1f} ({', '.join(f'{value:+.1f}' for value in values)})" if values else ""


if __name__ == "__main__":
    main()
