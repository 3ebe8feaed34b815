"""Photos with the fetched EfficientNet-Lite0: CIFAR-10, PACS with its domains mixed, and products by photo alone;
beside embeddings + logistic regression of the same base.

CPU seconds of a whole process with one thread, from the parquet file to a saved model, imports included. The base has
to be there: `graft bases get efficientnet-lite0`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from harness import data, options
from harness.measure import graft, work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS, BASE = "images", 1, "efficientnet-lite0"
TUNED = ("--with", "warm-start", "--with", "partial:blocks=11", "--with", "label-smoothing", "--set", "lr=6e-4")
STRENGTHS = [0.001, 0.01, 0.1]
QUICK_ROWS = 60


@dataclass(frozen=True)
class Cell:
    """folder: of the data set. target: its column. size: pixels a side. ways: arguments of `graft fit` by name.
    least, seconds: accuracy that is promised within so many CPU seconds, by the best of the ways."""

    folder: str
    target: str
    size: int
    ways: dict[str, Sequence[str]]
    least: float
    seconds: float


BOTH: dict[str, Sequence[str]] = {"default": (), "tuned, 6 passes": (*TUNED, "--set", "epochs=6")}
FOUR: dict[str, Sequence[str]] = {
    "tuned, 4 passes": (*TUNED, "--set", "epochs=4"),
    "tuned, 4 passes, also mirrored": (*TUNED, "--set", "epochs=4", "--set", "evaluations=2", "--with", "tta:views=2"),
}
CELLS = {
    "CIFAR-10": Cell("cifar10", "label", 128, FOUR, 0.88, 400),
    "PACS": Cell("pacs", "label", 160, BOTH, 0.90, 200),
    "products, photo alone": Cell("fashion_products", "articleType", 128, BOTH, 0.84, 400),
}


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for name, cell in CELLS.items():
            parts = written(cell, Path(folder) / cell.folder, QUICK_ROWS if given.quick else None)
            for seed in range(given.seeds):
                measure(results, given, name, cell, parts, seed)
    print(section(results.records()))


def written(cell: Cell, folder: Path, rows: int | None) -> dict[str, str]:
    """The image and the target alone, of so many rows or all, as parquet files."""
    folder.mkdir()
    for part in ("train", "validation", "test"):
        found = pq.read_table(data.table(cell.folder, part), columns=["image", cell.target])
        if rows is not None:
            values = np.asarray(found.column(cell.target).to_pylist())
            few = np.isin(values, np.unique(np.asarray(values))[:3])
            found = found.take(np.flatnonzero(few)[:rows])
        pq.write_table(found, folder / f"{part}.parquet")
    return {part: str(folder / f"{part}.parquet") for part in ("train", "validation", "test")}


def measure(results: Results, given: Options, name: str, cell: Cell, parts: dict[str, str], seed: int) -> None:
    base = f"{BASE}:size={cell.size}"
    for way, arguments in cell.ways.items():
        fewer = ("--set", "steps=2") if given.quick and arguments else ()
        one = partial(ours, parts, cell.target, base, [*arguments, *fewer], seed)
        results.measure(f"{name}: {OURS}, {way}", seed, OURS, one)
    peer = partial(work, "encoder_embeddings", **parts, target=cell.target, base=base, strengths=STRENGTHS)
    results.measure(f"{name}: embeddings + LR", seed, "scikit-learn", peer)


def ours(parts: dict[str, str], target: str, base: str, arguments: Sequence[str], seed: int) -> Record:
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        out = Path(folder) / "model"
        fixed = ["--target", target, "--valid", parts["validation"], "--seed", seed, "--out", out, "--base", base]
        spent = graft("fit", parts["train"], *fixed, *arguments)
        scores = json.loads(graft("evaluate", out, parts["test"], "--json").output)
    return {"cpu": spent.cpu, "wall": spent.wall, "accuracy": scores["accuracy"]["value"]}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(record["name"], []).append(record)
    rows = [
        [
            name,
            mean_and_spread([one["accuracy"] for one in found], 100),
            mean_and_spread([one["cpu"] for one in found], digits=0),
            str(len(found)),
        ]
        for name, found in grouped.items()
    ]
    head = table(["method", "test accuracy, %", "CPU s", "seeds"], rows)
    return "\n\n".join([claims([promised(name, cell, records) for name, cell in CELLS.items()]), head])


def promised(name: str, cell: Cell, records: list[Record]) -> Claim:
    promise = f"{name}: at least {100 * cell.least:.0f} % within {cell.seconds:.0f} CPU seconds"
    mine = [record for record in records if record["name"].startswith(f"{name}: {OURS}")]
    reached = [(record["accuracy"], record["cpu"]) for record in mine if record["cpu"] <= cell.seconds]
    if not reached:
        return Claim(promise, "no model by then" if mine else "", False if mine else None)
    accuracy, cpu = max(reached)
    return Claim(promise, f"{100 * accuracy:.1f} % in {cpu:.0f} s", accuracy >= cell.least)


if __name__ == "__main__":
    main()
