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
BF16, FP32, PIPELINE, BATCHED = f"{OURS}, as saved", f"{OURS}, fp32", "pipeline", "pipeline, batches of 32"


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        measure(results, given, Path(folder))
    print(section(results.records()))


def measure(results: Results, given: Options, folder: Path) -> None:
    """Seeds are repetitions here: the model is the same, and the methods take turns."""
    parts = data.tables("banking77", folder if given.quick else None)
    test = data.read(parts["test"])[:ROWS]
    rows = data.write(folder / "rows.csv", test)
    budget = [] if given.quick else ["--budget", "60s"]
    graft(
        "fit", parts["train"], "--target", "label", "--valid", parts["validation"], *budget, "--out", folder / "model"
    )
    peer, equivalent = classifier(folder)
    for seed in range(given.seeds):
        for name, precision in ((BF16, None), (FP32, "fp32")):
            results.measure(name, seed, OURS, partial(ours, folder, rows, precision))
        for name, batch in ((PIPELINE, None), (BATCHED, 32)):
            shared = {"model": str(peer), "table": str(rows), "out": str(folder / "peer.csv"), "batch": batch}
            results.measure(name, seed, "transformers", partial(pipeline, shared, equivalent))


def classifier(folder: Path) -> tuple[Path, str]:
    """A folder that the pipeline loads, and how it is related to the project's model."""
    exported = folder / "exported"
    try:
        graft("export", folder / "model", "--to", "transformers", "--out", exported)
        if (exported / "config.json").is_file():
            return exported, "the exported model"
    except RuntimeError:  # this model has no equal there
        pass
    work("classifier", base=data.base_folder(), classes=77, out=str(folder / "classifier"))
    return folder / "classifier", "a classifier on the same base (its head is random: for speed alone)"


def ours(folder: Path, rows: Path, precision: str | None) -> Record:
    out = folder / f"ours-{precision}.csv"
    spent = work("predict_ours", model=str(folder / "model"), table=str(rows), out=str(out), precision=precision)
    given = data.read(out)
    accuracy = float(np.mean([row["prediction"] == row["label"] for row in given]))
    return {**spent, "accuracy": accuracy, "labels": [row["prediction"] for row in given]}


def pipeline(settings: dict[str, Any], equivalent: str) -> Record:
    return {**work("predict_pipeline", **settings), "model": equivalent}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    by = {name: [record for record in records if record["name"] == name] for name in (BF16, FP32, PIPELINE, BATCHED)}
    if not all(by.values()):
        return "Not measured yet."
    speed = {name: float(np.median([r["rows"] / r["cpu"] for r in of])) for name, of in by.items()}
    ratio = speed[BF16] / speed[PIPELINE]
    first, second = by[BF16][0], by[FP32][0]
    equal = float(np.mean([a == b for a, b in zip(first["labels"], second["labels"], strict=True)]))
    apart = abs(first["accuracy"] - second["accuracy"])
    promises = [
        Claim("at least 3 times the pipeline's sentences per CPU second", f"{ratio:.2f} times", ratio >= 3),
        Claim("at least 99.5 % labels equal to those in fp32", f"{100 * equal:.2f} %", equal >= 0.995),
        Claim("accuracy within 0.1 point of fp32", f"{100 * apart:.2f} points apart", apart <= 0.001),
    ]
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
    told = (
        f"{first['rows']:,} rows, median of {len(by[BF16])} repetitions. The pipeline runs {by[PIPELINE][0]['model']}."
    )
    return "\n\n".join([claims(promises), told, table(head, made)])


if __name__ == "__main__":
    main()
