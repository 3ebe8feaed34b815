"""What a product is, from its photo, its name and its table: all of them against each alone, and fusions against each
other; beside embeddings + scikit-learn. Also what a second column costs.

The target is articleType; subCategory and masterCategory, which give it away, are not read.
"""

from __future__ import annotations

import itertools
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from graftwork.evidence.scores.intervals import draws
from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "fashion", 3
SIZE = 128
"""Pixels a side that the base for photos is given; the photos have 60 x 80."""
TEXT, PHOTO = "productDisplayName", "image"
PAIRS = {"name": [TEXT], "photo": [PHOTO], "both": [TEXT, PHOTO]}
COST_ROWS = 256
PEER = "embeddings + LR, all columns"


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        measure(results, given, files(Path(folder) if given.quick else None))
    print(section(results.records()))


def files(cut: Path | None) -> dict[str, str]:
    """Train, validation and test; with `cut` a few rows of five article types, written there."""
    whole = {part: data.folder("fashion_products") / f"{part}.parquet" for part in ("train", "validation", "test")}
    if cut is None:
        return {part: str(path) for part, path in whole.items()}
    made = {}
    for part, path in whole.items():
        rows = pq.read_table(path)
        kinds = ("Tshirts", "Shirts", "Watches", "Casual Shoes", "Handbags")
        keep = [at for at, kind in enumerate(rows["articleType"].to_pylist()) if kind in kinds][:100]
        pq.write_table(rows.take(keep), cut / path.name)
        made[part] = str(cut / path.name)
    return made


def measure(results: Results, given: Options, parts: dict[str, str]) -> None:
    folder = str(data.folder("weights") / "mobilenet_v2_1.0_224")
    base = f"efficientnet-lite0:size={SIZE}"
    ours = {**parts, "photo": base}
    for kind, seeds in (("frozen", [0]), *(("default", [seed]) for seed in range(given.seeds)), ("fusions", [0])):
        results.measure(kind, seeds[0], OURS, partial(work, "fashion", **ours, kind=kind, seeds=seeds))
    peer = {"name": data.base_folder(), "photo": folder, "size": SIZE, "strengths": [0.001, 0.01, 0.1]}
    results.measure(PEER, 0, "sentence-transformers", partial(work, "fashion_peer", **parts, **peer))
    for trained, (name, columns) in itertools.product((False, True), PAIRS.items()):
        one = {"train": parts["train"], "photo": base, "columns": columns, "rows": COST_ROWS, "trained": trained}
        for seed in range(given.seeds):
            results.measure(_cost(name, trained), seed, OURS, partial(work, "second_column", **one))


def _cost(name: str, trained: bool) -> str:
    return f"{'training' if trained else 'first'} pass, {name}"


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    ways = [way for record in records for way in record.get("ways", [])]
    if not ways:
        return "Not measured yet."
    right = {(way["way"], way["seed"]): _bits(way) for way in ways}
    peers = [record for record in records if record["name"] == PEER]
    parts = [claims([*_beats(right), *_costs(records)]), _table(ways, peers)]
    return "\n\n".join(parts)


def _bits(way: Record) -> np.ndarray:
    return np.array([each == "1" for each in way["right"]], float)


def _beats(right: dict[tuple[str, int], np.ndarray]) -> list[Claim]:
    """All columns against the best single one, paired over the test rows, each row's mean over the seeds."""
    found = []
    compared = (("default", "all, default"), *(("probe", f"all, {fusion}, probe") for fusion in ("late", "gated")))
    for recipe, whole in compared:
        single = {name: rows for name in ("name", "photo") if (rows := _mean(right, f"{name}, {recipe}")) is not None}
        together = _mean(right, whole)
        if not single or together is None:
            continue
        best = max(single, key=lambda name: float(single[name].mean()))
        value, low, high = paired(together, single[best])
        measured = f"{100 * value:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}) against the {best}"
        found.append(Claim(f"photo, name and table beat the best single column: {whole}", measured, low > 0))
    return found


def _mean(right: dict[tuple[str, int], np.ndarray], way: str) -> np.ndarray | None:
    rows = [bits for (name, _), bits in right.items() if name == way]
    return np.mean(rows, axis=0) if rows else None


def paired(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """The difference of two means over the same rows, and its bootstrap 95 % interval."""
    drawn = np.concatenate([weights @ (first - second) / weights.sum(axis=1) for weights in draws(len(first), seed=0)])
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float((first - second).mean()), float(low), float(high)


def _costs(records: list[Record]) -> list[Claim]:
    found = []
    for trained in (False, True):
        cpu = {name: [r["cpu"] for r in records if r["name"] == _cost(name, trained)] for name in PAIRS}
        if all(cpu.values()):
            spent = {name: float(np.median(seconds)) for name, seconds in cpu.items()}
            more = spent["both"] / (spent["name"] + spent["photo"])
            words = f"{spent['name']:.1f} s + {spent['photo']:.1f} s alone, {spent['both']:.1f} s together"
            what = "training" if trained else "first"
            promise = f"{what} pass: two columns cost at most the sum of both alone + 10 % ({COST_ROWS} rows)"
            found.append(Claim(promise, f"{words}: {100 * (more - 1):+.0f} %", more <= 1.1))
    return found


def _table(ways: list[Record], peers: list[Record]) -> str:
    grouped: dict[str, list[Record]] = {}
    for way in [*ways, *({"way": PEER, **record} for record in peers)]:
        grouped.setdefault(way["way"], []).append(way)
    rows = [[name, *_row(each)] for name, each in grouped.items()]
    return table(["columns and fusion", "test accuracy, %", "CPU s", "seeds"], rows)


def _row(ways: list[Record]) -> list[str]:
    seconds = float(np.median([way["cpu"] for way in ways]))
    return [mean_and_spread([way["accuracy"] for way in ways], 100), f"{seconds:.0f}", str(len(ways))]


if __name__ == "__main__":
    main()
