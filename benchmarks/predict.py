"""Prediction: sentences per CPU second of `graft predict` against transformers' pipeline, on 3,000 rows of Banking77.

From a saved model and a csv to a csv: loading the model counts on both sides, imports on neither.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness import data, options
from harness.measure import graft, work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS, ROWS = "predict", 3, 3000
EXPORTED = "the project's model, exported"
BF16, FP32, PIPELINE, BATCHED = f"{OURS}, as saved", f"{OURS}, fp32", "pipeline", "pipeline, batches of 32"


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        measure(results, given, Path(folder))
    print(section(results.records()))


def measure(results: Results, given: Options, folder: Path) -> None:
    """Seeds are repetitions here: the model is the same, and the methods take turns."""
    cases = {BF16: OURS, FP32: OURS, PIPELINE: "transformers", BATCHED: "transformers"}
    if all(results.has(name, seed, package) for name, package in cases.items() for seed in range(given.seeds)):
        return
    parts = data.tables("banking77", folder if given.quick else None)
    rows = data.write(folder / "rows.csv", data.read(parts["test"])[:ROWS])
    # A linear head on the base's own features: a model that transformers' pipeline can run too, once exported.
    probe = ("--with", "probe", "--valid", parts["validation"])
    graft("fit", parts["train"], "--target", "label", *probe, "--out", folder / "model")
    peer, relation = classifier(folder)
    shared = {"model": str(peer), "table": str(rows), "out": str(folder / "peer.csv")}
    measurements = {
        BF16: partial(ours, folder, rows, None),
        FP32: partial(ours, folder, rows, "fp32"),
        PIPELINE: partial(pipeline, {**shared, "batch": None}, relation),
        BATCHED: partial(pipeline, {**shared, "batch": 32}, relation),
    }
    for seed in range(given.seeds):
        for name, package in cases.items():
            results.measure(name, seed, package, measurements[name])


def classifier(folder: Path) -> tuple[Path, str]:
    """A folder that the pipeline loads, and how it is related to the project's model."""
    exported = folder / "exported"
    try:
        graft("export", folder / "model", "--to", "transformers", "--out", exported)
    except RuntimeError as error:  # this model has no equal there
        print(f"not exported: {str(error).strip().splitlines()[-1]}")
        work("classifier", base=data.base_folder(), classes=77, out=str(folder / "classifier"))
        return folder / "classifier", "a classifier on the same base (its head is random: for speed alone)"
    return exported, EXPORTED


def ours(folder: Path, rows: Path, precision: str | None) -> Record:
    out = folder / f"ours-{precision}.csv"
    spent = work("predict_ours", model=str(folder / "model"), table=str(rows), out=str(out), precision=precision)
    return {**spent, **scored(out)}


def pipeline(settings: dict[str, Any], relation: str) -> Record:
    spent = work("predict_pipeline", **settings)
    return {**spent, "model": relation, **(scored(Path(settings["out"])) if relation == EXPORTED else {})}


def scored(out: Path) -> Record:
    given = data.read(out)
    accuracy = float(np.mean([row["prediction"] == row["label"] for row in given]))
    return {"accuracy": accuracy, "labels": [row["prediction"] for row in given]}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    by = {name: [record for record in records if record["name"] == name] for name in (BF16, FP32, PIPELINE, BATCHED)}
    if not all(by.values()):
        return "Not measured yet."
    speed = {name: float(np.median([r["rows"] / r["cpu"] for r in of])) for name, of in by.items()}
    ratio = speed[BF16] / speed[PIPELINE]
    promises = [
        Claim("at least 3 times the pipeline's sentences per CPU second", f"{ratio:.2f} times", ratio >= 3),
        *same(by[BF16][0], by[FP32][0], "fp32"),
    ]
    peer = by[PIPELINE][0]
    if peer["model"] == EXPORTED:
        promises += same(by[BF16][0], peer, "the pipeline")
    made = [
        [
            name,
            f"{speed[name]:.0f}",
            f"{np.median([r['rows'] / r['wall'] for r in of]):.0f}",
            f"{speed[name] / speed[PIPELINE]:.2f}",
            f"{100 * of[0]['accuracy']:.2f}" if "accuracy" in of[0] else "",
        ]
        for name, of in by.items()
    ]
    head = ["method", "sentences per CPU s", "per wall s", "times the pipeline", "accuracy, %"]
    told = f"{peer['rows']:,} rows, median of {len(by[BF16])} repetitions. The pipeline runs {peer['model']}."
    return "\n\n".join([claims(promises), told, table(head, made)])


def same(ours: Record, other: Record, name: str) -> list[Claim]:
    equal = float(np.mean([a == b for a, b in zip(ours["labels"], other["labels"], strict=True)]))
    apart = abs(ours["accuracy"] - other["accuracy"])
    return [
        Claim(f"at least 99.5 % labels equal to those of {name}", f"{100 * equal:.2f} %", equal >= 0.995),
        Claim(f"accuracy within 0.1 point of {name}", f"{100 * apart:.2f} points apart", apart <= 0.001),
    ]


if __name__ == "__main__":
    main()
