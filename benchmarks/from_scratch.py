"""From scratch: a GRU and a CNN with their own trained tokenizer, no pretrained weights, English and Chinese."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from harness import data, options
from harness.measure import graft
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "from_scratch", 3
LEAST = {"chnsenticorp_hotel": 0.84, "trec": 0.80}
BASES = ("gru", "cnn")


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for seed in range(given.seeds):
        for name in LEAST:
            for base in BASES:
                results.measure(f"{base}, {name}", seed, OURS, partial(measure, given, name, base, seed))
    print(section(results.records()))


def measure(given: Options, name: str, base: str, seed: int) -> Record:
    """`graft fit --base gru` from csv to saved model, then its accuracy on the test rows."""
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        parts, out = data.tables(name, Path(folder) if given.quick else None), Path(folder) / "model"
        fine = ["--ignore", "label_fine"] if name == "trec" else []
        arguments = ["--target", "label", *fine, "--valid", parts["validation"], "--seed", str(seed), "--out", out]
        spent = graft("fit", parts["train"], "--base", base, *arguments)
        scores = json.loads(graft("evaluate", out, parts["test"], "--json").output)
    return {"cpu": spent.cpu, "wall": spent.wall, "accuracy": scores["accuracy"]["value"]}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(record["name"], []).append(record)
    promises, made = [], []
    for case, runs in grouped.items():
        base, _, name = case.partition(", ")
        accuracy = float(np.mean([run["accuracy"] for run in runs]))
        promise = f"{base} on {name}: at least {100 * LEAST[name]:.0f} %"
        promises.append(Claim(promise, f"{100 * accuracy:.1f} %", accuracy >= LEAST[name]))
        columns = [mean_and_spread([run["accuracy"] for run in runs], 100)]
        columns += [mean_and_spread([run[spent] for run in runs], digits=0) for spent in ("cpu", "wall")]
        made.append([case, *columns, str(len(runs))])
    head = ["base, set", "test accuracy, %", "CPU s", "wall s", "seeds"]
    return "\n\n".join([claims(promises), table(head, made)])


if __name__ == "__main__":
    main()
