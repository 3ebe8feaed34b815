"""CIFAR-10 from 10,000 training images: a pretrained MobileNetV2 adapted, against embeddings and the beginner's script.

CPU seconds of a whole process with one thread, from the parquet file to a saved model, decoding and imports included;
the pass over the test images is not counted.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness import data, options
from harness.measure import graft, work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "cifar10", 1
WEIGHTS = "mobilenet_v2_1.0_224"
TUNED = ("--with", "warm-start", "--with", "partial:blocks=13", "--with", "label-smoothing", "--set", "lr=2e-4")
SETTINGS: dict[str, tuple[str, Sequence[str]]] = {
    "probe, 128 pixels": ("size=128,crop=1", ("--with", "probe")),
    "tuned, 96 pixels, 3 passes": ("size=96,crop=1", (*TUNED, "--set", "epochs=3")),
    "tuned, 128 pixels, 4 passes": ("size=128,crop=1", (*TUNED, "--set", "epochs=4")),
}
EMBEDDINGS, LOOP = "embeddings + LR", "ResNet18 from scratch, Adam 1e-3, batch 32"
SIZES = (128, 224)
SECONDS = (300, 1000)
"""CPU seconds that the beginner's script gets."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        parts = tables(Path(folder) if given.quick else None)
        for seed in range(given.seeds):
            measure(results, given, parts, seed)
    print(section(results.records()))


def tables(cut: Path | None) -> dict[str, str]:
    """The files of the three parts; where `cut` names a folder, 40 rows of each, written there."""
    whole = {part: data.table(NAME, part) for part in ("train", "validation", "test")}
    if cut is None:
        return {part: str(path) for part, path in whole.items()}
    for part, path in whole.items():
        rows = pq.read_table(path)
        order = np.argsort(np.asarray(rows.column("label").to_pylist()), kind="stable")
        pq.write_table(rows.take(pa.array(order[:: len(order) // 40])), cut / f"{part}.parquet")
    return {part: str(cut / f"{part}.parquet") for part in whole}


def measure(results: Results, given: Options, parts: dict[str, str], seed: int) -> None:
    weights = str(data.folder("weights") / WEIGHTS)
    for name, (view, arguments) in SETTINGS.items():
        fewer = ("--set", "steps=2") if given.quick and "tuned" in name else ()
        base = f"image-model:path={weights},{view}"
        results.measure(f"{OURS}, {name}", seed, OURS, partial(ours, parts, base, [*arguments, *fewer], seed))
    for size in SIZES:
        one = partial(work, "image_embeddings", **parts, weights=weights, size=size)
        results.measure(f"{EMBEDDINGS}, {size} pixels", seed, "transformers", one)
    for seconds in (5,) if given.quick else SECONDS:
        one = partial(work, "image_loop", **parts, seconds=seconds, seed=seed)
        results.measure(f"{LOOP}, {seconds} CPU s", seed, "torch", one)


def ours(parts: dict[str, str], base: str, arguments: Sequence[str], seed: int) -> Record:
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        out = Path(folder) / "model"
        fixed = ["--target", "label", "--valid", parts["validation"], "--seed", seed, "--out", out, "--base", base]
        spent = graft("fit", parts["train"], *fixed, *arguments)
        scores = json.loads(graft("evaluate", out, parts["test"], "--json").output)
    return {"cpu": spent.cpu, "wall": spent.wall, "accuracy": scores["accuracy"]["value"]}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    mine = [record for record in records if record["name"].startswith(OURS)]
    if not mine:
        return "Not measured yet."
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(record["name"], []).append(record)
    rows = [
        [
            name,
            mean_and_spread([one["accuracy"] for one in found], 100),
            *(mean_and_spread([one[kind] for one in found], digits=0) for kind in ("cpu", "wall")),
            str(len(found)),
        ]
        for name, found in grouped.items()
    ]
    head = table(["method", "test accuracy, %", "CPU s", "wall s", "seeds"], rows)
    return "\n\n".join([claims([_within(mine, 300, 0.80), _within(mine, 1000, 0.85)]), head])


def _within(records: list[Record], seconds: float, least: float) -> Claim:
    promise = f"at least {100 * least:.0f} % within {seconds:.0f} CPU seconds"
    reached = [(record["accuracy"], record["cpu"]) for record in records if record["cpu"] <= seconds]
    if not reached:
        return Claim(promise, "no model by then", False)
    accuracy, cpu = max(reached)
    return Claim(promise, f"{100 * accuracy:.1f} % in {cpu:.0f} s", accuracy >= least)


if __name__ == "__main__":
    main()
